package queue

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/catraca/catraca/actors/sale/slab"
)

// snapshotVersion is the first byte. Layout, all numbers minimal uvarints: policy (8), clock, tokens, front, exposure
// (8), issued; then per place one byte (state in the low half, misses in the high half), account, joining time as
// the difference from the place before, and where the state has them the deadline and the cap less the deadline.
const snapshotVersion = 1

// leastPlace is how many bytes a stored place has at least.
const leastPlace = 3

var (
	errShort = errors.New("the snapshot ends too early")
	errForm  = errors.New("a number is not in its shortest form")
)

// Frozen is what a snapshot has of a queue, as it was at one moment. It does not change and may be read by any number of
// goroutines.
type Frozen struct {
	policy   Policy
	exposure Exposure
	clock    int64
	tokens   uint64
	front    Place
	places   slab.View[entry]
	terms    slab.View[term]
}

func (q *Queue) frozen(places slab.View[entry], terms slab.View[term]) Frozen {
	return Frozen{
		policy: q.policy, exposure: q.exposure, clock: q.clock, tokens: q.tokens, front: q.front,
		places: places, terms: terms,
	}
}

// Freeze takes the queue as it is, without the transitions. It costs some 20 bytes per 1,000 places; changes made
// afterwards copy the chunks they touch.
func (q *Queue) Freeze() Frozen { return q.frozen(q.slab.Freeze(), q.terms.Freeze()) }

// Look is like Freeze, but good only until the next change of the queue.
func (q *Queue) Look() Frozen { return q.frozen(q.slab.View, q.terms.View) }

// AppendBinary appends the state without the transitions. Equal states give equal bytes.
func (q *Queue) AppendBinary(dst []byte) []byte {
	f := q.Look()
	return f.AppendBinary(dst)
}

// AppendBinary appends what Queue.AppendBinary would have at that moment.
func (f *Frozen) AppendBinary(dst []byte) []byte {
	dst = f.AppendHead(dst)
	for from, joined := 0, int64(0); from < f.Places(); {
		dst, from, joined = f.AppendPlaces(dst, from, f.Places(), joined)
	}
	return dst
}

// Places is how many places there are.
func (f *Frozen) Places() int { return f.places.Len() }

// AppendHead appends the stored form up to the places.
func (f *Frozen) AppendHead(dst []byte) []byte {
	dst = append(dst, snapshotVersion)
	p, x := f.policy, f.exposure
	for _, v := range [...]uint64{
		uint64(p.RatePerMinute), uint64(p.Burst), uint64(p.ActiveCap), uint64(p.MaxPlaces),
		uint64(p.ClaimMs), uint64(p.LeaseMs), uint64(p.LeaseCapMs), uint64(p.ParkGraceMs),
		uint64(f.clock), f.tokens, uint64(f.front),
		x.Ends, x.Leaves, x.Claims, x.NoShows, x.Passed, x.Returns, x.ActiveMs, x.WaitingMs,
		uint64(f.places.Len()),
	} {
		dst = binary.AppendUvarint(dst, v)
	}
	return dst
}

// AppendPlaces appends the stored form of at most n places, those from index from on. joined is what it returned for
// the places before, 0 at the start; the index it returns is the next one's.
func (f *Frozen) AppendPlaces(dst []byte, from, n int, joined int64) ([]byte, int, int64) {
	to := min(from+n, f.places.Len())
	for ; from < to; from++ {
		e := f.places.Read(from)
		dst = append(dst, byte(e.state)|e.misses<<4)
		dst = binary.AppendUvarint(dst, e.account)
		dst = binary.AppendUvarint(dst, uint64(e.joinedAt-joined))
		joined = e.joinedAt
		if e.term != 0 {
			t := f.terms.Get(int(e.term) - 1)
			dst = binary.AppendUvarint(dst, uint64(t.at))
			if e.state == Shopping {
				dst = binary.AppendUvarint(dst, uint64(t.cap-t.at))
			}
		}
	}
	return dst, from, joined
}

// reader decodes; after the first error all reads give 0.
type reader struct {
	b   []byte
	off int
	err error
}

func (r *reader) byte() byte {
	if r.err != nil || r.off >= len(r.b) {
		r.fail(errShort)
		return 0
	}
	r.off++
	return r.b[r.off-1]
}

