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
	if f.named == nil {
		f.named = learn(journals)
	}
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
				f.add(nothingLost, "account %s was given place %d at %s, and only %d are in the books", j.account, p.Number, clock(p.Told), books.Queue.Issued)
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
		f.add(nothingLost, "order %s of account %s for %s was acknowledged at %s and is not in the books", id, account, f.named.units(o.Order.Lines), clock(o.Told))
		return
	}
	if r.Account != account {
		f.add(nothingLost, "order %s was acknowledged to account %s at %s and belongs to account %s in the books", id, account, clock(o.Told), r.Account)
	}
	if r.Total != o.Order.Total {
		f.add(nothingLost, "order %s of account %s costs %s, in the books %s", id, account, cost(o.Order.Total), cost(r.Total))
	}
	if want, got := units(o.Order.Lines), sorted(r.Units); !slices.Equal(want, got) {
		f.add(nothingLost, "order %s of account %s has units %v, in the books %v", id, account, want, got)
	}
	if was, is := orderRank(o.Order.State), orderRank(r.State); is < was && o.Order.State != "expired" {
		f.add(nothingLost, "order %s of account %s was %s at %s and is %s in the books", id, account, o.Order.State, clock(o.Until), r.State)
	}
	for _, t := range o.Tickets {
		if !slices.Contains(r.Tickets, t.ID) {
			f.add(nothingLost, "ticket %s of order %s of account %s for %s is not in the books", t.ID, id, account, f.named.unit(t.Unit))
		}
	}
}

// owns says whether an order of this state has its units for good.
func owns(state string) bool { return state == "committed" || state == "paid" || state == "fulfilled" }

// auditSold counts the places of the orders that own theirs.
func auditSold(f *findings, areas map[uint32]bool, books wire.Ledger) {
	owner := make(map[uint32]*wire.LedgerRow)
	sold := uint32(0)
	for i := range books.Rows {
		r := &books.Rows[i]
		if !owns(r.State) {
			continue
		}
		places := uint32(0)
		for _, u := range r.Units {
			places += u.Count
			if other := owner[u.Unit]; other != nil && !areas[u.Unit] {
				f.add(noSeatTwice, "%s is sold twice: to order %s and order %s", f.named.unit(u.Unit), bought(other), bought(r))
				f.twice(u.Unit)
			}
			owner[u.Unit] = r
		}
		sold += places
		if r.State == "fulfilled" && uint32(len(r.Tickets)) != places {
			f.add(moneyAgrees, "order %s has %d places and %s", whose(r, r.Order), places, tickets(r))
		}
	}
	if sold != books.Places.Sold {
		f.add(booksAgree, "orders have %d places, the plan has %d sold", sold, books.Places.Sold)
	}
	if p := books.Places; p.Free+p.Held+p.Sold+p.Blocked != p.Capacity {
		f.add(booksAgree, "places by state are %+v", p)
	}
}

// bought is an order, whose it is, and what it has, as the books have it.
func bought(r *wire.LedgerRow) string {
	s := fmt.Sprintf("%s of account %s (%s, opened at %s", r.Order, r.Account, r.State, moment(r.Opened))
	if r.Paid != 0 {
		s += ", paid at " + moment(r.Paid)
	}
	if len(r.Tickets) > 0 {
		s += ", tickets " + listed(r.Tickets)
	}
	return s + ")"
}

// FetchProvider reads the sandbox's ledger with its secret key.
func FetchProvider(ctx context.Context, client *http.Client, base, secret string) (p Provider, err error) {
	if err := fetch(ctx, client, base+"/_sandbox/ledger", secret, &p); err != nil {
		return p, fmt.Errorf("read the provider's ledger: %w", err)
	}
	return p, nil
}
