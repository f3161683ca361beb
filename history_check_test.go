package catraca

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// telling builds a history by hand: every operation takes one millisecond and follows the one before.
type telling struct {
	at  time.Duration
	all []operation
}

func (s *telling) add(o operation) *telling {
	s.at += 2 * time.Millisecond
	o.call, o.ret = s.at, s.at+time.Millisecond
	if o.outcome == unknown {
		o.ret = endless
	}
	s.all = append(s.all, o)
	return s
}

func (s *telling) took(account, hold string, seats ...uint32) *telling {
	return s.add(operation{account: account, deed: deedHold, outcome: done, hold: hold, seats: seats})
}

func (s *telling) gave(account, hold string, seats ...uint32) *telling {
	return s.add(operation{account: account, deed: deedRelease, outcome: done, hold: hold, seats: seats})
}

func (s *telling) refused(account string, taken []uint32, seats ...uint32) *telling {
	return s.add(operation{account: account, deed: deedHold, outcome: no, taken: taken, seats: seats})
}

func (s *telling) looked(account, hold string, seats ...uint32) *telling {
	return s.add(operation{account: account, deed: deedLook, outcome: done, hold: hold, seats: seats})
}

func (s *telling) sold(account, hold string, seats ...uint32) *telling {
	s.add(operation{account: account, deed: deedOrder, outcome: done, hold: hold, seats: seats})
	return s.add(operation{account: account, deed: deedSale, outcome: done, hold: hold, seats: seats})
}

func (s *telling) sees(states string) *telling {
	return s.add(operation{account: "nobody", deed: deedSeats, outcome: done, states: states})
}

func TestHistoryCheckFindsWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name string
		s    *telling
		want string // in the error; empty: none
	}{
		{"nothing happened", new(telling), ""},
		{"taken, given back, taken by another", new(telling).took("a", "h1", 0, 1).gave("a", "h1", 0, 1).took("b", "h2", 1, 2).sees("fhhf"), ""},
		{"refused for one of two", new(telling).took("a", "h1", 0).refused("b", []uint32{0}, 0, 1).took("b", "h2", 1), ""},
		{"sold", new(telling).took("a", "h1", 0).sold("a", "h1", 0).refused("b", []uint32{0}, 0).took("a", "h2", 1).sees("sh"), ""},
		{"unknown hold happened", new(telling).add(operation{account: "a", deed: deedHold, outcome: unknown, seats: []uint32{0}}).refused("b", []uint32{0}, 0), ""},
		{"unknown hold did not happen", new(telling).add(operation{account: "a", deed: deedHold, outcome: unknown, seats: []uint32{0}}).took("b", "h1", 0), ""},
		{"unknown release happened late", new(telling).took("a", "h1", 0).add(operation{account: "a", deed: deedRelease, outcome: unknown, hold: "h1", seats: []uint32{0}}).looked("a", "h1", 0).took("b", "h2", 0), ""},
		{"own hold seen", new(telling).took("a", "h1", 0).looked("a", "h1", 0).gave("a", "h1", 0).looked("a", ""), ""},
		{"second hold refused", new(telling).took("a", "h1", 0).add(operation{account: "a", deed: deedHold, outcome: no, other: "h1", seats: []uint32{5}}), ""},

		{"double hold", new(telling).took("a", "h1", 0, 1).took("b", "h2", 1, 2), "seat 1"},
		{"double sale", new(telling).took("a", "h1", 0).sold("a", "h1", 0).took("b", "h2", 0).sold("b", "h2", 0), "seat 0"},
		{"lost hold, seen by nobody but the map", new(telling).took("a", "h1", 0).sees("f"), "seat 0"},
		{"lost hold, seen by its owner", new(telling).took("a", "h1", 0).looked("a", ""), "account a"},
		{"lost hold, refused as gone", new(telling).took("a", "h1", 0).add(operation{account: "a", deed: deedRelease, outcome: no, hold: "h1", seats: []uint32{0}}), "seat 0"},
		{"lost sale", new(telling).took("a", "h1", 0).sold("a", "h1", 0).sees("h"), "seat 0"},
		{"given back and still in the way", new(telling).took("a", "h1", 0).gave("a", "h1", 0).refused("b", []uint32{0}, 0), "seat 0"},
		{"in the way without a hold", new(telling).refused("b", []uint32{0}, 0, 1), "seat 0"},
		{"not in the way with a hold", new(telling).took("a", "h1", 0, 1).refused("b", []uint32{0}, 0, 1), "seat 1"},
		{"two holds of one account", new(telling).took("a", "h1", 0).took("a", "h2", 1), "account a"},
		{"given back twice", new(telling).took("a", "h1", 0).gave("a", "h1", 0).gave("a", "h1", 0), "seat 0"},
		{"canceled after it was sold", new(telling).took("a", "h1", 0).sold("a", "h1", 0).add(operation{account: "a", deed: deedCancel, outcome: done, hold: "h1", seats: []uint32{0}}), "seat 0"},
		{"half a hold", new(telling).add(operation{account: "a", deed: deedBest, outcome: done, hold: "h1", count: 2, seats: []uint32{0}}), "2 seats were asked for"},
		{"one seat twice in a hold", new(telling).add(operation{account: "a", deed: deedBest, outcome: done, hold: "h1", count: 2, seats: []uint32{3, 3}}), "2 seats were asked for"},
		{"another seat in the way", new(telling).refused("a", []uint32{7}, 0), "seat 7"},
		{"best seats never told", new(telling).add(operation{account: "a", deed: deedBest, outcome: unknown, count: 2}), "nobody knows"},
	} {
		v, err := check(c.s.all)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		case v.operations != len(c.s.all):
			t.Errorf("%s: %d operations were checked", c.name, v.operations)
		}
	}
}

