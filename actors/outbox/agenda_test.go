package outbox

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func plenty() [lanes]int { return [lanes]int{9, 9, 9} }

func TestAgendaGivesWhatIsDueOldestFirst(t *testing.T) {
	a := newAgenda()
	for id, at := range map[uint64]int64{5: 10, 3: 30, 4: 20, 6: 99, 7: 20} {
		a.set(id, at)
	}
	a.set(4, 25) // put off, but not far enough
	a.set(7, 99)
	a.drop(5)
	if at, ok := a.next(); !ok || at != 25 {
		t.Errorf("next is %d, %v", at, ok)
	}
	if got := a.due(30, plenty(), 9); !slices.Equal(got, []uint64{3, 4}) {
		t.Errorf("due are %d", got)
	}
	if got := a.due(30, plenty(), 9); len(got) != 0 {
		t.Errorf("due a second time are %d", got)
	}
}

func TestAgendaKeepsWhoWaitsForAHandInOrder(t *testing.T) {
	a := newAgenda()
	for id := uint64(1); id <= 5; id++ {
		it := a.set(id, 1)
		it.lane, it.known = laneLetters, true
	}
	free := plenty()
	free[laneLetters] = 1
	if got := a.due(1, free, 9); !slices.Equal(got, []uint64{1}) {
		t.Fatalf("with one hand %d", got)
	}
	if _, ok := a.next(); ok {
		t.Error("who waits for a hand is due by time")
	}
	a.drop(3)
	a.set(4, 50) // not yet after all; it is read before it runs
	free[laneLetters] = 2
	if got := a.due(1, free, 9); !slices.Equal(got, []uint64{2, 4}) {
		t.Fatalf("with two hands %d", got)
	}
	if got := a.due(1, plenty(), 9); !slices.Equal(got, []uint64{5}) {
		t.Fatalf("the last is %d", got)
	}
}

// Whatever is set, dropped and begun: what is due is given exactly once, and nothing else is.
func TestAgendaModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, open := newAgenda(), map[uint64]int64{}
		id := rapid.Custom(func(t *rapid.T) uint64 { return rapid.Uint64Range(1, 9).Draw(t, "id") })
		now := int64(0)
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				k, at := id.Draw(t, "k"), now+rapid.Int64Range(-3, 9).Draw(t, "in")
				it := a.set(k, at)
				it.lane, it.known = laneID(k%uint64(lanes)), k%2 == 0
				open[k] = at
			},
			"drop": func(t *rapid.T) {
				k := id.Draw(t, "k")
				a.drop(k)
				delete(open, k)
			},
			"time": func(*rapid.T) { now++ },
			"take": func(t *rapid.T) {
				free := [lanes]int{rapid.IntRange(0, 2).Draw(t, "a"), rapid.IntRange(0, 2).Draw(t, "b"), rapid.IntRange(0, 2).Draw(t, "c")}
				for _, k := range a.due(now, free, 5) {
					if at, ok := open[k]; !ok || at > now && !a.open[k].known {
						t.Fatalf("%d is given at %d and due at %d, %v", k, now, at, ok)
					}
					if open[k] > now { // waited for a hand when it was put off
						a.set(k, open[k])
						continue
					}
					a.drop(k)
					delete(open, k)
				}
			},
		})
		now += 20
		for range 9 {
			for _, k := range a.due(now, plenty(), 5) {
				if _, ok := open[k]; !ok {
					t.Fatalf("%d is given and not open", k)
				}
				delete(open, k)
			}
		}
		if len(open) != 0 {
			t.Fatalf("never given: %v", open)
		}
	})
}
