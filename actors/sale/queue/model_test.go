package queue

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// model is the queue as one would explain it: a list of places, everything counted by walking it.
type model struct {
	p      Policy
	clock  int64
	places []modelPlace
	tokens uint64
	x      Exposure
	log    []Transition
}

type modelPlace struct {
	account       uint64
	state         State
	joined        int64
	deadline, cap int64
	turned        bool // its turn has come at least once
	misses        int
}

func newModel(p Policy) *model {
	p = p.WithDefaults()
	return &model{p: p, tokens: uint64(p.Burst) * 60_000}
}

func (m *model) count(states ...State) (n uint32) {
	for _, pl := range m.places {
		for _, s := range states {
			if pl.state == s {
				n++
			}
		}
	}
	return n
}

func (m *model) tick(now int64) {
	if now <= m.clock {
		return
	}
	dt := uint64(now - m.clock)
	m.x.ActiveMs += dt * uint64(m.count(Offered, Shopping))
	m.x.WaitingMs += dt * uint64(m.count(Waiting, Away))
	m.tokens = min(uint64(m.p.Burst)*60_000, m.tokens+dt*uint64(m.p.RatePerMinute))
	m.clock = now
}

func (m *model) set(i int, to State, deadline, limit int64) {
	pl := &m.places[i]
	if pl.state.active() && !to.active() {
		m.x.Ends++
	}
	m.log = append(m.log, Transition{Place(i + 1), pl.account, pl.state, to, deadline})
	pl.state, pl.deadline, pl.cap = to, deadline, limit
}

func (m *model) find(account uint64) int {
	for i, v := range slices.Backward(m.places) {
		if v.account == account {
			return i
		}
	}
	return -1
}

func (m *model) join(account uint64) (Place, Refusal) {
	if i := m.find(account); i >= 0 {
		pl := m.places[i]
		switch {
		case pl.state == Removed:
			return 0, Barred
		case pl.state == Parked && pl.deadline <= m.clock:
			m.set(i, Left, 0, 0)
		case pl.state.Live():
			m.back(account)
			return Place(i + 1), None
		}
	}
	if len(m.places) >= int(m.p.MaxPlaces) {
		return 0, Full
	}
	m.places = append(m.places, modelPlace{account: account, joined: m.clock})
	m.set(len(m.places)-1, Waiting, 0, 0)
	return Place(len(m.places)), None
}

func (m *model) back(account uint64) bool {
	i := m.find(account)
	if i < 0 {
		return false
	}
	pl := m.places[i]
	if pl.state == Parked && pl.deadline > m.clock {
		m.x.Returns++
	} else if pl.state != Away {
		return false
	}
	m.set(i, Waiting, 0, 0)
	return true
}

func (m *model) away(account uint64) bool {
	i := m.find(account)
	if i < 0 || m.places[i].state != Waiting {
		return false
	}
	m.set(i, Away, 0, 0)
	return true
}

func (m *model) drop(account uint64, to State) bool {
	i := m.find(account)
	if i < 0 || to == Left && !m.places[i].state.Live() || m.places[i].state == Removed {
		return false
	}
	if m.places[i].state.inLine() {
		m.x.Leaves++
	}
	m.set(i, to, 0, 0)
	return true
}

func (m *model) claim(account uint64) (int64, Refusal) {
	i := m.find(account)
	if i < 0 {
		return 0, NoPlace
	}
	pl := m.places[i]
	late := pl.deadline <= m.clock
	switch {
	case pl.state == Offered && !late:
		m.x.Claims++
		m.set(i, Shopping, m.clock+m.p.LeaseMs, m.clock+m.p.LeaseCapMs)
		return m.clock + m.p.LeaseMs, None
	case pl.state == Shopping && !late:
		return pl.deadline, None
	case pl.state == Shopping || pl.state == Done:
		return 0, Ended
	case pl.state == Left:
		return 0, NoPlace
	case pl.state == Removed:
		return 0, Barred
	}
	return 0, NotOffered
}

