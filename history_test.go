package catraca

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// deed is what a shopper did.
type deed string

const (
	deedHold    deed = "hold"    // of named seats
	deedBest    deed = "best"    // of the best seats there are
	deedRelease deed = "release" // of a hold
	deedOrder   deed = "order"   // of a hold: it cannot be released any more, only canceled
	deedCancel  deed = "cancel"  // of an order: the seats are free again
	deedSale    deed = "sale"    // an order is paid and has its tickets
	deedLook    deed = "look"    // at one's own hold
	deedPay     deed = "pay"     // whatever is asked on the way from an order to the tickets; not in the history
	deedSeats   deed = "seats"   // a look at every seat, when all is quiet
)

// outcome of an operation. Refused operations changed nothing and say why.
type outcome string

const (
	done    outcome = "done"
	no      outcome = "refused"
	unknown outcome = "unknown"
)

// operation is one thing that somebody did, with every repetition under the same key.
type operation struct {
	account string
	deed    deed
	seats   []uint32 // asked for; of the hold; taken, when the best ones were asked for
	count   uint32   // asked for, of the best ones
	hold    string   // its name; of a look the one that was seen, empty for none
	outcome outcome
	taken   []uint32 // by a conflict: those of the seats that were not free
	other   string   // by a refusal: the hold that the account has already
	states  string   // of deedSeats: one letter a seat

	node      string // which answered last
	tries     int
	call, ret time.Duration // since the history began; ret is endless while unknown
}

const endless = time.Duration(math.MaxInt64)

func (o operation) String() string {
	text := fmt.Sprintf("%v..%v %s: %s %s", o.call.Round(time.Microsecond), o.ret.Round(time.Microsecond), o.account, o.deed, o.outcome)
	if o.ret == endless {
		text = fmt.Sprintf("%v.. %s: %s %s", o.call.Round(time.Microsecond), o.account, o.deed, o.outcome)
	}
	if o.states != "" {
		return text + " at " + o.node
	}
	text += fmt.Sprintf(" seats %v hold %q", o.seats, o.hold)
	if len(o.taken) > 0 {
		text += fmt.Sprintf(" taken %v", o.taken)
	}
	if o.other != "" {
		text += " has " + o.other
	}
	return fmt.Sprintf("%s at %s after %d tries", text, o.node, o.tries)
}

// history is what all shoppers did. Its times are of one monotonic clock.
type history struct {
	began time.Time

	mu  sync.Mutex
	all []operation
}

func newHistory() *history { return &history{began: time.Now()} }

func (h *history) now() time.Duration { return time.Since(h.began) }

func (h *history) add(o operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, o)
}

// operations in the order of their calls.
func (h *history) operations() []operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := slices.Clone(h.all)
	slices.SortStableFunc(all, func(a, b operation) int { return cmp.Compare(a.call, b.call) })
	return all
}

// verdict is what the check of a history came to.
type verdict struct {
	operations, seats, accounts int
	took                        time.Duration
}

// checkTime bounds the search for one seat or one account; a good history takes microseconds.
const checkTime = 30 * time.Second

// check says whether the history could have happened one operation after the other, each between its call and its
// answer: seen from every seat, and from every account, which has one hold at most. That a hold is all or nothing is
// checked apart, answer by answer. A search that ends without a verdict is an error like a bad one.
func check(all []operation) (verdict, error) {
	began := time.Now()
	v := verdict{operations: len(all)}
	for _, o := range all {
		if err := whole(o); err != nil {
			return v, err
		}
	}
	seats, accounts := projected(all)
	v.seats, v.accounts = len(seats), len(accounts)
	for _, s := range sortedKeys(seats) {
		if err := linear(seatModel(), seats[s]); err != nil {
			return v, fmt.Errorf("seat %d: %w%s", s, err, narrowed(all, func(all []operation) error {
				seats, _ := projected(all)
				return linear(seatModel(), seats[s])
			}, func(o operation) bool { return slices.Contains(o.seats, s) || o.states != "" }))
		}
	}
	for _, a := range sortedKeys(accounts) {
		if err := linear(accountModel(), accounts[a]); err != nil {
			return v, fmt.Errorf("account %s: %w%s", a, err, narrowed(all, func(all []operation) error {
				_, accounts := projected(all)
				return linear(accountModel(), accounts[a])
			}, func(o operation) bool { return o.account == a }))
		}
	}
	v.took = time.Since(began)
	return v, nil
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// whole checks what one answer says by itself.
func whole(o operation) error {
	switch {
	case o.outcome == unknown && o.deed == deedBest:
		return fmt.Errorf("nobody knows which seats were taken: %v", o)
	case o.outcome == done && o.deed == deedBest && (len(o.seats) != int(o.count) || repeats(o.seats)):
		return fmt.Errorf("%d seats were asked for: %v", o.count, o)
	case o.outcome == done && (o.deed == deedHold || o.deed == deedBest) && o.hold == "":
		return fmt.Errorf("a hold without a name: %v", o)
	}
	for _, s := range o.taken {
		if !slices.Contains(o.seats, s) {
			return fmt.Errorf("seat %d is in the way and was not asked for: %v", s, o)
		}
	}
	return nil
}

func repeats(seats []uint32) bool {
	sorted := slices.Sorted(slices.Values(seats))
	return len(slices.Compact(sorted)) != len(seats)
}

// linear searches an order for the operations of one seat or account.
func linear(m porcupine.Model, steps []porcupine.Operation) error {
	switch porcupine.CheckOperationsTimeout(m, steps, checkTime) {
	case porcupine.Ok:
		return nil
	case porcupine.Illegal:
		return errors.New("no order of its operations explains their answers")
	default:
		return fmt.Errorf("no verdict on %d operations within %v", len(steps), checkTime)
	}
}

// narrowed tells the operations up to the first moment at which the history was bad already: what had no answer by
// then counts as unknown.
func narrowed(all []operation, try func([]operation) error, about func(operation) bool) string {
	all = slices.DeleteFunc(slices.Clone(all), func(o operation) bool { return !about(o) })
	slices.SortStableFunc(all, func(a, b operation) int { return cmp.Compare(a.ret, b.ret) })
	bad, began := sort.Search(len(all), func(n int) bool { return try(until(all, all[n].ret)) != nil }), time.Now()
	if bad == len(all) || time.Since(began) > checkTime {
		bad = len(all) - 1
	}
	text := ":"
	for i, o := range all {
		if i > bad && o.call <= all[bad].ret {
			text += "\n  under way: " + o.String()
		} else if i > bad-15 && i <= bad {
			text += "\n  " + o.String()
		}
	}
	return text
}

// until is the history as it was known at a moment.
func until(all []operation, at time.Duration) []operation {
	var out []operation
	for _, o := range all {
		if o.call > at {
			continue
		}
		if o.ret > at {
			o.outcome, o.ret = unknown, endless
		}
		out = append(out, o)
	}
	return out
}
