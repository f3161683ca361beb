package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/catraca/catraca/transport/wire"
)

// maxLedgerPages bounds the crawl of a ledger.
const maxLedgerPages = 10_000

// FetchLedger reads a sale's books with the token of a viewer or better: everything about the moment of the first
// page, and the rows of every page.
func FetchLedger(ctx context.Context, client *http.Client, base, event, token string) (wire.Ledger, error) {
	var books wire.Ledger
	cursor := ""
	for range maxLedgerPages {
		var page wire.Ledger
		address := base + "/api/v1/admin/events/" + event + "/ledger"
		if cursor != "" {
			address += "?cursor=" + url.QueryEscape(cursor)
		}
		if err := fetch(ctx, client, address, token, &page); err != nil {
			return books, fmt.Errorf("read the ledger: %w", err)
		}
		if cursor == "" {
			books = page
		} else {
			books.Rows = append(books.Rows, page.Rows...)
		}
		if page.Next == nil {
			books.Next = nil
			return books, nil
		}
		cursor = *page.Next
	}
	return books, fmt.Errorf("read the ledger: more than %d pages", maxLedgerPages)
}

func fetch(ctx context.Context, client *http.Client, address, token string, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // read to the end or given up
	b, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d: %.300s", req.URL.Path, res.StatusCode, b)
	}
	return json.Unmarshal(b, out)
}

// AuditLedger holds what the fans were told against the server's books: every acknowledged order and ticket is
// there, with its owner, its units and its price, in a state that does not lie before the one the fan saw; no unit is
// sold twice; places were issued for every number that a fan has. It returns an *[AuditError], or nil.
func AuditLedger(journals []*Journal, books wire.Ledger) error {
	f := &findings{}
	auditBooks(f, journals, books)
	return f.err()
}

func auditBooks(f *findings, journals []*Journal, books wire.Ledger) {
	for _, d := range books.Defects {
		f.add(booksAgree, "the server itself: %s", d)
	}
	rows := make(map[string]*wire.LedgerRow, len(books.Rows))
	for i := range books.Rows {
		r := &books.Rows[i]
		if rows[r.Order] != nil {
			f.add(booksAgree, "order %s is in the books twice", r.Order)
		}
		rows[r.Order] = r
	}
	for _, j := range journals {
		for _, p := range j.Places() {
			if p.Number == 0 || p.Number > books.Queue.Issued {
				f.add(nothingLost, "fan %s has place %d, only %d were issued", j.account, p.Number, books.Queue.Issued)
			}
		}
		for _, o := range j.Orders() {
			auditOrder(f, j.account, o, rows[o.Order.ID])
		}
	}
	auditSold(f, areas(journals), books)
}

// areas are the units without numbered places that any fan has been told of.
func areas(journals []*Journal) map[uint32]bool {
	out := make(map[uint32]bool)
	for _, j := range journals {
		for _, o := range j.Orders() {
			for _, l := range o.Order.Lines {
				if l.Area {
					out[l.Unit] = true
				}
			}
		}
	}
	return out
}

func auditOrder(f *findings, account string, o OrderNote, r *wire.LedgerRow) {
	id := o.Order.ID
	if r == nil {
		f.add(nothingLost, "order %s of fan %s was acknowledged and is not in the books", id, account)
		return
	}
	if r.Account != account {
		f.add(nothingLost, "order %s of fan %s belongs to %s in the books", id, account, r.Account)
	}
	if r.Total != o.Order.Total {
		f.add(nothingLost, "order %s of fan %s costs %d, in the books %d", id, account, o.Order.Total.Amount, r.Total.Amount)
	}
	if want, got := units(o.Order.Lines), sorted(r.Units); !slices.Equal(want, got) {
		f.add(nothingLost, "order %s of fan %s has units %v, in the books %v", id, account, want, got)
	}
	if was, is := orderRank(o.Order.State), orderRank(r.State); is < was && o.Order.State != "expired" {
		f.add(nothingLost, "order %s of fan %s was %s and is %s in the books", id, account, o.Order.State, r.State)
	}
	for _, t := range o.Tickets {
		if !slices.Contains(r.Tickets, t.ID) {
			f.add(nothingLost, "ticket %s of order %s of fan %s is not in the books", t.ID, id, account)
		}
	}
}

// owns says whether an order of this state has its units for good.
func owns(state string) bool { return state == "committed" || state == "paid" || state == "fulfilled" }

