package eventfile

import (
	"fmt"
	"strings"
	"time"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
	"github.com/catraca/catraca/config/strict"
	"github.com/catraca/catraca/transport/seating"
)

// reading is one file on its way to a sale.
type reading struct {
	f    *File
	now  time.Time
	c    sale.Config
	errs strict.Errors
}

func (r *reading) bad(path, format string, args ...any) {
	r.errs = append(r.errs, r.f.doc.Errorf(path, format, args...))
}

// Config makes what a sale is created with. plan is the seating plan's bytes, nil for a built-in sample or for areas
// alone; the event's number is left open. The report is nil without a plan. The error is a [*RefusedError].
func (f *File) Config(now time.Time, plan []byte) (*sale.Config, *seating.Report, error) {
	r := &reading{f: f, now: now}
	r.names()
	r.times()
	r.queue()
	r.limits()
	report := r.plan(plan)
	if len(r.errs) > 0 || report != nil && report.Fatal() > 0 {
		r.errs.Sort()
		refused := &RefusedError{File: r.errs}
		if report != nil && report.Fatal() > 0 {
			refused.Plan = report
		}
		return nil, report, refused
	}
	c := r.c.WithDefaults()
	c.Event = 1 // the catalogue gives the number
	if err := c.Validate(); err != nil {
		return nil, report, refuse(&strict.Error{Message: err.Error()})
	}
	c.Event = 0
	return &c, report, nil
}

func (r *reading) names() {
	f, c := r.f, &r.c
	c.Slug, c.Name, c.Venue, c.Rehearsal = f.Slug, f.Name, f.Venue, f.Rehearsal
	c.Currency, c.TimeZone = or(f.Currency, "BRL"), or(f.TimeZone, "America/Sao_Paulo")
	if len(c.Slug) < 1 || len(c.Slug) > 64 || strings.Trim(c.Slug, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		r.bad("slug", "%q, allowed are 1 to 64 of a-z, 0-9 and -", clip(c.Slug))
	}
	for _, t := range []struct{ path, value string }{{"name", c.Name}, {"venue", c.Venue}} {
		if len(t.value) < 1 || len(t.value) > 200 {
			r.bad(t.path, "has %d bytes, allowed are 1 to 200", len(t.value))
		}
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "Local" {
		r.bad("time_zone", "%q, allowed is an IANA name like America/Sao_Paulo", clip(c.TimeZone))
	}
	if _, err := decimals(c.Currency); err != nil {
		r.bad("currency", "%s", err)
	}
}

func (r *reading) queue() {
	q := r.f.Queue
	r.c.Queue = queue.Policy{
		RatePerMinute: r.count("queue.rate_per_minute", q.RatePerMinute, queue.MaxRate),
		Burst:         r.count("queue.burst", q.Burst, queue.MaxBurst),
		ActiveCap:     r.count("queue.active_cap", q.ActiveCap, queue.MaxActive),
		MaxPlaces:     r.count("queue.max_places", q.MaxPlaces, queue.MaxMaxPlaces),
		ClaimMs:       r.duration("queue.claim", q.Claim, queue.MaxDurationMs),
		LeaseMs:       r.duration("queue.lease", q.Lease, queue.MaxDurationMs),
		LeaseCapMs:    r.duration("queue.lease_cap", q.LeaseCap, queue.MaxDurationMs),
		ParkGraceMs:   r.duration("queue.grace", q.Grace, queue.MaxDurationMs),
	}
	if d := r.c.Queue.WithDefaults(); q.LeaseCap > 0 && d.LeaseCapMs < d.LeaseMs {
		r.bad("queue.lease_cap", "%s is shorter than queue.lease, %s", q.LeaseCap, time.Duration(d.LeaseMs)*time.Millisecond)
	}
}

func (r *reading) limits() {
	const day = 24 * 3_600_000
	l, t := r.f.Limits, r.f.Times
	r.c.Limits = sale.Limits{
		PerHold:    r.count("limits.per_hold", l.PerHold, sale.MaxPerHold),
		PerAccount: r.count("limits.per_account", l.PerAccount, sale.MaxPerAccount),
		Attempts:   uint8(r.count("limits.attempts", uint32(l.Attempts), sale.MaxAttempts)),
	}
	r.c.Times = sale.Times{
		Hold: r.duration("times.hold", t.Hold, day), HoldRenewal: r.duration("times.hold_renewal", t.HoldRenewal, day),
		HoldCap: r.duration("times.hold_cap", t.HoldCap, day), PayGrace: r.duration("times.pay_grace", t.PayGrace, day),
		ActionGrace: r.duration("times.action_grace", t.ActionGrace, day),
	}
	if d := r.c.WithDefaults().Times; d.HoldCap < d.Hold {
		path := "times.hold"
		if t.HoldCap > 0 {
			path = "times.hold_cap"
		}
		r.bad(path, "times.hold_cap %s is shorter than times.hold %s", time.Duration(d.HoldCap)*time.Millisecond, time.Duration(d.Hold)*time.Millisecond)
	}
	switch r.f.Orphan {
	case "", "avoid":
		r.c.Orphan = seatmap.OrphanAvoid
	case "strict":
		r.c.Orphan = seatmap.OrphanStrict
	case "ignore":
		r.c.Orphan = seatmap.OrphanIgnore
	default:
		r.bad("orphan", "%q, allowed are avoid, strict and ignore", clip(r.f.Orphan))
	}
}

// count checks a number; 0 is the default's.
func (r *reading) count(path string, n, most uint32) uint32 {
	if n > most {
		r.bad(path, "%d, allowed are 1 to %d", n, most)
		return 0
	}
	return n
}

// duration checks a duration and returns milliseconds; 0 is the default's.
func (r *reading) duration(path string, d time.Duration, most int64) int64 {
	ms := d.Milliseconds()
	if d != 0 && (ms < queue.MinDurationMs || ms > most) {
		r.bad(path, "%s, allowed are %s to %s", d, span(queue.MinDurationMs), span(most))
		return 0
	}
	return ms
}

// span writes milliseconds as hours when they are.
func span(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