func (m *model) touch(account uint64, until int64) int64 {
	i := m.find(account)
	if i < 0 || m.places[i].state != Shopping || m.places[i].deadline <= m.clock {
		return 0
	}
	pl := &m.places[i]
	pl.deadline = max(pl.deadline, min(until, pl.cap))
	return pl.deadline
}

func (m *model) finish(account uint64) bool {
	i := m.find(account)
	if i < 0 || m.places[i].state != Shopping {
		return false
	}
	m.set(i, Done, 0, 0)
	return true
}

func (m *model) advance(open bool, stock uint32) {
	for {
		next := -1
		for i, pl := range m.places {
			if pl.state.timed() && pl.deadline <= m.clock && (next < 0 || pl.deadline < m.places[next].deadline) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		pl := &m.places[next]
		switch pl.state {
		case Offered:
			m.x.NoShows++
			if pl.misses++; pl.misses < MaxMisses {
				m.set(next, Parked, m.clock+m.p.ParkGraceMs, 0)
			} else {
				m.set(next, Left, 0, 0)
			}
		case Shopping:
			m.set(next, Done, 0, 0)
		case Parked:
			m.set(next, Left, 0, 0)
		}
	}
	for i := 0; open && m.p.RatePerMinute > 0 && i < len(m.places); i++ {
		active := m.count(Offered, Shopping)
		if active >= m.p.ActiveCap || active >= stock || m.tokens < 60_000 {
			return
		}
		switch m.places[i].state {
		case Waiting:
			m.tokens -= 60_000
			m.places[i].turned = true
			m.set(i, Offered, m.clock+m.p.ClaimMs, 0)
		case Away:
			m.x.Passed++
			m.places[i].turned = true
			m.set(i, Parked, m.clock+m.p.ParkGraceMs, 0)
		}
	}
}

// ahead counts those served before place p: the returned before a returned one, the line before one in line.
// What somebody who left before the turn would see does not matter, but has to be the same everywhere.
func (m *model) ahead(p Place) (n uint32) {
	turned := false
	for _, pl := range m.places[min(int(p)-1, len(m.places)):] {
		turned = turned || pl.turned
	}
	for i := 0; i < int(p)-1 && i < len(m.places); i++ {
		if pl := m.places[i]; pl.state.inLine() && pl.turned == turned {
			n++
		}
	}
	return n
}

// machine drives a queue and its model with the same calls.
type machine struct {
	q     *Queue
	m     *model
	now   int64
	open  bool
	stock uint32

	ceiling uint32           // what offered + shopping may be at most since the cap was last lowered
	shown   map[Place]uint32 // last number ahead of each place in line
}

func (s *machine) account(t *rapid.T) uint64 { return rapid.Uint64Range(1, 30).Draw(t, "account") }

func (s *machine) step(t *rapid.T) {
	s.now += rapid.SampledFrom([]int64{0, 0, 1, 70, 900, 4_000, -50}).Draw(t, "dt")
	s.m.tick(s.now)
}

func same[T comparable](t *rapid.T, what string, got, want T) {
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// actions are what rapid chooses from; "" follows each.
func (s *machine) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"join":   s.join,
		"claim":  s.claim,
		"touch":  s.touch,
		"away":   s.onAccount("away", (*Queue).Away, s.m.away),
		"back":   s.onAccount("back", (*Queue).Back, s.m.back),
		"leave":  s.onAccount("leave", (*Queue).Leave, func(a uint64) bool { return s.m.drop(a, Left) }),
		"finish": s.onAccount("finish", (*Queue).Finish, s.m.finish),
		"remove": func(t *rapid.T) {
			if rapid.IntRange(0, 3).Draw(t, "really") == 0 {
				s.onAccount("remove", (*Queue).Remove, func(a uint64) bool { return s.m.drop(a, Removed) })(t)
			}
		},
		"advance": func(t *rapid.T) {
			s.step(t)
			s.advance()
		},
		"advance when due": s.advanceWhenDue,
		"switch": func(t *rapid.T) {
			s.open = rapid.Bool().Draw(t, "open")
			s.stock = rapid.SampledFrom([]uint32{0, 1, 3, 1_000}).Draw(t, "stock")
		},
		"rate":    s.rate,
		"restore": s.restore,
		"":        s.check,
	}
}

