package api

import (
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/directory/throttle"
)

// Pace bounds how often one caller may ask. Nothing is shared between nodes, and memory is bounded.
type Pace struct {
	// Shopping is for one account: queue, seats, holds, orders and tickets, over HTTP and the live socket together.
	// Zero: 30 in a row, then 10 a second.
	Shopping throttle.Rate
	// Reading is for one address without a session. It is generous, since a mobile carrier puts thousands of people
	// behind one. Zero: 3,000 in a row, then 300 a second.
	Reading throttle.Rate
	// Virtual fans of a rehearsal are bounded too. Without it a load test runs as fast as it can.
	Virtual bool
}

// pacedKeys accounts and as many addresses are remembered, 8 MiB each at the most.
const pacedKeys = 1 << 17

type pace struct {
	shopping *throttle.Limiter
	reading  *throttle.Limiter
	virtual  bool
}

func newPace(p Pace) pace {
	if p.Shopping == (throttle.Rate{}) {
		p.Shopping = throttle.Rate{Count: 30, Per: 3 * time.Second}
	}
	if p.Reading == (throttle.Rate{}) {
		p.Reading = throttle.Rate{Count: 3000, Per: 10 * time.Second}
	}
	return pace{
		shopping: throttle.New(p.Shopping, pacedKeys), reading: throttle.New(p.Reading, pacedKeys), virtual: p.Virtual,
	}
}

// shop counts one operation of an account; otherwise it says when the next one may come.
func (p *pace) shop(who directory.Person, now time.Time) (time.Duration, bool) {
	if who.Virtual && !p.virtual {
		return 0, true
	}
	return p.shopping.Allow(strconv.FormatUint(uint64(who.Account), 10), now)
}

// read counts one request of somebody who is not signed in.
func (p *pace) read(from netip.Addr, now time.Time) (time.Duration, bool) {
	return p.reading.Allow(throttle.AddressKey(from), now)
}

// keepPace refuses a request that comes too soon after the others of its caller.
func (s *Server) keepPace(r *request, a access) error {
	wait, ok, by := time.Duration(0), true, "account"
	switch {
	case r.person.Account == 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		by = "address"
		wait, ok = s.pace.read(s.o.Address(r.Request), s.o.Now())
	case r.person.Account != 0 && a.paced:
		wait, ok = s.pace.shop(r.person, s.o.Now())
	}
	if !ok {
		s.metrics.paced.WithLabelValues(by).Inc()
		return s.tooMany(wait, r.lang)
	}
	return nil
}
