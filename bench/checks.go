package bench

import (
	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/transport/wire"
)

// Checks makes every audit at once and says of each promise whether it was held: no seat twice, nothing acknowledged
// lost, no overtaking, captures = tickets + refunds, each fan's view is monotonic, the books agree with themselves.
// The findings are the evidence, at most twenty or so. Final counts those that nothing can heal any more; the others may,
// because the server or the provider is about something. Without a provider the money is held against the books alone. The fans must be of
// one event and have ended, and money must have settled.
func (e *Evidence) Checks() (a record.Audit, final int) {
	f := &findings{}
	auditFans(f, e.Journals)
	auditBooks(f, e.Journals, e.Books)
	if e.Provider != nil {
		auditMoney(f, e.Books, *e.Provider)
	} else {
		auditBookedMoney(f, e.Books)
	}
	a = record.Audit{Ran: true, Findings: f.told(), Counted: counted(f, e.Journals, e.Books)}
	for p := range promises {
		a.Checks = append(a.Checks, record.Check{Name: p.String(), Held: f.broken[p] == 0})
	}
	return a, f.total() - f.pending
}

// Checks is [Evidence.Checks] of evidence that is not kept.
func Checks(journals []*Journal, books wire.Ledger, provider *Provider) record.Audit {
	a, _ := (&Evidence{Journals: journals, Books: books, Provider: provider}).Checks()
	return a
}

// counted is what the books and the journals hold. Money is in minor units; oversell is how many seats were seen with
// two owners, and how many places more were sold than there are.
func counted(f *findings, journals []*Journal, books wire.Ledger) map[string]int64 {
	sold := int64(0)
	for _, r := range books.Rows {
		if owns(r.State) {
			for _, u := range r.Units {
				sold += int64(u.Count)
			}
		}
	}
	over := max(sold, int64(books.Places.Sold)) - int64(books.Places.Capacity)
	out := map[string]int64{
		"capacity": int64(books.Places.Capacity), "places": int64(books.Places.Sold), "numbers": int64(books.Queue.Issued),
		"orders": int64(len(books.Rows)), "tickets": int64(books.Tickets.Issued), "holds": 0,
		"captured": books.Money.Captured.Amount, "refunded": books.Money.Refunded.Amount,
		"attention": int64(books.Odd.Attention), "oversell": max(over, int64(len(f.owned)), 0),
	}
	for _, j := range journals {
		out["holds"] += int64(len(j.Holds()))
		out["reconnects"] += j.Reconnects()
		out["retries"] += j.Retries()
	}
	return out
}
