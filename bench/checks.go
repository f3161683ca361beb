package bench

import (
	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/transport/wire"
)

// Checks makes every audit at once and says of each promise whether it was held: no seat twice, nothing acknowledged
// lost, no overtaking, captures = tickets + refunds, each fan's view is monotonic, the books agree with themselves.
// The findings are the evidence, at most twenty for each. Without a provider the money is held against the books
// alone. The fans must be of one event and have ended, and money must have settled.
func Checks(journals []*Journal, books wire.Ledger, provider *Provider) record.Audit {
	f := &findings{}
	auditFans(f, journals)
	auditBooks(f, journals, books)
	if provider != nil {
		auditMoney(f, books, *provider)
	} else {
		auditBookedMoney(f, books)
	}
	out := record.Audit{Ran: true, Findings: []string{}, Counted: counted(f, journals, books)}
	for p := range promises {
		out.Checks = append(out.Checks, record.Check{Name: p.String(), Held: f.broken[p] == 0})
		for _, one := range f.list {
			if one.promise == p {
				out.Findings = append(out.Findings, p.String()+": "+one.text)
			}
		}
	}
	return out
}

// auditBookedMoney holds the books' money against their orders.
func auditBookedMoney(f *findings, books wire.Ledger) {
	var face int64
	for _, r := range books.Rows {
		if owns(r.State) {
			face += r.Total.Amount
		}
	}
	m := books.Money
	kept := m.Captured.Amount - m.Refunded.Amount - m.Refunding.Amount
	if sold := m.SoldFace.Amount + m.SoldFees.Amount; sold != kept || sold != face {
		f.add(moneyAgrees, "%d was kept, tickets were sold for %d, orders cost %d", kept, sold, face)
	}
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
