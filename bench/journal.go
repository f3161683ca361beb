package bench

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// awayTime is how long a fan may be without a connection before its turn can pass it unseen: then it stands in
// another lane, and what it was told before is no measure any more.
const awayTime = 15 * time.Second

// maxComebacks bounds how many moments of coming back one journal keeps; later ones are not written down.
const maxComebacks = 64

// maxBreaches bounds what one journal keeps of broken promises.
const maxBreaches = 20

// Journal is what the server acknowledged to one fan, and every promise it broke towards it. It may be used from
// any goroutine; a nil Journal writes nothing down.
type Journal struct {
	account string
	unsure  time.Duration // by how much the moments may be off, of one that another process kept

	mu         sync.Mutex
	places     []PlaceNote
	holds      []HoldNote
	orders     []OrderNote
	breaches   []finding
	asked      time.Time // of the join that has not been answered yet
	lost       time.Time // when the live socket was lost; zero while connected
	comebacks  []time.Time
	left       bool // gave up by itself what it had
	guesses    guesses
	reconnects int64
	retries    int64
}

// PlaceNote is a place in the queue as the fan saw it.
type PlaceNote struct {
	Number  uint32
	Asked   time.Time // when the fan asked for it first
	Told    time.Time // when the number was heard first
	State   string    // last
	Ahead   uint32    // last, while in line
	Offered wire.Time // deadline of the first offer seen; 0: none
	Heard   time.Time // when the fan heard of that offer
	Left    int64     // what it had left by the server's clock when the server said so, in ms; 0: it did not say
	Lapsed  int       // offers that ran out before the fan shopped
	Shopped bool
	Guesses []Guess // of the wait, a sample of what the fan was shown
	Apart   bool    // was parked, or may have been unseen: others may have gone first
	Ended   bool
}

// HoldNote is a hold that was acknowledged. Between Told and Until the fan surely had it.
type HoldNote struct {
	Hold        wire.Hold
	Told, Until time.Time
	Ended       bool // given back, expired, or an order's
}

// OrderNote is an order that was acknowledged, as it was seen last.
type OrderNote struct {
	Hold        string
	Order       wire.Order
	Told, Until time.Time // between the two the fan surely had the places
	Tickets     []wire.Ticket
}

// NewJournal returns an empty journal for the fan of an account; the number is how the server's books name it.
func NewJournal(account string) *Journal { return &Journal{account: account} }

// Account whose journal this is.
func (j *Journal) Account() string { return j.account }

// Places in the order they were given; a fan that missed its turn for good has more than one.
func (j *Journal) Places() []PlaceNote {
	return read(j, func() []PlaceNote { return clonePlaces(j.places) })
}

// Holds in the order they were acknowledged.
func (j *Journal) Holds() []HoldNote {
	return read(j, func() []HoldNote { return slices.Clone(j.holds) })
}

// Orders in the order they were acknowledged.
func (j *Journal) Orders() []OrderNote {
	return read(j, func() []OrderNote { return slices.Clone(j.orders) })
}

// Breaches are the promises that were broken towards this fan, in sentences.
func (j *Journal) Breaches() []string {
	return read(j, func() (out []string) {
		for _, b := range j.breaches {
			out = append(out, b.text)
		}
		return out
	})
}

// Reconnects counts how often the live socket had to be opened again.
func (j *Journal) Reconnects() int64 { return read(j, func() int64 { return j.reconnects }) }

// Comebacks are the moments at which a lost live socket was open again, the first 64.
func (j *Journal) Comebacks() []time.Time {
	return read(j, func() []time.Time { return slices.Clone(j.comebacks) })
}

// Connected says whether the fan has a live socket, or has not had one yet.
func (j *Journal) Connected() bool { return read(j, func() bool { return j.lost.IsZero() }) }

// Retries counts how often a request had to be asked again.
func (j *Journal) Retries() int64 { return read(j, func() int64 { return j.retries }) }

func read[T any](j *Journal, fn func() T) (out T) {
	if j == nil {
		return out
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return fn()
}

// note does something to the journal, if there is one.
func (j *Journal) note(fn func(now time.Time)) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	fn(time.Now())
}

