package sale

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// taken is a frozen sale and what its snapshot has to be.
type taken struct {
	frozen *Frozen
	hash   [32]byte
}

func (x *taken) check(t rapid.TB) {
	h := sha256.New()
	if err := x.frozen.EachPart(func(b []byte) error { h.Write(b); return nil }); err != nil {
		t.Fatal(err)
	}
	if [32]byte(h.Sum(nil)) != x.hash || sha256.Sum256(x.frozen.AppendSnapshot(nil)) != x.hash {
		t.Fatal("a frozen sale changed")
	}
}

// deeds is what everybody in a world does.
func (w *world) deeds() []func() {
	return []func(){
		w.fans, w.fans, w.shop, w.shop, w.alter, w.payer, w.payer, func() { w.outbox(true) }, func() { w.outbox(true) }, w.echo, w.pass,
		w.organiser, w.gate,
	}
}

// TestFreeze freezes a busy sale before every batch, or now and then, keeps some of what it froze, and goes on. Each has to
// stay as it was, and the sale has to be what it is without ever being frozen: a write that went to a shared chunk
// breaks the first, a read of a chunk that was copied since breaks the second.
func TestFreeze(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		percent := rapid.SampledFrom([]int{100, 30, 5}).Draw(t, "how often")
		var kept []taken
		w.before = func() {
			if percent < 100 && !w.chance(percent, "freeze") {
				return
			}
			hash := w.s.Hash()
			kept = append(kept, taken{w.s.Freeze(), hash})
			if len(kept) > 6 {
				i := len(kept) / 2 // both old and young ones live on
				kept[i].check(t)
				kept = slices.Delete(kept, i, i+1)
			}
		}
		deeds := w.deeds()
		for range rapid.IntRange(1, 80).Draw(t, "deeds") {
			deeds[w.pick(len(deeds), "deed")]()
		}
		for _, x := range kept {
			x.check(t)
		}
		if err := w.s.Verify(); err != nil {
			t.Fatal(err)
		}
		w.before = nil
		if w.replayed().Hash() != w.s.Hash() {
			t.Fatal("a sale that was frozen differs from one that never was")
		}
	})
}

// TestFreezeEverywhere freezes before every command of an eventful sale and keeps all of it.
func TestFreezeEverywhere(t *testing.T) {
	s, err := New(*richState(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	var kept []taken
	r := &rich{t: t, s: s, at: storyDay.UnixMilli()}
	r.before = func() {
		hash := s.Hash()
		kept = append(kept, taken{s.Freeze(), hash})
	}
	r.tell()
	for _, x := range kept {
		x.check(t)
	}
	if s.Hash() != richState(t).Hash() {
		t.Fatal("a sale that was frozen differs from one that never was")
	}
}

// TestFrozenIsReadElsewhere reads frozen sales on other goroutines while the sale writes; it is for the race detector.
func TestFrozenIsReadElsewhere(t *testing.T) {
	s := richState(t)
	at := s.Clock()
	var readers sync.WaitGroup
	for round := range 12 {
		want := s.AppendSnapshot(nil)
		f := s.Freeze()
		readers.Go(func() {
			for range 3 {
				if !bytes.Equal(f.AppendSnapshot(nil), want) {
					t.Errorf("round %d: the frozen sale changed", round)
				}
			}
		})
		at += minute
		s.Begin(s.Index()+1, at)
		for a := range AccountID(40) {
			a += AccountID(100 + 10*round)
			s.Do(&Command{Op: OpJoin, Account: a, Key: Key{byte(a), byte(round), 77}})
			s.Do(&Command{Op: OpClaim, Account: a - 20})
			s.Do(&Command{Op: OpAway, Account: a})
			s.Do(&Command{Op: OpHold, Account: a - 20, Lines: []Line{{Unit: 12, Count: 1}}, Key: Key{byte(a), byte(round), 78}})
			if h, ok := s.HoldOf(a - 20); ok {
				s.Do(&Command{Op: OpOrderOpen, Account: a - 20, Hold: h.ID})
				s.Do(&Command{Op: OpPayBegin, Account: a - 20, Order: s.OrderAt(s.Orders() - 1), Method: MethodPix})
			}
		}
		for _, x := range s.Intents(nil) {
			s.Do(&Command{Op: OpIntentFailed, Intent: x.ID, Text: "again", At: at + second})
		}
		if err := s.End(); err != nil {
			t.Fatal(err)
		}
	}
	readers.Wait()
}

func TestEachPartStops(t *testing.T) {
	f, want, n := richState(t).Freeze(), errors.New("disk full"), 0
	if err := f.EachPart(func([]byte) error { n++; return want }); !errors.Is(err, want) || n != 1 {
		t.Errorf("%d parts, %v", n, err)
	}
}