// number reads a uvarint of at most limit.
func (r *reader) number(name string, limit uint64) uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.b[r.off:])
	switch {
	case n == 0:
		r.fail(errShort)
	case n < 0 || n > 1 && r.b[r.off+n-1] == 0:
		r.fail(errForm)
	case v > limit:
		r.fail(fmt.Errorf("%s is %d, allowed is up to %d", name, v, limit))
	}
	if r.err != nil {
		return 0
	}
	r.off += n
	return v
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Restore reads what AppendBinary wrote and says how many bytes that was. It takes memory in proportion to len(b),
// whatever b claims, and returns an error for any bytes that are not a possible state.
func Restore(b []byte) (*Queue, int, error) {
	r := &reader{b: b}
	q := empty()
	issued := q.readHead(r)
	q.accounts.reserve(min(int(issued), (len(b)-r.off)/leastPlace))
	var joined int64
	for n := uint32(0); n < issued && r.err == nil; n++ {
		joined = q.readPlace(r, joined)
	}
	if r.err != nil {
		return nil, 0, fmt.Errorf("restore queue at byte %d, place %d: %w", r.off, q.issued, r.err)
	}
	q.ceiling = q.active()
	if q.ceiling > MaxActive {
		return nil, 0, fmt.Errorf("restore queue: %d offered and shopping, allowed are up to %d", q.ceiling, MaxActive)
	}
	q.transitions = nil
	return q, r.off, nil
}

func (q *Queue) readHead(r *reader) (issued uint32) {
	const any = ^uint64(0)
	if v := r.byte(); r.err == nil && v != snapshotVersion {
		r.fail(fmt.Errorf("version %d, known is %d", v, snapshotVersion))
	}
	p, x := &q.policy, &q.exposure
	p.RatePerMinute = uint32(r.number("rate_per_minute", MaxRate))
	p.Burst = uint32(r.number("burst", MaxBurst))
	p.ActiveCap = uint32(r.number("active_cap", MaxActive))
	p.MaxPlaces = uint32(r.number("max_places", MaxMaxPlaces))
	p.ClaimMs = int64(r.number("claim", MaxDurationMs))
	p.LeaseMs = int64(r.number("lease", MaxDurationMs))
	p.LeaseCapMs = int64(r.number("lease_cap", MaxDurationMs))
	p.ParkGraceMs = int64(r.number("park_grace", MaxDurationMs))
	whole := p.clamped()
	whole.RatePerMinute, whole.ActiveCap = p.RatePerMinute, p.ActiveCap // 0 is possible by SetRate
	if r.err == nil && whole != *p {
		r.fail(errors.New("the policy is outside its bounds"))
	}
	q.clock = int64(r.number("clock", uint64(maxClock)))
	q.tokens = r.number("tokens", bucketSize(*p))
	q.front = Place(r.number("front", MaxMaxPlaces))
	for _, v := range [...]*uint64{
		&x.Ends, &x.Leaves, &x.Claims, &x.NoShows, &x.Passed, &x.Returns, &x.ActiveMs, &x.WaitingMs,
	} {
		*v = r.number("exposure", any)
	}
	issued = uint32(r.number("issued", uint64(p.MaxPlaces)))
	if r.err == nil && uint32(q.front) > issued {
		r.fail(fmt.Errorf("front is %d of %d places", q.front, issued))
	}
	return issued
}

// readPlace appends one place and returns its joining time.
func (q *Queue) readPlace(r *reader, joined int64) int64 {
	const latest = uint64(maxClock) + MaxDurationMs
	head := r.byte()
	state, misses := State(head&15), head>>4
	account := r.number("account", ^uint64(0))
	joined += int64(r.number("joined_at", uint64(q.clock-joined)))
	var t term
	if state.timed() {
		t.at = int64(r.number("deadline", latest))
	}
	if state == Shopping {
		t.cap = t.at + int64(r.number("cap", latest-uint64(t.at)))
	}
	if r.err != nil {
		return joined
	}
	p := Place(q.issued + 1)
	before := q.latest(account)
	switch {
	case state < Waiting || state > Removed:
		r.fail(fmt.Errorf("no state %d", state))
	case misses > MaxMisses || misses == MaxMisses && state.Live():
		r.fail(fmt.Errorf("%d lapsed offers, allowed are up to %d", misses, MaxMisses))
	case p > q.front && (state.timed() || state == Done || misses > 0):
		r.fail(fmt.Errorf("%s before its turn", state))
	case before != 0 && q.at(before).state != Done && q.at(before).state != Left:
		r.fail(fmt.Errorf("the account has place %d, which is %s", before, q.at(before).state))
	}
	if r.err != nil {
		return joined
	}
	q.append(account, joined, before)
	e := q.mut(p)
	e.misses = misses
	e.state = state
	q.byState[state]++
	if state.inLine() {
		q.line.set(uint32(p) - 1)
		if p <= q.front {
			q.returned++
		}
	}
	if state.timed() {
		q.arm(p, e, t)
	}
	return joined
}
