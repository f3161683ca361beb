package account

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The table against a plain list, with hashes so few that runs are long and wrap around.
func TestTableAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tab table
		var model []slot
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			s := slot{hash: uint32(rapid.IntRange(0, 20).Draw(t, "hash")) * 0xfffffff1, value: uint32(rapid.IntRange(1, 60).Draw(t, "value"))}
			i := slices.Index(model, s)
			if rapid.Bool().Draw(t, "insert") {
				if i < 0 {
					tab.insert(s.hash, s.value)
					model = append(model, s)
				}
			} else {
				if tab.remove(s.hash, s.value) != (i >= 0) {
					t.Fatalf("remove %v: in the model at %d", s, i)
				}
				if i >= 0 {
					model = slices.Delete(model, i, i+1)
				}
			}
			if tab.used != len(model) {
				t.Fatalf("%d used, %d in the model", tab.used, len(model))
			}
			for _, m := range model {
				if got := tab.find(m.hash, func(v uint32) bool { return v == m.value }); got != m.value {
					t.Fatalf("%v is not found", m)
				}
			}
			if !slices.Contains(model, s) && tab.find(s.hash, func(v uint32) bool { return v == s.value }) != 0 {
				t.Fatalf("%v is found", s)
			}
		}
	})
}

func TestTextAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var texts text
		type kept struct {
			ref textRef
			s   string
		}
		var model []kept
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			if len(model) > 0 && rapid.IntRange(0, 2).Draw(t, "drop") == 0 {
				i := rapid.IntRange(0, len(model)-1).Draw(t, "which")
				k := model[i]
				texts.drop(k.ref, len(k.s))
				model = slices.Delete(model, i, i+1)
				if k.ref != 0 {
					// Nothing of it is left but the link of the free list.
					if b := texts.bytes(k.ref, textUnits(len(k.s))*textUnit)[4:]; len(bytes.Trim(b, "\x00")) != 0 {
						t.Fatalf("%q was not wiped", b)
					}
				}
			} else {
				n := rapid.IntRange(0, MaxEmail+MaxName+MaxHash).Draw(t, "length")
				s := strings.Repeat(string(rune('a'+len(model)%26)), n)
				model = append(model, kept{texts.put(s[:n/3], s[n/3:]), s})
			}
			for _, k := range model {
				if string(texts.bytes(k.ref, len(k.s))) != k.s {
					t.Fatalf("%q was overwritten", k.s)
				}
			}
			if err := texts.verify(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestTextReusesWhatWasFreed(t *testing.T) {
	var texts text
	s := strings.Repeat("x", 600)
	for range 10_000 {
		texts.drop(texts.put(s), len(s))
	}
	if len(texts.chunks) != 1 {
		t.Errorf("%d chunks for one record at a time", len(texts.chunks))
	}
}

func TestTextCrossesChunks(t *testing.T) {
	var texts text
	var refs []textRef
	s := strings.Repeat("y", 650)
	for range 1000 {
		refs = append(refs, texts.put(s))
	}
	if len(texts.chunks) < 10 {
		t.Fatalf("%d chunks", len(texts.chunks))
	}
	for _, r := range refs {
		if string(texts.bytes(r, len(s))) != s {
			t.Fatal("a record was overwritten")
		}
	}
	if err := texts.verify(); err != nil {
		t.Fatal(err)
	}
}

func TestKnownDropsTheOldestWhenFull(t *testing.T) {
	const most = 10_000
	var k known
	key := func(i int) *Key { return &Key{byte(i), byte(i >> 8), byte(i >> 16), 1} }
	for i := range most + 10 {
		k.add(key(i), &[16]byte{}, 1000, &Result{Number: uint64(i)}, most)
	}
	if k.n != most || k.index.used != most {
		t.Fatalf("%d kept, %d indexed", k.n, k.index.used)
	}
	if _, _, ok := k.find(key(9), &[16]byte{}); ok {
		t.Error("the oldest is still known")
	}
	for _, i := range []int{10, 4000, most + 9} {
		if r, same, ok := k.find(key(i), &[16]byte{}); !ok || !same || r.Number != uint64(i) {
			t.Errorf("key %d: %+v %v %v", i, r, same, ok)
		}
	}
	k.forget(1000)
	if k.n != most {
		t.Error("forgot what is not older")
	}
	k.forget(1001)
	if k.n != most-forgetAtOnce {
		t.Errorf("%d left after one batch", k.n)
	}
}
