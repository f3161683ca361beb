package strict

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

type tree struct {
	Place `yaml:",inline"`

	Queue struct {
		Rate  uint32        `yaml:"rate"`
		Claim time.Duration `yaml:"claim"`
		Small int8          `yaml:"small"`
		On    bool          `yaml:"on"`
	} `yaml:"queue"`
	Names  []string         `yaml:"names"`
	Prices map[string]price `yaml:"prices"`
}

type price struct {
	Amount raw `yaml:"amount"`
}

type Place struct {
	City string `yaml:"city"`
}

// raw keeps what is written.
type raw string

func (r *raw) UnmarshalYAML(b []byte) error {
	*r = raw(b)
	return nil
}

func TestDecodeSaysWhere(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"unknown key", "queue:\n  rat: 5\n", "f.yaml:2:3: unknown key \"queue.rat\", did you mean \"queue.rate\"?\n    rat: 5\n    ^"},
		{"nothing near", "queue:\n  zzzzzzzz: 5\n", "f.yaml:2:3: unknown key \"queue.zzzzzzzz\"\n    zzzzzzzz: 5\n    ^"},
		{"key of another place", "rate: 5\n", "f.yaml:1:1: unknown key \"rate\", did you mean \"queue.rate\"?\n  rate: 5\n  ^"},
		{"key in a map", "prices: {a: {amont: 5}}\n", `unknown key "prices.a.amont", did you mean "prices.a.amount"?`},
		{"key of an inlined struct", "citi: x\n", `unknown key "citi", did you mean "city"?`},
		{"wrong kind", "queue:\n  rate: fast\n", "f.yaml:2:9: a text does not fit here, allowed is a whole number\n    rate: fast\n          ^"},
		{"caret after letters of several bytes", "prices: {ação: {amont: 5}}\n", "f.yaml:1:17: unknown key \"prices.ação.amont\", did you mean \"prices.ação.amount\"?\n  prices: {ação: {amont: 5}}\n                  ^"},
		{"decimal comma", "prices: {a: {amount: 60,50}}\n", "f.yaml:1:25: unknown key \"prices.a.50\": within braces a comma begins the next key, so write decimals with a point"},
		{"repeated", "names: [a]\nnames: [b]\n", "f.yaml:2:1: \"names\" stands here twice, first in line 1\n  names: [b]\n  ^"},
		{"negative", "queue: {rate: -1}\n", "f.yaml:1:15: -1 does not fit here, allowed are 0 to 4294967295"},
		{"too large", "queue: {small: 128}\n", "128 does not fit here, allowed are -128 to 127"},
		{"far too large", "queue: {rate: 99999999999999999999}\n", "f.yaml:1:15: "},
		{"fraction", "queue: {rate: 1.5}\n", "a number does not fit here, allowed is a whole number"},
		{"not a duration", "queue: {claim: soon}\n", "\"soon\" does not fit here, allowed is a duration like 10m or 90s"},
		{"duration without a unit", "queue: {claim: 90}\n", "a whole number does not fit here, allowed is a duration like 10m or 90s"},
		{"not a truth", "queue: {on: yes}\n", "a text does not fit here, allowed is a true or false"},
		{"truth for text", "city: true\n", "a true or false does not fit here, allowed is a text"},
		{"text for a list", "names: a\n", "a text does not fit here, allowed is a list"},
		{"mapping in a list", "names: [{a: b}]\n", "a mapping does not fit here, allowed is a text"},
		{"list for a mapping", "queue: [1]\n", "a list does not fit here, allowed is a mapping"},
		{"list for the file", "- a\n", "a list does not fit here, allowed is a mapping"},
		{"list for a value of its own kind", "prices: {a: {amount: [1]}}\n", "a list does not fit here, allowed is a text"},
		{"nothing", "queue:\n  rate:\n", "nothing stands here, allowed is a whole number"},
		{"grammar", "queue: [1\n", "f.yaml:1:8: sequence end token ']' not found"},
		{"two documents", "names: [a]\n---\nnames: [b]\n", "f.yaml:3:6: a second document begins here"},
		{"anchor", "names: &a [x]\n", "f.yaml:1:8: anchors and aliases are not read"},
		{"alias", "names: *a\n", "anchors and aliases are not read"},
		{"tag", "names: !!binary x\n", "tags are not read"},
		{"deep", "names: " + strings.Repeat("[", 40), "nested more than 32 deep"},
		{"deep dashes", "names:\n" + strings.Repeat("- ", 40), "nested more than 32 deep"},
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

