package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// AuditError is what an audit found: promises that the server broke.
type AuditError struct{ Findings []string }

func (e *AuditError) Error() string {
	return fmt.Sprintf("%d broken promises:\n  %s", len(e.Findings), strings.Join(e.Findings, "\n  "))
}

// Audit holds the fans' journals against each other and returns an *[AuditError], or nil: what a fan found broken by
// itself; one place number, hold, order, ticket or unit for two fans; a place number behind one that was asked for
// later; an offer made before that of an earlier place. The fans must be of one event, and have ended.
func Audit(journals []*Journal) error {
	f := &findings{}
	auditFans(f, journals)
	return f.err()
}

func auditFans(f *findings, journals []*Journal) {
	f.named = learn(journals)
	for _, j := range journals {
		for _, b := range read(j, func() []finding { return slices.Clone(j.breaches) }) {
			f.seen(b.promise, b.at, "account %s at %s: %s", j.account, clock(b.at), b.text)
		}
	}
	auditPlaces(f, journals)
	auditOwners(f, journals)
	auditUnits(f, journals)
}

// placed is a place and whose it is.
type placed struct {
	PlaceNote

	account string
}

func auditPlaces(f *findings, journals []*Journal) {
	var all []placed
	for _, j := range journals {
		for _, p := range j.Places() {
			p.Asked, p.Told = p.Asked.Add(-j.unsure), p.Told.Add(j.unsure)
			all = append(all, placed{p, j.account})
		}
	}
	slices.SortFunc(all, func(a, b placed) int { return cmp.Compare(a.Number, b.Number) })
	// Whoever had been told a number when another one asked for the first time is before that one.
	var asked placed // the latest asking among smaller numbers
	var offered placed
	for i, p := range all {
		if i > 0 && all[i-1].Number == p.Number {
			was := all[i-1]
			f.add(noOvertaking, "place %d was given to account %s at %s and to account %s at %s", p.Number, was.account, clock(was.Told), p.account, clock(p.Told))
		}
		if i > 0 && p.Told.Before(asked.Asked) {
			f.add(noOvertaking, "account %s had place %d at %s, and account %s, who asked only at %s, got place %d before it",
				p.account, p.Number, clock(p.Told), asked.account, clock(asked.Asked), asked.Number)
		}
		if i == 0 || p.Asked.After(asked.Asked) {
			asked = p
		}
		if p.Offered == 0 || p.Apart {
			continue
		}
		if p.Offered < offered.Offered {
			f.add(noOvertaking, "account %s with place %d got its turn %d ms before account %s with place %d, who had waited since %s (their offers ended at %s and %s)",
				p.account, p.Number, offered.Offered-p.Offered, offered.account, offered.Number, clock(offered.Told), moment(p.Offered), moment(offered.Offered))
		}
		if p.Offered > offered.Offered {
			offered = p
		}
	}
}

// owned is who was told that something is theirs, and when.
type owned struct {
	account, what string
	at            time.Time
}

func (o owned) String() string {
	s := "account " + o.account
	if o.what != "" {
		s += " by " + o.what
	}
	return s + " at " + clock(o.at)
}

// auditOwners looks for things that two fans have.
func auditOwners(f *findings, journals []*Journal) {
	owner := make(map[string]owned)
	own := func(thing string, o owned) (taken bool) {
		other, taken := owner[thing]
		if taken {
			f.add(noSeatTwice, "%s was given to %s and to %s", thing, other, o)
		}
		owner[thing] = o
		return taken
	}
	for _, j := range journals {
		for _, h := range j.Holds() {
			own("hold "+h.Hold.ID, owned{j.account, "", h.Told})
		}
		for _, o := range j.Orders() {
			own("order "+o.Order.ID, owned{j.account, "", o.Told})
			for _, t := range o.Tickets {
				by := owned{j.account, "ticket " + t.ID + " of order " + o.Order.ID, o.Until}
				own("ticket "+t.ID, owned{j.account, "order " + o.Order.ID, o.Until})
				if t.Code != "" {
					own("ticket code "+sealed(t.Code), by)
				}
				if t.Revoked || t.Area {
					continue
				}
				if own(f.named.unit(t.Unit), by) {
					f.twice(t.Unit)
				}
			}
		}
	}
}

// span is a time in which a fan surely had a seat.
type span struct {
	unit     uint32
	from, to time.Time
	account  string
	what     string
}

func (s *span) String() string {
	return fmt.Sprintf("in %s of account %s (%s to %s)", s.what, s.account, clock(s.from), clock(s.to))
}

// auditUnits looks for seats that two fans had at the same time, held or bought.
func auditUnits(f *findings, journals []*Journal) {
	var all []span
	for _, j := range journals {
		add := func(lines []wire.Line, from, to time.Time, what string) {
			from, to = from.Add(j.unsure), to.Add(-j.unsure)
			if j.unsure > 0 && !from.Before(to) {
				return // shorter than the clocks can tell
			}
			for _, l := range lines {
				if !l.Area {
					all = append(all, span{l.Unit, from, to, j.account, what})
				}
			}
		}
		for _, h := range j.Holds() {
			add(h.Hold.Lines, h.Told, h.Until, "hold "+h.Hold.ID)
		}
		for _, o := range j.Orders() {
			add(o.Order.Lines, o.Told, o.Until, "order "+o.Order.ID)
		}
	}
	slices.SortFunc(all, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.unit, b.unit), a.from.Compare(b.from))
	})
	for i := 1; i < len(all); i++ {
		a, b := &all[i-1], &all[i]
		if a.unit == b.unit && a.account != b.account && b.from.Before(a.to) {
			f.add(noSeatTwice, "%s was %v and at the same time %v", f.named.unit(a.unit), a, b)
			f.twice(a.unit)
		}
		if a.unit == b.unit && a.to.After(b.to) {
			all[i] = *a // the longer one counts against the next
		}
	}
}
