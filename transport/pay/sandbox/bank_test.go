package sandbox

import (
	"testing"
	"time"
)

func TestWhatIsHeldBackCountsOnce(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(1_800_000_000+int64(s), 0) }
	var h heldTimes
	for _, x := range [][2]int{{10, 13}, {12, 15}, {20, 21}, {11, 12}, {40, 40}, {50, 49}} {
		h.add("o1-1", heldTime{from: at(x[0]), to: at(x[1])})
	}
	h.add("", heldTime{from: at(0), to: at(100)})
	h.add("o1-1", heldTime{at(60), at(64), true})
	for _, c := range []struct{ from, to, want int }{
		{0, 59, 6}, {12, 14, 2}, {14, 20, 1}, {15, 20, 0}, {21, 59, 0}, {20, 10, 0}, {0, 100, 10}, {62, 100, 2},
	} {
		if got := h.within("o1-1", at(c.from), at(c.to), true); got != time.Duration(c.want)*time.Second {
			t.Errorf("from %d to %d: %v, want %d s", c.from, c.to, got, c.want)
		}
	}
	if got := h.within("o1-1", at(0), at(100), false); got != 6*time.Second {
		t.Errorf("without the notices %v", got)
	}
	if got := h.within("o1-2", at(0), at(100), true); got != 0 {
		t.Errorf("another order was held back for %v", got)
	}
	for range 2 * maxHeldTimes {
		h.add("o1-3", heldTime{from: at(0), to: at(1)})
	}
	if len(h.list["o1-3"]) != maxHeldTimes || len(h.list) != 2 {
		t.Errorf("%d times of %d orders are kept", len(h.list["o1-3"]), len(h.list))
	}
}

func TestPayee(t *testing.T) {
	id := "pi_ABCDEFGHIJKLMNOPQRSTUVWX"
	if got := payee(brCode(id, 12_345)); got != id {
		t.Errorf("the code names %q", got)
	}
	for _, s := range []string{"", "0002", pixAddress, pixAddress + "short"} {
		if got := payee(s); got != "" {
			t.Errorf("%q names %q", s, got)
		}
	}
}