// auditSold counts the places of the orders that own theirs.
func auditSold(f *findings, areas map[uint32]bool, books wire.Ledger) {
	owner := make(map[uint32]string)
	sold := uint32(0)
	for _, r := range books.Rows {
		if !owns(r.State) {
			continue
		}
		places := uint32(0)
		for _, u := range r.Units {
			places += u.Count
			if other, taken := owner[u.Unit]; taken && !areas[u.Unit] {
				f.add(noSeatTwice, "unit %d belongs to orders %s and %s", u.Unit, other, r.Order)
				f.twice(u.Unit)
			}
			owner[u.Unit] = r.Order
		}
		sold += places
		if r.State == "fulfilled" && uint32(len(r.Tickets)) != places {
			f.add(moneyAgrees, "order %s has %d places and %d tickets", r.Order, places, len(r.Tickets))
		}
	}
	if sold != books.Places.Sold {
		f.add(booksAgree, "orders have %d places, the plan has %d sold", sold, books.Places.Sold)
	}
	if p := books.Places; p.Free+p.Held+p.Sold+p.Blocked != p.Capacity {
		f.add(booksAgree, "places by state are %+v", p)
	}
}

// Provider is the payment provider's own ledger, as the sandbox tells it. Sums are minor units.
type Provider struct {
	Payments []struct {
		Payment    string            `json:"payment"`
		Status     string            `json:"status"`
		Currency   string            `json:"currency"`
		Authorized int64             `json:"authorized"`
		Captured   int64             `json:"captured"`
		Refunded   int64             `json:"refunded"`
		Pending    int64             `json:"pending"`
		Metadata   map[string]string `json:"metadata"`
	} `json:"payments"`
}

// FetchProvider reads the sandbox's ledger with its secret key.
func FetchProvider(ctx context.Context, client *http.Client, base, secret string) (p Provider, err error) {
	if err := fetch(ctx, client, base+"/_sandbox/ledger", secret, &p); err != nil {
		return p, fmt.Errorf("read the provider's ledger: %w", err)
	}
	return p, nil
}

// AuditMoney holds the books against the provider's: every charge is a paid order's with all its tickets, or was given
// back in full; nothing stays reserved; every paid order was charged once, its exact price; the sums agree to the
// cent. It returns an *[AuditError], or nil. Money on its way makes findings: ask again after it has settled.
func AuditMoney(books wire.Ledger, p Provider) error {
	f := &findings{}
	auditMoney(f, books, p)
	return f.err()
}

func auditMoney(f *findings, books wire.Ledger, p Provider) {
	kept := make(map[string]int64) // by order: captured and not given back
	charges := make(map[string]int)
	var net int64
	for _, c := range p.Payments {
		order := c.Metadata["reference"]
		if c.Authorized != 0 {
			f.add(moneyAgrees, "payment %s of order %s still has %d reserved", c.Payment, order, c.Authorized)
		}
		if c.Pending != 0 {
			f.add(moneyAgrees, "payment %s of order %s still has a refund of %d under way", c.Payment, order, c.Pending)
		}
		keep := c.Captured - c.Refunded - c.Pending
		net += keep
		if keep != 0 {
			kept[order] += keep
			charges[order]++
		}
	}
	var face int64
	for _, r := range books.Rows {
		want := int64(0)
		if owns(r.State) {
			want = r.Total.Amount
		}
		face += want
		if kept[r.Order] != want {
			f.add(moneyAgrees, "order %s is %s and costs %d, the provider kept %d of it", r.Order, r.State, r.Total.Amount, kept[r.Order])
		}
		if charges[r.Order] > 1 {
			f.add(moneyAgrees, "order %s was charged %d times", r.Order, charges[r.Order])
		}
		if r.State == "committed" || r.State == "paid" || r.State == "refunding" {
			f.add(moneyAgrees, "order %s is still %s", r.Order, r.State)
		}
		delete(kept, r.Order)
	}
	for order, amount := range kept {
		f.add(moneyAgrees, "the provider kept %d for order %q, which is not in the books", amount, order)
	}
	m := books.Money
	if booked := m.Captured.Amount - m.Refunded.Amount - m.Refunding.Amount; booked != net {
		f.add(moneyAgrees, "the provider kept %d, the books say %d", net, booked)
	}
	if sold := m.SoldFace.Amount + m.SoldFees.Amount; sold != net || sold != face {
		f.add(moneyAgrees, "the provider kept %d, tickets were sold for %d, orders cost %d", net, sold, face)
	}
}
