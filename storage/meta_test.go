package storage

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func FuzzStable(f *testing.F) {
	f.Add(encodeStable(0, nil))
	f.Add(encodeStable(7, map[string][]byte{"CurrentTerm": {0, 0, 0, 0, 0, 0, 0, 9}, "LastVoteCand": []byte("n1"), "": {}}))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		version, values, err := decodeStable(b)
		if err != nil {
			return
		}
		again := encodeStable(version, values)
		version2, values2, err := decodeStable(again)
		if err != nil || version2 != version {
			t.Fatalf("version %d became %d, %v", version, version2, err)
		}
		if d := cmp.Diff(values, values2); d != "" {
			t.Fatalf("(-first +second):\n%s", d)
		}
	})
}

// TestStableOrder: the record does not depend on the order in which a map is walked.
func TestStableOrder(t *testing.T) {
	values := make(map[string][]byte)
	for _, k := range []string{"d", "a", "c", "b", "e"} {
		values[k] = []byte("value of " + k)
	}
	first := encodeStable(3, values)
	for range 20 {
		if !bytes.Equal(encodeStable(3, values), first) {
			t.Fatal("encoded differently")
		}
	}
}