// market makes a history of shoppers who work on one map of seats, each operation at a moment within its time.
type market struct {
	random *rand.Rand
	seat   []string // hold, empty: free
	holds  int
	has    map[string]operation // by account
	all    []operation
}

// trade does one operation of an account, a millisecond after the one before, and answers up to 20 ms later.
func (m *market) trade(account string) {
	at := time.Duration(len(m.all)) * time.Millisecond
	o := operation{account: account, outcome: done, call: at, ret: at + time.Duration(m.random.IntN(20_000))*time.Microsecond}
	held, has := m.has[account]
	switch {
	case has && m.random.IntN(3) == 0:
		o.deed, o.hold, o.seats = deedLook, held.hold, held.seats
	case has:
		o.deed, o.hold, o.seats = deedRelease, held.hold, held.seats
		for _, s := range held.seats {
			m.seat[s] = ""
		}
		delete(m.has, account)
	default:
		o.deed = deedHold
		for _, s := range m.random.Perm(len(m.seat))[:1+m.random.IntN(4)] {
			o.seats = append(o.seats, uint32(s)) //nolint:gosec // few
			if m.seat[s] != "" {
				o.taken = append(o.taken, uint32(s)) //nolint:gosec // few
			}
		}
		if len(o.taken) > 0 {
			o.outcome = no
			break
		}
		m.holds++
		o.hold = fmt.Sprintf("h%d", m.holds)
		for _, s := range o.seats {
			m.seat[s] = o.hold
		}
		m.has[account] = o
	}
	m.all = append(m.all, o)
}

// A long history of many shoppers on few seats gets its verdict fast, and one stolen seat in it is found.
func TestHistoryCheckIsFast(t *testing.T) {
	const shoppers, seats, each = 24, 40, 800
	m := &market{random: rand.New(rand.NewPCG(7, 7)), seat: make([]string, seats), has: make(map[string]operation)} //nolint:gosec // repeatable
	for range each {
		for s := range shoppers {
			m.trade(fmt.Sprintf("a%d", s))
		}
	}
	v, err := check(m.all)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d operations on %d seats by %d accounts in %v", v.operations, v.seats, v.accounts, v.took)
	stolen := 0
	for i := len(m.all) / 2; i < len(m.all); i++ {
		if o := m.all[i]; o.deed == deedHold && o.outcome == no { // it is given a seat that somebody has
			m.all[i].outcome, m.all[i].hold, m.all[i].taken = done, "stolen", nil
			stolen++
			break
		}
	}
	if _, err := check(m.all); err == nil || stolen != 1 {
		t.Errorf("%d stolen holds, and the check says %v", stolen, err)
	} else if !strings.Contains(err.Error(), "stolen") {
		t.Errorf("the stolen hold is not told: %v", err)
	}
}