func (s *machine) onAccount(name string, q func(*Queue, uint64, int64) bool, m func(uint64) bool) func(*rapid.T) {
	return func(t *rapid.T) {
		s.step(t)
		a := s.account(t)
		same(t, name, q(s.q, a, s.now), m(a))
	}
}

func (s *machine) join(t *rapid.T) {
	s.step(t)
	a := s.account(t)
	p, r := s.q.Join(a, s.now)
	wp, wr := s.m.join(a)
	same(t, "place", p, wp)
	same(t, "refusal", r, wr)
}

func (s *machine) claim(t *rapid.T) {
	s.step(t)
	a := s.account(t)
	d, r := s.q.Claim(a, s.now)
	wd, wr := s.m.claim(a)
	same(t, "deadline", d, wd)
	same(t, "refusal", r, wr)
}

func (s *machine) touch(t *rapid.T) {
	s.step(t)
	a := s.account(t)
	until := s.now + rapid.Int64Range(-1_000, 30_000).Draw(t, "until")
	same(t, "touch", s.q.Touch(a, s.now, until), s.m.touch(a, until))
}

func (s *machine) rate(t *rapid.T) {
	s.step(t)
	rate := rapid.SampledFrom([]uint32{0, 30, 600, 60_000}).Draw(t, "rate")
	limit := rapid.SampledFrom([]uint32{0, 1, 3, 8}).Draw(t, "cap")
	s.q.SetRate(rate, limit, s.now)
	if s.m.p.Burst == oneSecond(s.m.p.RatePerMinute) {
		s.m.p.Burst = oneSecond(rate)
	}
	s.m.p.RatePerMinute, s.m.p.ActiveCap = rate, limit
	s.m.tokens = min(s.m.tokens, uint64(s.m.p.Burst)*60_000)
	s.ceiling = s.m.count(Offered, Shopping)
}

// restore goes on with a queue read from a snapshot that stands between other bytes.
func (s *machine) restore(t *rapid.T) {
	b := s.q.AppendBinary([]byte{7})
	restored, n, err := Restore(append(b[1:], 9, 9))
	if err != nil || n != len(b)-1 {
		t.Fatalf("restore: %d of %d bytes, %v", n, len(b)-1, err)
	}
	restored.transitions = append(restored.transitions, s.q.transitions...)
	s.q = restored
}

func (s *machine) advance() {
	s.q.Advance(s.now, s.open, s.stock)
	s.m.tick(s.now)
	s.m.advance(s.open, s.stock)
}

// advanceWhenDue shows that nothing happens before Due and something at it.
func (s *machine) advanceWhenDue(t *rapid.T) {
	due := s.q.Due(s.now, s.open, s.stock)
	if due == Never {
		s.now += 10_000_000
		s.advance()
		same(t, "transitions although never due", len(s.m.log), len(s.q.transitions))
		return
	}
	settled := max(s.now, s.m.clock)
	if due > settled {
		n := len(s.q.transitions)
		s.now = due - 1
		s.advance()
		same(t, "transitions before due", len(s.q.transitions), n)
		s.now = due
	}
	n := len(s.q.transitions)
	s.advance()
	if len(s.q.transitions) == n {
		t.Fatalf("nothing happened at %d, when it was due", due)
	}
}

