package sale

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/catraca/catraca/actors/sale/queue"
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

// TestAnswers compares with a list: what was answered is found until its time is over or too many came after it.
func TestAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const life, limit = 1000, 700
		a := newAnswers(life, limit)
		type told struct {
			result Result
			until  int64
		}
		var all []told
		key := func(i int) Key { return Key{byte(i), byte(i >> 8), byte(i >> 16), 1, 15: byte(i)} }
		s, now := &State{}, int64(1)
		t.Repeat(map[string]func(*rapid.T){
			"tell": func(t *rapid.T) {
				for range rapid.IntRange(1, 300).Draw(t, "n") {
					i := len(all)
					r := Result{Hold: HoldID(i), At: int64(i % 5), Place: queue.Place(i % 2), Adjacent: i%7 == 0}
					for j := range i % 4 {
						r.Lines = append(r.Lines, Line{Unit: UnitID(i + j), Count: uint32(1 + i%3/2*j)})
					}
					if i%11 == 0 {
						r.Units = []UnitID{UnitID(i), 3}
					}
					k := key(i)
					found, spot := a.find(&k, k.hash())
					if found != nil {
						t.Fatalf("answer %d is there before it was given", i)
					}
					a.remember(&k, k.hash(), uint64(i), spot, now+life, &r)
					r.Repeated = true
					all = append(all, told{r, now + life})
				}
			},
			"wait": func(t *rapid.T) {
				now += int64(rapid.SampledFrom([]int{1, 10, 400}).Draw(t, "ms"))
				a.expire(now)
			},
			"": func(t *rapid.T) {
				live := 0
				for i, want := range all {
					if i < len(all)-(limit+2*markAnswers+50) {
						continue // long gone
					}
					k := key(i)
					found, _ := a.find(&k, k.hash())
					switch {
					case found == nil && want.until > now && len(all)-i <= limit:
						t.Fatalf("answer %d of %d is forgotten", i, len(all))
					case found == nil:
						continue
					case want.until <= now || len(all)-i > limit+2*markAnswers:
						t.Fatalf("answer %d of %d, good until %d, is there at %d", i, len(all), want.until, now)
					}
					live++
					if i%16 != 0 && i < len(all)-16 {
						continue
					}
					var got Result
					s.units, s.picked = s.units[:0], s.picked[:0]
					if s.recall(found, uint64(i), &got); !bytes.Equal(AppendResult(nil, &got), AppendResult(nil, &want.result)) {
						t.Fatalf("answer %d: got %+v, want %+v", i, got, want.result)
					}
				}
				if live != a.len() {
					t.Fatalf("%d answers are found, %d counted", live, a.len())
				}
			},
		})
	})
}

// TestAnswersStayBounded: memory is that of what is kept.
func TestAnswersStayBounded(t *testing.T) {
	a := newAnswers(1000, 3000)
	s := &State{}
	var last Key
	for i := range 50_000 {
		last = Key{byte(i), byte(i >> 8), byte(i >> 16), 1, 15: byte(i)}
		_, spot := a.find(&last, last.hash())
		a.remember(&last, last.hash(), uint64(i), spot, int64(i), &Result{Hold: HoldID(i)})
	}
	found, _ := a.find(&last, last.hash())
	var r Result
	if s.recall(found, 0, &r); r.Refusal != RefusedMismatch {
		t.Errorf("another body: %+v", r)
	}
	if a.words.Chunks() > 4 || a.marks.Chunks() > 3 || len(a.keys.cur.numbers) > 8*a.limit {
		t.Errorf("memory grows: %d chunks of words, %d of marks, %d places for keys", a.words.Chunks(), a.marks.Chunks(), len(a.keys.cur.numbers))
	}
	a.expire(50_000)
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