// breach is called with mu held.
func (j *Journal) breach(p promise, format string, args ...any) {
	if len(j.breaches) < maxBreaches {
		j.breaches = append(j.breaches, finding{promise: p, text: fmt.Sprintf(format, args...), at: time.Now()})
	}
}

func (j *Journal) reconnected() { j.note(func(time.Time) { j.reconnects++ }) }
func (j *Journal) retried()     { j.note(func(time.Time) { j.retries++ }) }
func (j *Journal) leaving()     { j.note(func(time.Time) { j.left = true }) }

// connected and gone keep the time without a connection.
func (j *Journal) connected() {
	j.note(func(now time.Time) {
		if n := len(j.places); n > 0 && !j.lost.IsZero() && now.Sub(j.lost) >= awayTime {
			j.places[n-1].Apart = true
		}
		if !j.lost.IsZero() && len(j.comebacks) < maxComebacks {
			j.comebacks = append(j.comebacks, now)
		}
		j.lost = time.Time{}
	})
}

func (j *Journal) gone() { j.note(func(now time.Time) { j.lost = now }) }

// joining notes when a place was asked for first.
func (j *Journal) joining() {
	j.note(func(now time.Time) {
		if n := len(j.places); j.asked.IsZero() && (n == 0 || j.places[n-1].Ended) {
			j.asked = now
		}
	})
}

// place notes what the fan was told of its place.
func (j *Journal) place(p wire.Place) {
	j.note(func(now time.Time) {
		if n := len(j.places); n == 0 || j.places[n-1].Number != p.Number {
			j.newPlace(p, now)
		}
		n := &j.places[len(j.places)-1]
		inLine := p.State == "waiting" || p.State == "away"
		if was := n.State == "waiting" || n.State == "away"; was && inLine && !n.Apart && p.Ahead > n.Ahead {
			j.breach(viewMonotonic, "place %d: the number of people ahead rose from %d to %d", n.Number, n.Ahead, p.Ahead)
		}
		if n.Ended && (inLine || p.State == "offered" || p.State == "shopping") {
			j.breach(viewMonotonic, "place %d was %s and is %s", n.Number, n.State, p.State)
		}
		n.turn(p, now, j.left)
		switch p.State {
		case "parked":
			n.Apart = true
		case "done", "left", "removed":
			n.Ended = true
		}
		n.State = p.State
		if inLine {
			n.Ahead = p.Ahead
			n.Guesses = j.guesses.add(n.Guesses, p.ETA, now)
		}
	})
}

// newPlace is called with mu held.
func (j *Journal) newPlace(p wire.Place, now time.Time) {
	asked := j.asked
	if n := len(j.places); n > 0 {
		old := &j.places[n-1]
		// While its connection was lost for long, a place may have ended unseen.
		if !old.Ended && !old.Apart {
			j.breach(nothingLost, "place %d (%s) was lost, the fan got %d instead", old.Number, old.State, p.Number)
		}
		if p.Number < old.Number {
			j.breach(viewMonotonic, "a later place has a smaller number: %d after %d", p.Number, old.Number)
		}
		if asked.IsZero() {
			asked = old.Told
		}
	}
	if asked.IsZero() {
		asked = now
	}
	j.places = append(j.places, PlaceNote{Number: p.Number, Asked: asked, Told: now, State: p.State, Ahead: p.Ahead})
	j.asked, j.guesses = time.Time{}, guesses{}
}

// Copy is the journal as it stands now, for an audit while the fan goes on.
func (j *Journal) Copy() *Journal {
	j.mu.Lock()
	defer j.mu.Unlock()
	return &Journal{
		account: j.account, unsure: j.unsure, places: clonePlaces(j.places), holds: slices.Clone(j.holds), orders: slices.Clone(j.orders),
		breaches: slices.Clone(j.breaches), comebacks: slices.Clone(j.comebacks), asked: j.asked, lost: j.lost, left: j.left, reconnects: j.reconnects, retries: j.retries,
		guesses: j.guesses,
	}
}
