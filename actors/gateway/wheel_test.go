package gateway

import (
	"testing"

	"pgregory.net/rapid"
)

// Whoever is planned is told at the earliest beat it was planned for since it was told last, and never between.
func TestWheelTellsEachAtItsEarliestBeat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w wheel
		fans := make([]*entry, rapid.IntRange(1, 20).Draw(t, "fans"))
		due := make(map[*entry]uint64)
		for i := range fans {
			fans[i] = new(entry)
		}
		plan := func(e *entry) {
			beats := rapid.IntRange(-1, wheelSlots+10).Draw(t, "beats")
			w.plan(e, beats)
			at := w.now + uint64(min(max(beats, 1), wheelSlots-1))
			if due[e] == 0 || at < due[e] {
				due[e] = at
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"plan": func(t *rapid.T) { plan(rapid.SampledFrom(fans).Draw(t, "fan")) },
			"turn": func(t *rapid.T) {
				now := w.now + 1
				w.turn(func(e *entry) {
					if due[e] != now {
						t.Fatalf("told at beat %d, planned for %d", now, due[e])
					}
					delete(due, e)
					if rapid.Bool().Draw(t, "again") {
						plan(e)
					}
				})
				for e, at := range due {
					if at <= w.now {
						t.Fatalf("not told at beat %d", at)
					}
					_ = e
				}
			},
		})
	})
}

func TestWheelLetsGoOfAHerd(t *testing.T) {
	var w wheel
	for range 100_000 {
		w.plan(new(entry), 5)
	}
	for range wheelSlots {
		w.turn(func(e *entry) {})
	}
	for range 10 * wheelSlots {
		w.turn(func(e *entry) {})
	}
	for i, s := range w.slots {
		if cap(s) > idleSlot {
			t.Errorf("slot %d keeps room for %d", i, cap(s))
		}
	}
}
