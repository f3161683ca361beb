package strict

import (
	"strings"
	"testing"
	"time"
)

type tree struct {
	Queue struct {
		Rate  uint32        `yaml:"rate"`
		Claim time.Duration `yaml:"claim"`
	} `yaml:"queue"`
	Names []string `yaml:"names"`
}

func TestDecodeSaysWhere(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"unknown key", "queue:\n  rat: 5\n", "f.yaml:2:3: unknown key \"rat\", did you mean \"rate\"?\n    rat: 5\n    ^"},
		{"nothing near", "queue:\n  zzzzzzzz: 5\n", "f.yaml:2:3: unknown key \"zzzzzzzz\"\n    zzzzzzzz: 5\n    ^"},
		{"wrong kind", "queue:\n  rate: fast\n", "f.yaml:2:9: a text does not fit here, allowed is a whole number\n    rate: fast\n          ^"},
		{"repeated", "names: [a]\nnames: [b]\n", "f.yaml:2:1: mapping key \"names\" already defined at [1:1]\n  names: [b]\n  ^"},
		{"negative", "queue: {rate: -1}\n", "whole number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var v tree
			err := Decode("f.yaml", []byte(tt.in), &v)
			e, ok := err.(*Error) //nolint:errorlint // Decode returns it bare
			if !ok {
				t.Fatalf("error = %v", err)
			}
			if !strings.Contains(e.Detail(), tt.want) {
				t.Errorf("got\n%s\nwant\n%s", e.Detail(), tt.want)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	var v tree
	if err := Decode("f.yaml", []byte("queue: {rate: 600, claim: 2m}\nnames: [ana, bia]\n"), &v); err != nil {
		t.Fatal(err)
	}
	if v.Queue.Rate != 600 || v.Queue.Claim != 2*time.Minute || len(v.Names) != 2 {
		t.Errorf("got %+v", v)
	}
}

func TestDecodeIsBounded(t *testing.T) {
	var v tree
	if err := Decode("f.yaml", make([]byte, MaxBytes+1), &v); err == nil {
		t.Error("a file that is too large was read")
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"", "queue: {rate: 1}", "queue:\n- a\n", "a: &a [*a]", "? : :", "names: [\n", "\x00", "queue: !!binary x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		var v tree
		if err := Decode("f.yaml", b, &v); err != nil {
			_ = err.Error()
		}
	})
}
