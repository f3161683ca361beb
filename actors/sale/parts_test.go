package sale

import (
	"testing"

	"pgregory.net/rapid"
)

func TestLookup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l lookup
		want := map[uint64]uint32{}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				id := rapid.Uint64Range(1, 40).Draw(t, "id")
				if _, ok := want[id]; !ok {
					want[id] = rapid.Uint32().Draw(t, "slot")
					l.put(id, want[id])
				}
			},
			"remove": func(t *rapid.T) {
				id := rapid.Uint64Range(0, 40).Draw(t, "id")
				l.remove(id)
				delete(want, id)
			},
			"": func(t *rapid.T) {
				if l.used != len(want) {
					t.Fatalf("%d used, want %d", l.used, len(want))
				}
				for id := range uint64(41) {
					slot, ok := l.get(id)
					if w, there := want[id]; ok != there || slot != w {
						t.Fatalf("%d: got %d %t, want %d %t", id, slot, ok, w, there)
					}
				}
			},
		})
	})
}

// TestAnswers compares with a map: what was answered is found until its time is over or too many came after it.
func TestAnswers(t *testing.T) {
	a := newAnswers(1000, 3000)
	s := &State{}
	key := func(i int) Key { return Key{byte(i), byte(i >> 8), byte(i >> 16), 1} }
	const n = 20_000
	for i := range n {
		a.expire(int64(i / 4))
		r := Result{Hold: HoldID(i)}
		for j := range i % 3 {
			r.Lines = append(r.Lines, Line{Unit: UnitID(i), Count: uint32(j + 1)})
			r.Units = append(r.Units, UnitID(j))
		}
		k := key(i)
		a.remember(&k, k.hash(), uint64(i), int64(i/4), &r)
		for _, back := range []int{0, 1, 2998, 2999, 3000, 3999, 4000} {
			s.units, s.picked = s.units[:0], s.picked[:0]
			at := i - back
			k := key(at)
			got, ok := s.recall(&a, &k, k.hash(), uint64(at))
			if want := at >= 0 && back < 3000; ok != want {
				t.Fatalf("answer %d after %d: found %t", back, i, ok)
			}
			if ok && (got.Hold != HoldID(at) || len(got.Lines) != at%3 || len(got.Units) != at%3 || !got.Repeated) {
				t.Fatalf("answer %d: got %+v", at, got)
			}
			if ok && at%3 == 2 && got.Lines[1] != (Line{Unit: UnitID(at), Count: 2}) {
				t.Fatalf("answer %d: got %+v", at, got.Lines)
			}
		}
	}
	last := key(n - 1)
	if r, ok := s.recall(&a, &last, last.hash(), 0); !ok || r.Refusal != RefusedMismatch {
		t.Errorf("another body: %+v", r)
	}
	if a.kept.Chunks() > 8 || len(a.keys.cur) > 8*a.limit || a.tail.Chunks() > 3 {
		t.Errorf("memory grows: %d chunks of answers, %d cells, %d chunks of words", a.kept.Chunks(), len(a.keys.cur), a.tail.Chunks())
	}
	a.expire(n)
	if a.len() != 0 {
		t.Errorf("%d answers live for ever", a.len())
	}
}

func TestFingerprintTellsBodiesApart(t *testing.T) {
	s := &State{}
	base := Command{Op: OpHold, Account: 1, Lines: []Line{{Unit: 1, Count: 1}}}
	seen := map[uint64]bool{s.fingerprint(&base): true}
	for _, change := range []func(*Command){
		func(c *Command) { c.Op = OpHoldChange },
		func(c *Command) { c.Account = 2 },
		func(c *Command) { c.Lines = []Line{{Unit: 1, Count: 2}} },
		func(c *Command) { c.Lines, c.Drop = nil, c.Lines },
		func(c *Command) { c.Best.Scatter = true },
		func(c *Command) { c.Text = "a" },
		func(c *Command) { c.Ref = "a" },
	} {
		c := base
		change(&c)
		seen[s.fingerprint(&c)] = true
	}
	if len(seen) != 8 {
		t.Errorf("8 bodies have %d fingerprints", len(seen))
	}
	keyed := base
	keyed.Key = Key{1}
	if s.fingerprint(&keyed) != s.fingerprint(&base) {
		t.Error("the key is part of the body's fingerprint")
	}
}
