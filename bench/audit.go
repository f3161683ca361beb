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
	for _, j := range journals {
		for _, b := range read(j, func() []finding { return slices.Clone(j.breaches) }) {
			f.add(b.promise, "fan %s: %s", j.account, b.text)
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
			f.add(noOvertaking, "place %d was given to fans %s and %s", p.Number, all[i-1].account, p.account)
		}
		if i > 0 && p.Told.Before(asked.Asked) {
			f.add(noOvertaking, "fan %s had place %d before fan %s asked, who got place %d", p.account, p.Number, asked.account, asked.Number)
		}
		if i == 0 || p.Asked.After(asked.Asked) {
			asked = p
		}
		if p.Offered == 0 || p.Apart {
			continue
		}
		if p.Offered < offered.Offered {
			f.add(noOvertaking, "place %d was offered %d ms before place %d", p.Number, offered.Offered-p.Offered, offered.Number)
		}
		if p.Offered > offered.Offered {
			offered = p
		}
	}
}

// auditOwners looks for things that two fans have.
func auditOwners(f *findings, journals []*Journal) {
	owner := make(map[string]string)
	own := func(thing, account string) (taken bool) {
		other, taken := owner[thing]
		if taken {
			f.add(noSeatTwice, "%s was given to fans %s and %s", thing, other, account)
		}
		owner[thing] = account
		return taken
	}
	for _, j := range journals {
		for _, h := range j.Holds() {
			own("hold "+h.Hold.ID, j.account)
		}
		for _, o := range j.Orders() {
			own("order "+o.Order.ID, j.account)
			for _, t := range o.Tickets {
				own("ticket "+t.ID, j.account)
				if t.Code != "" {
					own("ticket code "+t.Code, j.account)
				}
				if t.Revoked || t.Area {
					continue
				}
				if own(fmt.Sprintf("unit %d", t.Unit), j.account) {
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
		a, b := all[i-1], all[i]
		if a.unit == b.unit && a.account != b.account && b.from.Before(a.to) {
			f.add(noSeatTwice, "unit %d was in %s of fan %s and in %s of fan %s at the same time", a.unit, a.what, a.account, b.what, b.account)
			f.twice(a.unit)
		}
		if a.unit == b.unit && a.to.After(b.to) {
			all[i].to, all[i].account, all[i].what = a.to, a.account, a.what // the longer one counts against the next
		}
	}
}
