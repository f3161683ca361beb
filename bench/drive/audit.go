package drive

import (
	"context"
	"errors"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/transport/wire"
)

// Names of the checks of an audit.
const (
	checkFans  = "no place, seat, hold, order or ticket for two fans; nobody overtaken; every fan's view monotonic"
	checkBooks = "nothing acknowledged is missing in the books, and no seat is sold twice in them"
	checkMoney = "captures are tickets and refunds, to the cent"
	checkClean = "the books find no defect in themselves"
	checkBots  = "nothing for those who do not stand in line"
)

// books is everything that an audit looks at.
type books struct {
	ledger   wire.Ledger
	provider bench.Provider
}

// audit holds the fans' journals against the servers' books, when what is on its way has come to its end.
func (r *runner) audit(ctx context.Context, run *record.Run, bots []*bot) {
	a := &run.Audit
	if r.pay != nil {
		if err := r.pay.mend(ctx); err != nil {
			r.o.Say("the sandbox is left as it is: %v", err)
		}
	}
	journals := r.journals()[""]
	r.o.Say("waiting until money and tickets have settled")
	b, err := r.settled(ctx, journals)
	if err != nil {
		r.o.Say("the audit could not be made: %v", err)
		run.Verdict.Invalid = append(run.Verdict.Invalid, "the audit could not be made: "+err.Error())
		return
	}
	a.Ran = true
	check := func(name string, err error) {
		var found *bench.AuditError
		if errors.As(err, &found) {
			a.Findings = append(a.Findings, found.Findings...)
		} else if err != nil {
			a.Findings = append(a.Findings, err.Error())
		}
		a.Checks = append(a.Checks, record.Check{Name: name, Held: err == nil})
	}
	check(checkFans, bench.Audit(journals))
	check(checkBooks, bench.AuditLedger(journals, b.ledger))
	if r.pay != nil {
		check(checkMoney, bench.AuditMoney(b.ledger, b.provider))
	}
	check(checkClean, defects(b.ledger))
	if len(bots) > 0 {
		check(checkBots, granted(bots))
	}
	a.Counted = r.counted(b)
}

// settled asks for the books until they agree with the provider's and the fans', as long as that may take. The last
// ones are returned in any case; the error says that there are none.
func (r *runner) settled(ctx context.Context, journals []*bench.Journal) (b books, err error) {
	until := time.Now().Add(r.o.Settle)
	for {
		b, err = r.fetch(ctx)
		if err == nil && r.agree(journals, b) {
			return b, nil
		}
		if time.Now().After(until) || !pause(ctx, 500*time.Millisecond) {
			return b, err
		}
	}
}

func (r *runner) fetch(ctx context.Context) (b books, err error) {
	if b.ledger, err = bench.FetchLedger(ctx, r.api.http, r.o.Base, r.event, r.o.Token); err != nil || r.pay == nil {
		return b, err
	}
	b.provider, err = bench.FetchProvider(ctx, r.pay.api.http, r.pay.api.base, r.pay.api.token)
	return b, err
}

// agree says whether nothing is on its way any more.
func (r *runner) agree(journals []*bench.Journal, b books) bool {
	if bench.AuditLedger(journals, b.ledger) != nil {
		return false
	}
	return r.pay == nil || bench.AuditMoney(b.ledger, b.provider) == nil
}

func defects(l wire.Ledger) error {
	if l.Clean && len(l.Defects) == 0 {
		return nil
	}
	return &bench.AuditError{Findings: append([]string{"the books find defects in themselves"}, l.Defects...)}
}

func granted(bots []*bot) error {
	var found []string
	for _, b := range bots {
		found = append(found, b.got...)
	}
	if len(found) == 0 {
		return nil
	}
	return &bench.AuditError{Findings: found[:min(len(found), 20)]}
}

// counted is what the books and the journals hold, in numbers.
func (r *runner) counted(b books) map[string]int64 {
	out := map[string]int64{
		"capacity": int64(b.ledger.Places.Capacity), "places": int64(b.ledger.Places.Sold), "orders": int64(len(b.ledger.Rows)),
		"tickets": int64(b.ledger.Tickets.Issued), "captured": b.ledger.Money.Captured.Amount, "refunded": b.ledger.Money.Refunded.Amount,
		"attention": int64(b.ledger.Odd.Attention), "oversell": r.oversold(b.ledger),
	}
	for _, f := range r.fans {
		out["holds"] += int64(len(f.journal.Holds()))
		out["reconnects"] += f.journal.Reconnects()
		out["retries"] += f.journal.Retries()
	}
	return out
}

// oversold is how many places more are owned than there are, and seats by two orders. What is an area, and so may have
// many owners, only the fans' own lines tell.
func (r *runner) oversold(l wire.Ledger) int64 {
	areas := make(map[uint32]bool)
	for _, f := range r.fans {
		for _, h := range f.journal.Holds() {
			for _, line := range h.Hold.Lines {
				if line.Area {
					areas[line.Unit] = true
				}
			}
		}
	}
	seats := make(map[uint32]bool)
	twice := int64(0)
	for _, row := range l.Rows {
		if row.State != "committed" && row.State != "paid" && row.State != "fulfilled" {
			continue
		}
		for _, u := range row.Units {
			if seats[u.Unit] && !areas[u.Unit] {
				twice++
			}
			seats[u.Unit] = true
		}
	}
	return twice + max(int64(l.Places.Sold)-int64(l.Places.Capacity), 0)
}
