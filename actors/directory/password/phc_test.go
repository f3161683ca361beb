package password

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

const goodPHC = "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

func TestParsePHC(t *testing.T) {
	s, err := parsePHC(goodPHC)
	if err != nil {
		t.Fatal(err)
	}
	if s.params != current() || len(s.salt) != saltSize || len(s.key) != keySize || s.key[31] != 31 {
		t.Fatalf("read %+v", s)
	}
	if s.String() != goodPHC {
		t.Fatalf("written back as %s", s.String())
	}
}

func TestParsePHCRefuses(t *testing.T) {
	swap := func(old, with string) string { return strings.Replace(goodPHC, old, with, 1) }
	for name, phc := range map[string]string{
		"empty":               "",
		"plain password":      "hunter2hunter2",
		"bcrypt":              "$2a$12$abcdefghijklmnopqrstuuxyz",
		"argon2i":             swap("argon2id", "argon2i"),
		"old version":         swap("v=19", "v=16"),
		"missing version":     swap("$v=19", ""),
		"a gigabyte":          swap("m=19456", "m=1048576"),
		"little memory":       swap("m=19456", "m=4"),
		"no passes":           swap("t=2", "t=0"),
		"many passes":         swap("t=2", "t=1000"),
		"many threads":        swap("p=1", "p=200"),
		"sign":                swap("t=2", "t=+2"),
		"leading zero":        swap("t=2", "t=02"),
		"swapped":             swap("m=19456,t=2", "t=2,m=19456"),
		"keyid":               swap("p=1", "p=1,keyid=x"),
		"short salt":          swap("AAECAwQFBgcICQoLDA0ODw$", "AAEC$"),
		"padded salt":         swap("DA0ODw$", "DA0ODw==$"),
		"loose last bits":     swap("DA0ODw$", "DA0ODx$"),
		"url alphabet":        swap("AAECAwQF", "AAEC_wQF"),
		"line break":          swap("AAECAwQF", "AAEC\nAwQF"),
		"no key":              goodPHC[:strings.LastIndexByte(goodPHC, '$')+1],
		"one field more":      goodPHC + "$AAAA",
		"something before":    "x" + goodPHC,
		"longer than allowed": goodPHC + strings.Repeat("A", maxPHC),
	} {
		if s, err := parsePHC(phc); !errors.Is(err, ErrHash) {
			t.Errorf("%s: got %+v, %v, want an error wrapping %q", name, s, err, ErrHash)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add(goodPHC)
	f.Add("$argon2id$v=19$m=8,t=1,p=1$" + base64.RawStdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 8)) +
		"$" + base64.RawStdEncoding.EncodeToString(bytes.Repeat([]byte{9}, 16)))
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$$")
	f.Add("")
	f.Fuzz(func(t *testing.T, phc string) {
		s, err := parsePHC(phc)
		if err != nil {
			if !errors.Is(err, ErrHash) {
				t.Fatalf("error %v does not wrap %q", err, ErrHash)
			}
			return
		}
		if s.memory > maxMemory || s.time > maxTime || s.threads > maxThreads || s.time == 0 || s.threads == 0 {
			t.Fatalf("%q may cost %+v", phc, s.params)
		}
		if s.String() != phc {
			t.Fatalf("%q is a second spelling of %q", phc, s.String())
		}
	})
}
