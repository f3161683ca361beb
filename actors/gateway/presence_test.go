package gateway

import (
	"slices"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/sale"
)

func TestLeaving(t *testing.T) {
	l := newLeaving(15 * time.Second)
	key := func(a sale.AccountID) fanKey { return fanKey{1, a} }
	left := func(now int64) (out []sale.AccountID) {
		l.left(now, func(k fanKey) { out = append(out, k.account) })
		return out
	}
	l.gone(key(1), 0)
	l.gone(key(2), 1000)
	l.gone(key(3), 2000)
	l.stay(key(2)) // is back at once …
	l.gone(key(2), 5000)
	l.stay(key(3)) // … and this one for good
	for _, c := range []struct {
		now  int64
		want []sale.AccountID
	}{{14_999, nil}, {15_000, []sale.AccountID{1}}, {19_999, nil}, {20_000, []sale.AccountID{2}}, {1e9, nil}} {
		if got := left(c.now); !slices.Equal(got, c.want) {
			t.Errorf("at %d left %v, want %v", c.now, got, c.want)
		}
	}
	if len(l.at) != 0 || l.queue != nil {
		t.Errorf("%d and %d are remembered", len(l.at), len(l.queue))
	}
}

func TestLaneKeepsTheNewestWord(t *testing.T) {
	l := newLane()
	a, b := fanKey{1, 1}, fanKey{1, 2}
	l.put(a, sale.OpAway, true)
	l.put(b, sale.OpBack, true)
	l.put(a, sale.OpBack, true)
	l.put(b, sale.OpAway, false) // could not be told a moment ago: what came since counts
	for _, want := range []struct {
		k  fanKey
		op sale.Op
	}{{a, sale.OpBack}, {b, sale.OpBack}} {
		if k, op, ok := l.take(); !ok || k != want.k || op != want.op {
			t.Errorf("took %v %d %t, want %v %d", k, op, ok, want.k, want.op)
		}
	}
	if _, _, ok := l.take(); ok {
		t.Error("the lane is not empty")
	}
	for i := range sale.AccountID(maxUntold) {
		l.put(fanKey{2, i}, sale.OpAway, true)
	}
	if l.put(a, sale.OpAway, true) || !l.put(fanKey{2, 7}, sale.OpBack, true) {
		t.Error("the bound is not kept, or keeps out who waits already")
	}
}
