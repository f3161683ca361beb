package bench

import (
	"reflect"
	"testing"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// kept is a journal with something in every part of it.
func kept(account string) *Journal {
	j := NewJournal(account)
	j.joining()
	j.connected()
	j.place(wire.Place{Number: 4, State: "waiting", Ahead: 3, ETA: &wire.ETA{LoMS: 1000, HiMS: 3000}})
	j.gone()
	j.connected()
	j.reconnected()
	j.retried()
	j.place(wire.Place{Number: 4, State: "offered", Deadline: 90_000, Now: 30_000})
	j.place(wire.Place{Number: 4, State: "shopping"})
	url := "http://127.0.0.1/pay"
	lines := []wire.Line{{Unit: 7, Count: 1, Row: "1", Price: wire.Money{Amount: 100, Currency: "BRL"}}}
	j.held(wire.Hold{ID: "h1-1", Expires: 80_000, Lines: lines, Total: wire.Money{Amount: 100, Currency: "BRL"}}, 1)
	j.ordered("h1-1", wire.Order{
		ID: "o1-1", State: "awaiting", Lines: lines, Total: wire.Money{Amount: 100, Currency: "BRL"}, Tickets: []string{},
		Payment: &wire.Payment{Method: "card", URL: &url},
	})
	j.bought("o1-1", []wire.Ticket{{ID: "t1", Unit: 7, Code: "x"}})
	j.leaving()
	j.orderGone("o1-9")
	return j
}

// elsewhere is the journal as it comes from a process whose clock is ahead.
func elsewhere(t *testing.T, j *Journal, ahead, unsure time.Duration) *Journal {
	t.Helper()
	began := time.Now().Add(-time.Minute).Round(0)
	b, err := j.File(began.Add(ahead))
	if err != nil {
		t.Fatal(err)
	}
	out, err := Filed(b, began, unsure)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// plain takes what JSON does not keep from the moments, which process they are of and where on earth, and moves them.
func plain(list any, shift time.Duration) any {
	strip := func(t *time.Time) {
		if !t.IsZero() {
			*t = t.Round(0).UTC().Add(shift)
		}
	}
	switch l := list.(type) {
	case []PlaceNote:
		for i := range l {
			strip(&l[i].Asked)
			strip(&l[i].Told)
			strip(&l[i].Heard)
			for k := range l[i].Guesses {
				l[i].Guesses[k].At += shift.Milliseconds()
			}
		}
	case []HoldNote:
		for i := range l {
			strip(&l[i].Told)
			strip(&l[i].Until)
		}
	case []OrderNote:
		for i := range l {
			strip(&l[i].Told)
			strip(&l[i].Until)
		}
	}
	return list
}

func TestJournalFromElsewhereIsTheSameOnItsOwnClock(t *testing.T) {
	j := kept("1")
	// Without what only this process can read of a moment, they are the same to the nanosecond.
	plain(j.places, 0)
	plain(j.holds, 0)
	plain(j.orders, 0)
	const ahead = 7 * time.Second
	got := elsewhere(t, j, ahead, time.Millisecond)
	for what, pair := range map[string][2]any{
		"places": {plain(got.Places(), 0), plain(j.Places(), -ahead)}, "holds": {plain(got.Holds(), 0), plain(j.Holds(), -ahead)},
		"orders": {plain(got.Orders(), 0), plain(j.Orders(), -ahead)}, "breaches": {got.Breaches(), j.Breaches()},
		"counts":  {[]int64{got.Reconnects(), got.Retries()}, []int64{1, 1}},
		"account": {got.Account(), "1"}, "comebacks": {len(got.Comebacks()), 1},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s are\n%+v\nwant\n%+v", what, pair[0], pair[1])
		}
	}
	if got.unsure != time.Millisecond || got.Copy().unsure != time.Millisecond {
		t.Errorf("the moments may be off by %v", got.unsure)
	}
}

// Of two processes an audit believes only what is certain in spite of their clocks.
func TestAuditKnowsHowUnsureClocksAre(t *testing.T) {
	now := time.Now()
	seat := []wire.Line{{Unit: 7, Count: 1}}
	hold := func(account, id string, from, to time.Duration) *Journal {
		j := NewJournal(account)
		j.holds = []HoldNote{{Hold: wire.Hold{ID: id, Lines: seat}, Told: now.Add(from), Until: now.Add(to)}}
		return j
	}
	place := func(account string, number uint32, asked, told time.Duration) *Journal {
		j := NewJournal(account)
		j.places = []PlaceNote{{Number: number, Asked: now.Add(asked), Told: now.Add(told)}}
		return j
	}
	for _, tt := range []struct {
		name   string
		a, b   *Journal
		unsure time.Duration
		broken bool
	}{
		{"a seat twice", hold("1", "h1", 0, 100), hold("2", "h2", 50, 200), 0, true},
		{"a seat perhaps twice", hold("1", "h1", 0, 100), hold("2", "h2", 50, 200), 30, false},
		{"a seat twice for longer than clocks are off", hold("1", "h1", 0, 1000), hold("2", "h2", 50, 2000), 30, true},
		{"a seat for an instant", hold("1", "h1", 0, 1000), hold("2", "h2", 50, 50), 30, false},
		{"overtaken", place("1", 5, 0, 10), place("2", 4, 20, 30), 0, true},
		{"perhaps overtaken", place("1", 5, 0, 10), place("2", 4, 20, 30), 6, false},
		{"overtaken by more than clocks are off", place("1", 5, 0, 10), place("2", 4, 50, 60), 6, true},
	} {
		a, b := elsewhere(t, tt.a, 0, tt.unsure), elsewhere(t, tt.b, 0, tt.unsure)
		if err := Audit([]*Journal{a, b}); (err != nil) != tt.broken {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func FuzzFiled(f *testing.F) {
	b, err := kept("1").File(time.Now())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"breaches":[{"promise":99}]}`))
	f.Add([]byte(`{"places":[{"Guesses":[{"At":1}],"Asked":-5}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		j, err := Filed(data, time.Now(), time.Millisecond)
		if err != nil {
			return
		}
		Checks([]*Journal{j}, wire.Ledger{}, nil)
		Fairness(map[string][]*Journal{"": {j}})
	})
}