func (s *machine) check(t *rapid.T) {
	if err := s.q.Verify(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(s.m.log, s.q.Transitions(), cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("transitions (-model +queue):\n%s", d)
	}
	s.checkFair(t)
	s.m.log = s.m.log[:0]
	s.q.ClearTransitions()
	same(t, "exposure", s.q.Exposure(), s.m.x)
	same(t, "policy", s.q.Policy(), s.m.p)
	v := s.q.View()
	var returned uint32
	for i, pl := range s.m.places {
		p := Place(i + 1)
		same(t, fmt.Sprintf("ahead of %d", p), s.q.Ahead(p), s.m.ahead(p))
		same(t, fmt.Sprintf("ahead of %d in the view", p), v.Ahead(p), s.m.ahead(p))
		if pl.turned && pl.state.inLine() {
			returned++
		}
		s.checkShown(t, p, pl)
		if s.m.find(pl.account) != i {
			continue
		}
		want := Info{Place: p, Account: pl.account, State: pl.state, Deadline: pl.deadline, Cap: pl.cap, JoinedAt: pl.joined}
		if pl.state.inLine() || pl.state == Parked {
			want.Ahead = s.m.ahead(p)
		}
		got, _ := s.q.Lookup(pl.account)
		same(t, "lookup", got, want)
		same(t, "shopping", s.q.Shopping(pl.account), pl.state == Shopping)
	}
	same(t, "counts", s.q.Counts(), Counts{
		Waiting: s.m.count(Waiting), Away: s.m.count(Away), Offered: s.m.count(Offered), Shopping: s.m.count(Shopping),
		Parked: s.m.count(Parked), Done: s.m.count(Done), Left: s.m.count(Left), Removed: s.m.count(Removed),
		Issued: uint32(len(s.m.places)), Returned: returned,
	})
}

// checkFair looks at what happened without the model: I14 nobody overtakes, I16 the cap holds and lowering it sends nobody out.
func (s *machine) checkFair(t *rapid.T) {
	active := s.m.count(Offered, Shopping)
	if active > max(s.m.p.ActiveCap, s.ceiling) {
		t.Fatalf("%d offered and shopping, cap %d, %d when it was lowered", active, s.m.p.ActiveCap, s.ceiling)
	}
	s.ceiling = min(s.ceiling, active)
	for _, tr := range s.q.Transitions() {
		if tr.To != Offered && (tr.From != Away || tr.To != Parked) {
			continue
		}
		for i, pl := range s.m.places[:tr.Place-1] {
			if pl.state.inLine() {
				t.Fatalf("place %d had its turn while %d was %s", tr.Place, i+1, pl.state)
			}
		}
	}
}

// checkShown: the number ahead of a place in line never rises (I14); one live place for each account (I15).
func (s *machine) checkShown(t *rapid.T, p Place, pl modelPlace) {
	if pl.state.Live() && s.m.find(pl.account) != int(p)-1 {
		t.Fatalf("place %d is %s beside another of the same account", p, pl.state)
	}
	if !pl.state.inLine() || pl.turned {
		delete(s.shown, p)
		return
	}
	n := s.q.Ahead(p)
	if last, ok := s.shown[p]; ok && n > last {
		t.Fatalf("ahead of %d rose from %d to %d", p, last, n)
	}
	s.shown[p] = n
}

func TestQueueAgreesWithModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Policy{
			RatePerMinute: rapid.SampledFrom([]uint32{60, 600, 60_000}).Draw(t, "rate"),
			Burst:         rapid.SampledFrom([]uint32{0, 1, 5}).Draw(t, "burst"),
			ActiveCap:     rapid.Uint32Range(1, 6).Draw(t, "cap"),
			ClaimMs:       rapid.SampledFrom([]int64{1_000, 5_000}).Draw(t, "claim"),
			LeaseMs:       rapid.SampledFrom([]int64{1_000, 9_000}).Draw(t, "lease"),
			LeaseCapMs:    rapid.SampledFrom([]int64{9_000, 20_000}).Draw(t, "lease cap"),
			ParkGraceMs:   rapid.SampledFrom([]int64{1_000, 12_000}).Draw(t, "grace"),
			MaxPlaces:     rapid.SampledFrom([]uint32{10, 100_000}).Draw(t, "places"),
		}
		s := &machine{q: New(p), m: newModel(p), open: true, stock: 1_000, shown: map[Place]uint32{}}
		t.Repeat(s.actions())
	})
}