func TestDecodeTellsEverything(t *testing.T) {
	var v tree
	err := Decode("f.yaml", []byte("queue:\n  rat: 5\n  claim: soon\nname: [a]\nnames: 5\ncity: x\ncity: y\n"), &v)
	var all Errors
	if !errors.As(err, &all) || len(all) != 5 {
		t.Fatalf("error = %v", err)
	}
	want := "f.yaml:2:3: unknown key \"queue.rat\", did you mean \"queue.rate\"?\n    rat: 5\n    ^\n" +
		"f.yaml:3:10: \"soon\" does not fit here, allowed is a duration like 10m or 90s\n    claim: soon\n           ^\n" +
		"f.yaml:4:1: unknown key \"name\", did you mean \"names\"?\n  name: [a]\n  ^\n" +
		"f.yaml:5:8: a whole number does not fit here, allowed is a list\n  names: 5\n         ^\n" +
		"f.yaml:7:1: \"city\" stands here twice, first in line 6\n  city: y\n  ^"
	if got := all.Detail(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var first *Error
	if !errors.As(err, &first) || first.Path != "queue.rat" {
		t.Errorf("first = %+v", first)
	}
}

func TestDecodeBoundsItsErrors(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "k%d: 1\n", i)
	}
	var v tree
	var all Errors
	if err := Decode("f.yaml", []byte(b.String()), &v); !errors.As(err, &all) || len(all) != maxErrors {
		t.Errorf("%d errors: %v", len(all), err)
	}
}

func TestDecode(t *testing.T) {
	for _, in := range []string{
		"queue: {rate: 600, claim: 2m, on: true}\nnames: [ana, 7]\ncity: São Paulo\nprices: {a: {amount: 12.50}}\n",
		"{\"queue\": {\"rate\": 600, \"claim\": \"2m\", \"on\": true},\n\t\"names\": [\"ana\", \"7\"], \"city\": \"São Paulo\", \"prices\": {\"a\": {\"amount\": 12.50}}}",
		"# a comment\nqueue:\n  rate: 600 # here too\n  claim: 2m\n  on: true\nnames:\n- ana\n- 7\ncity: 'São Paulo'\nprices:\n  a:\n    amount: 12.50\n",
	} {
		var v tree
		if err := Decode("f.yaml", []byte(in), &v); err != nil {
			t.Fatal(err)
		}
		if v.Queue.Rate != 600 || v.Queue.Claim != 2*time.Minute || !v.Queue.On || len(v.Names) != 2 || v.Names[1] != "7" ||
			v.City != "São Paulo" || v.Prices["a"].Amount != "12.50" {
			t.Errorf("%s\ngot %+v", in, v)
		}
	}
}

func TestDecodeKeepsDefaults(t *testing.T) {
	for _, in := range []string{"", "\n", "# only a comment\n", "queue:\n", "queue: {}\n", "---\n", "queue:\n  # nothing\ncity:\n"} {
		v := tree{}
		v.Queue.Rate = 5
		if err := Decode("f.yaml", []byte(in), &v); err != nil || v.Queue.Rate != 5 {
			t.Errorf("%q: %v, %+v", in, err, v)
		}
	}
}

func TestDecodeIsBounded(t *testing.T) {
	var v tree
	for name, in := range map[string]string{
		"bytes": strings.Repeat(" ", MaxBytes+1),
		"words": "names: [" + strings.Repeat("a,", maxTokens),
	} {
		if err := Decode("f.yaml", []byte(in), &v); err == nil || !strings.Contains(err.Error(), "allowed are") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrorf(t *testing.T) {
	var v tree
	d, err := Read("f.yaml", []byte("queue:\n  rate: 7\nnames:\n  - ana\n"), &v)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ path, want string }{
		{"queue.rate", "f.yaml:2:9: queue.rate: no\n    rate: 7\n          ^"},
		{"queue.claim", "f.yaml:1:1: queue.claim: no\n  queue:\n  ^"}, // the mapping it belongs to
		{"names[3]", "f.yaml:3:1: names[3]: no\n  names:\n  ^"},
		{"names[0]", "f.yaml:4:5: names[0]: no\n    - ana\n      ^"},
		{"city", "f.yaml: city: no"},
	} {
		if got := d.Errorf(tt.path, "%s", "no").Detail(); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.path, got, tt.want)
		}
	}
	if !d.Has("queue.rate") || d.Has("queue.claim") {
		t.Error("the document does not know what it says")
	}
	var none *Document
	if got := none.Errorf("city", "no").Detail(); got != "city: no" || none.Has("city") {
		t.Errorf("without a document: %q", got)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"", "queue: {rate: 1}", "queue:\n- a\n", "a: &a [*a]", "? : :", "names: [\n", "\x00", "queue: !!binary x", "<<: {a: b}",
		"names: |\n  a\n", "prices:\n  ? [a]\n  : {amount: 1}\n", "{\"names\": [\"a\"]}", "---\n...\n---\n", "%YAML 1.2\n---\nnames: [a]", "\ufeffnames: [a]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v tree
		err := Decode("f.yaml", b, &v)
		if err == nil {
			return
		}
		var one *Error
		if !errors.As(err, &one) || one.Message == "" {
			t.Errorf("%T %v names nothing", err, err)
		}
		detailed, ok := err.(interface{ Detail() string })
		if !ok || detailed.Detail() == "" {
			t.Errorf("%T shows nothing", err)
		}
	})
}
