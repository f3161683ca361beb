package bench

import (
	"slices"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// turn notes what a place's new state means for its turn; the old one is still n.State.
func (n *PlaceNote) turn(p wire.Place, now time.Time, left bool) {
	switch p.State {
	case "offered":
		if n.Offered != 0 {
			return
		}
		n.Offered, n.Heard = p.Deadline, now
		if p.Now != 0 && p.Deadline > p.Now {
			n.Left = int64(p.Deadline - p.Now)
		}
	case "shopping":
		n.Shopped = true
	default:
		if n.State == "offered" && !left && p.State != "removed" {
			n.Lapsed++
		}
	}
}

// Guess is a wait that the fan was promised.
type Guess struct {
	At   int64 // when it was heard, Unix ms
	Wait int64 // ms: the middle of the range that was shown
}

// maxGuesses bounds what is kept of one place's.
const maxGuesses = 16

// guesses thins a stream of guesses out to at most maxGuesses that lie evenly in it: when there are too many, every
// other one goes, and from there only every second, fourth, eighth … is taken.
type guesses struct{ seen, shift uint32 }

func (g *guesses) add(list []Guess, eta *wire.ETA, now time.Time) []Guess {
	if eta == nil || eta.OverHour {
		return list
	}
	n := g.seen
	g.seen++
	if n&(1<<g.shift-1) != 0 {
		return list
	}
	if len(list) == maxGuesses {
		for i := range maxGuesses / 2 {
			list[i] = list[2*i]
		}
		list = list[:maxGuesses/2]
		if g.shift++; n&(1<<g.shift-1) != 0 {
			return list
		}
	}
	return append(list, Guess{now.UnixMilli(), eta.LoMS + (eta.HiMS-eta.LoMS)/2})
}

// clonePlaces copies places so that the journal may go on.
func clonePlaces(places []PlaceNote) []PlaceNote {
	out := slices.Clone(places)
	for i := range out {
		out[i].Guesses = slices.Clone(out[i].Guesses)
	}
	return out
}
