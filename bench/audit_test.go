package bench

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// finds says what an error of an audit must contain; an empty want is no error.
func finds(t *testing.T, err error, want string) {
	t.Helper()
	var found *AuditError
	switch {
	case err == nil && want == "":
	case err == nil:
		t.Errorf("nothing was found, want %q", want)
	case !errors.As(err, &found) || want == "" || !strings.Contains(err.Error(), want):
		t.Errorf("found %v, want %q", err, want)
	}
}

// teller writes into journals what a server might have said.
type teller struct {
	journals map[string]*Journal
	order    []*Journal
}

func (l *teller) of(account string) *Journal {
	if l.journals == nil {
		l.journals = map[string]*Journal{}
	}
	j := l.journals[account]
	if j == nil {
		j = NewJournal(account)
		l.journals[account] = j
		l.order = append(l.order, j)
	}
	return j
}

// told is a place that the fan is told of at once.
func (l *teller) told(account string, number uint32, state string, ahead uint32, deadline wire.Time) {
	j := l.of(account)
	j.joining()
	j.place(wire.Place{Number: number, State: state, Ahead: ahead, Deadline: deadline})
	time.Sleep(time.Microsecond) // the next one asks later
}

func testHold(id string, units ...uint32) wire.Hold {
	h := wire.Hold{ID: id, Expires: wire.Time(time.Now().Add(time.Hour).UnixMilli()), Total: wire.Money{Amount: 100 * int64(len(units)), Currency: "BRL"}}
	for _, u := range units {
		h.Lines = append(h.Lines, wire.Line{Unit: u, Count: 1, Section: "Grã-fina", Row: "C", Seat: strconv.Itoa(int(u))})
	}
	return h
}

func testOrder(id, state string, h wire.Hold) wire.Order {
	return wire.Order{ID: id, State: state, Lines: h.Lines, Total: h.Total, Expires: h.Expires}
}

func testTickets(h wire.Hold) (out []wire.Ticket) {
	for _, l := range h.Lines {
		out = append(out, wire.Ticket{ID: "t1-" + string(rune('a'+l.Unit)), Unit: l.Unit, Number: 1, Code: "CT1" + string(rune('a'+l.Unit))})
	}
	return out
}

// buys is a whole purchase.
func (l *teller) buys(account, n string, units ...uint32) {
	j, h := l.of(account), testHold("h1-"+n, units...)
	j.held(h, uint32(len(units)))
	j.ordered(h.ID, testOrder("o1-"+n, "awaiting", h))
	j.orderSeen(testOrder("o1-"+n, "fulfilled", h))
	j.bought("o1-"+n, testTickets(h))
}

func TestAuditJournals(t *testing.T) {
	soon := func() wire.Time { return wire.Time(time.Now().Add(time.Hour).UnixMilli()) }
	for name, c := range map[string]struct {
		tell func(l *teller)
		want string
	}{
		"an honest sale": {tell: func(l *teller) {
			l.told("1", 1, "waiting", 0, 0)
			l.told("2", 2, "waiting", 1, 0)
			l.told("2", 2, "waiting", 0, 0)
			l.told("1", 1, "offered", 0, 50)
			l.told("2", 2, "offered", 0, 50)
			l.buys("1", "1", 0, 1)
			l.buys("2", "2", 2)
		}},
		"a missed turn": {tell: func(l *teller) {
			l.told("1", 1, "offered", 0, 50)
			l.told("1", 1, "parked", 0, 0)
			l.told("2", 2, "offered", 0, 60)
			l.told("1", 1, "waiting", 3, 0) // in the lane of the returned
			l.told("1", 1, "left", 0, 0)
			l.told("1", 3, "offered", 0, 70)
		}},
		"one number twice":      {want: "place 1 was given to account 1 at ", tell: func(l *teller) { l.told("1", 1, "waiting", 0, 0); l.told("2", 1, "waiting", 0, 0) }},
		"asked later, is first": {want: "and account 2, who asked only at ", tell: func(l *teller) { l.told("1", 2, "waiting", 0, 0); l.told("2", 1, "waiting", 0, 0) }},
		"ahead rises":           {want: "rose from 4 to 5", tell: func(l *teller) { l.told("1", 9, "waiting", 4, 0); l.told("1", 9, "away", 5, 0) }},
		"overtaken":             {want: "account 2 with place 2 got its turn 10 ms before account 1 with place 1", tell: func(l *teller) { l.told("1", 1, "offered", 0, 60); l.told("2", 2, "offered", 0, 50) }},
		"another place":         {want: "was lost", tell: func(l *teller) { l.told("1", 1, "waiting", 0, 0); l.told("1", 2, "waiting", 0, 0) }},
		"a place from the dead": {want: "was done and is waiting", tell: func(l *teller) { l.told("1", 1, "done", 0, 0); l.told("1", 1, "waiting", 0, 0) }},
		"one hold for two":      {want: "hold h1-1 was given to account 1 at ", tell: func(l *teller) { l.of("1").held(testHold("h1-1", 1), 1); l.of("2").held(testHold("h1-1", 2), 1) }},
		"another size":          {want: "1 places, 2 were asked for", tell: func(l *teller) { l.of("1").held(testHold("h1-1", 1), 2) }},
		"one unit held twice at once": {want: "unit 5 (Grã-fina C-5) was in hold h1-1 of account 1 (", tell: func(l *teller) {
			a, b := testHold("h1-1", 4, 5), testHold("h1-2", 5)
			l.of("1").held(a, 2)
			l.of("2").held(b, 1)
			l.of("1").holdSeen(a)
			l.of("2").holdSeen(b)
		}},
		"one unit held in turn": {tell: func(l *teller) {
			a := testHold("h1-1", 5)
			l.of("1").held(a, 1)
			l.of("1").holdSeen(a)
			l.of("1").releasing(a.ID)
			time.Sleep(time.Microsecond)
			l.of("2").held(testHold("h1-2", 5), 1)
		}},
		"one unit sold twice": {want: "unit 5 (Grã-fina C-5) was given to account 1 by ticket t1-f of order o1-1 at ", tell: func(l *teller) { l.buys("1", "1", 5); l.buys("2", "2", 5) }},
		"a hold changes":      {want: "has [{2 1}]", tell: func(l *teller) { l.of("1").held(testHold("h1-1", 1), 1); l.of("1").holdSeen(testHold("h1-1", 2)) }},
		"a hold forgotten":    {want: "before its time", tell: func(l *teller) { l.of("1").held(testHold("h1-1", 1), 1); l.of("1").holdGone("h1-1") }},
		"a hold given back": {tell: func(l *teller) {
			l.of("1").held(testHold("h1-1", 1), 1)
			l.of("1").leaving()
			l.of("1").holdGone("h1-1")
		}},
		"a hold that ran out": {tell: func(l *teller) {
			h := testHold("h1-1", 1)
			h.Expires = 1
			l.of("1").held(h, 1)
			l.of("1").holdGone("h1-1")
		}},
		"an order of others": {want: "order o1-1 has units [{2 1}], its hold h1-1 had [{1 1}]", tell: func(l *teller) {
			l.of("1").held(testHold("h1-1", 1), 1)
			l.of("1").ordered("h1-1", testOrder("o1-1", "awaiting", testHold("", 2)))
		}},
		"an order forgotten": {want: "acknowledged and is unknown", tell: func(l *teller) {
			l.of("1").ordered("", testOrder("o1-1", "awaiting", testHold("", 2)))
			l.of("1").orderGone("o1-1")
		}},
		"an order goes back": {want: "was paid and is awaiting", tell: func(l *teller) {
			l.of("1").ordered("", testOrder("o1-1", "paid", testHold("", 2)))
			l.of("1").orderSeen(testOrder("o1-1", "awaiting", testHold("", 2)))
		}},
		"expired too early": {want: "expired", tell: func(l *teller) {
			l.of("1").ordered("", testOrder("o1-1", "awaiting", testHold("", 2)))
			l.of("1").orderSeen(testOrder("o1-1", "expired", testHold("", 2)))
		}},
		"canceled by somebody": {want: "not by its owner", tell: func(l *teller) {
			l.of("1").ordered("", testOrder("o1-1", "awaiting", testHold("", 2)))
			l.of("1").orderSeen(testOrder("o1-1", "canceled", testHold("", 2)))
		}},
		"paid late": {tell: func(l *teller) {
			h := testHold("", 2)
			h.Expires = 1
			l.of("1").ordered("", testOrder("o1-1", "expired", h))
			l.of("1").orderSeen(testOrder("o1-1", "fulfilled", h))
		}},
		"a ticket too few": {want: "has tickets for [{1 1}], want [{1 1} {2 1}]", tell: func(l *teller) {
			h := testHold("h1-1", 1, 2)
			l.of("1").ordered("", testOrder("o1-1", "fulfilled", h))
			l.of("1").bought("o1-1", testTickets(testHold("", 1)))
		}},
		"a long absence": {tell: func(l *teller) {
			j := l.of("1")
			l.told("1", 9, "waiting", 4, 0)
			j.gone()
			j.mu.Lock()
			j.lost = j.lost.Add(-awayTime)
			j.mu.Unlock()
			j.connected()
			l.told("1", 9, "waiting", 6, 0)
			l.told("2", 10, "offered", 0, soon())
			l.told("1", 9, "offered", 0, soon()+9)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := &teller{}
			c.tell(l)
			finds(t, Audit(l.order), c.want)
		})
	}
}

// honest is a small sale, its books and its money, in agreement.
func honest() (*teller, wire.Ledger, Provider) {
	l := &teller{}
	l.told("1", 1, "offered", 0, 50)
	l.buys("1", "1", 0, 1)
	l.buys("2", "2", 2)
	brl := func(n int64) wire.Money { return wire.Money{Amount: n, Currency: "BRL"} }
	noon := wire.Time(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).UnixMilli())
	books := wire.Ledger{
		Places: wire.LedgerPlaces{Capacity: 4, Free: 1, Sold: 3}, Queue: wire.LedgerQueue{Issued: 2},
		Money: wire.LedgerMoney{Captured: brl(400), Refunded: brl(100), SoldFace: brl(300)},
		Rows: []wire.LedgerRow{
			{Order: "o1-1", Account: "1", State: "fulfilled", Total: brl(200), Units: []wire.LedgerUnit{{Unit: 1, Count: 1}, {Unit: 0, Count: 1}}, Tickets: []string{"t1-a", "t1-b"}},
			{Order: "o1-2", Account: "2", State: "fulfilled", Opened: noon, Paid: noon + 7000, Total: brl(100), Units: []wire.LedgerUnit{{Unit: 2, Count: 1}}, Tickets: []string{"t1-c"}},
			{Order: "o1-3", Account: "3", State: "refunded", Total: brl(100), Units: []wire.LedgerUnit{{Unit: 2, Count: 1}}, Tickets: []string{"t1-d"}},
		},
	}
	var p Provider
	err := json.Unmarshal([]byte(`{"payments":[
		{"payment":"pi_1","status":"succeeded","currency":"brl","captured":200,"metadata":{"reference":"o1-1"}},
		{"payment":"pi_0","captured":0,"status":"canceled","currency":"brl","metadata":{"reference":"o1-2"}},
		{"payment":"pi_2","status":"succeeded","currency":"brl","captured":100,"metadata":{"reference":"o1-2"}},
		{"payment":"pi_3","status":"succeeded","currency":"brl","captured":100,"refunded":100,"metadata":{"reference":"o1-3"}}]}`), &p)
	if err != nil {
		panic(err)
	}
	return l, books, p
}

func TestAuditLedger(t *testing.T) {
	for name, c := range map[string]struct {
		change func(b *wire.Ledger)
		want   string
	}{
		"honest":              {func(*wire.Ledger) {}, ""},
		"its own defects":     {func(b *wire.Ledger) { b.Defects = []string{"seat 3 has two owners"} }, "seat 3 has two owners"},
		"an order is missing": {func(b *wire.Ledger) { b.Rows = b.Rows[1:] }, "order o1-1 of account 1 for unit 0 (Grã-fina C-0), unit 1 (Grã-fina C-1) was acknowledged at "},
		"an order twice":      {func(b *wire.Ledger) { b.Rows = append(b.Rows, b.Rows[0]) }, "twice"},
		"another owner":       {func(b *wire.Ledger) { b.Rows[0].Account = "7" }, "was acknowledged to account 1 at "},
		"another price":       {func(b *wire.Ledger) { b.Rows[0].Total.Amount++ }, "costs 2.00 BRL, in the books 2.01 BRL"},
		"other units":         {func(b *wire.Ledger) { b.Rows[1].Units[0].Unit = 3 }, "in the books [{3 1}]"},
		"a state before":      {func(b *wire.Ledger) { b.Rows[1].State = "awaiting" }, "and is awaiting in the books"},
		"a ticket is missing": {func(b *wire.Ledger) { b.Rows[0].Tickets = []string{"t1-a", "t1-x"} }, "ticket t1-b of order o1-1 of account 1 for unit 1 (Grã-fina C-1) is not"},
		"a unit sold twice":   {func(b *wire.Ledger) { b.Rows[2].State = "paid"; b.Places.Sold++ }, "unit 2 (Grã-fina C-2) is sold twice: to order o1-2 of account 2 (fulfilled, opened at 12:00:00.000, paid at 12:00:07.000, tickets t1-c) and order o1-3 of account 3 (paid, "},
		"sold, and nobody's":  {func(b *wire.Ledger) { b.Places.Sold++ }, "the plan has 4 sold"},
		"places do not add":   {func(b *wire.Ledger) { b.Places.Free++ }, "places by state"},
		"a place never given": {func(b *wire.Ledger) { b.Queue.Issued = 0 }, "and only 0 are in the books"},
	} {
		t.Run(name, func(t *testing.T) {
			l, books, _ := honest()
			c.change(&books)
			finds(t, AuditLedger(l.order, books), c.want)
		})
	}
}

func TestAuditMoney(t *testing.T) {
	for name, c := range map[string]struct {
		change func(b *wire.Ledger, p *Provider)
		want   string
	}{
		"honest":                {func(*wire.Ledger, *Provider) {}, ""},
		"charged, no order":     {func(b *wire.Ledger, _ *Provider) { b.Rows = b.Rows[1:] }, `kept 2.00 BRL for order "o1-1", which is not in the books (payment pi_1 succeeded: `},
		"charged, no ticket":    {func(b *wire.Ledger, _ *Provider) { b.Rows[0].State = "expired" }, "the provider kept 2.00 BRL of order o1-1 of account 1, which is expired and has "},
		"ticket, not charged":   {func(_ *wire.Ledger, p *Provider) { p.Payments[0].Captured = 0 }, "order o1-1 of account 1 is fulfilled with 2 tickets (t1-a, t1-b) for 2.00 BRL, and the provider took 0 of it (payment pi_1 succeeded: 0.00 BRL taken)"},
		"a cent too much":       {func(_ *wire.Ledger, p *Provider) { p.Payments[0].Captured++ }, "kept 2.01 BRL of it (payment pi_1 succeeded: 2.01 BRL taken)"},
		"charged twice":         {func(_ *wire.Ledger, p *Provider) { p.Payments[1].Captured = 100 }, "order o1-2 of account 2 was charged 2 times (payment pi_0 canceled: 1.00 BRL taken, payment pi_2 succeeded: 1.00 BRL taken)"},
		"refunded but kept":     {func(_ *wire.Ledger, p *Provider) { p.Payments[3].Refunded = 50 }, "the provider kept 0.50 BRL of order o1-3 of account 3, which is refunded and has 1 revoked ticket (payment pi_3 succeeded: 1.00 BRL taken, 0.50 BRL given back)"},
		"still reserved":        {func(_ *wire.Ledger, p *Provider) { p.Payments[1].Authorized = 100 }, "payment pi_0 of order o1-2 of account 2 still has 1.00 BRL reserved"},
		"refund under way":      {func(_ *wire.Ledger, p *Provider) { p.Payments[3].Refunded, p.Payments[3].Pending = 0, 100 }, "under way"},
		"an order not settled":  {func(b *wire.Ledger, _ *Provider) { b.Rows[0].State = "committed" }, "order o1-1 of account 1 is still committed"},
		"the books differ":      {func(b *wire.Ledger, _ *Provider) { b.Money.Captured.Amount++ }, "the provider kept 3.00 BRL, the books say 3.01 BRL"},
		"the tickets cost else": {func(b *wire.Ledger, _ *Provider) { b.Money.SoldFees.Amount = 1 }, "tickets were sold for 3.01 BRL"},
	} {
		t.Run(name, func(t *testing.T) {
			_, books, p := honest()
			c.change(&books, &p)
			finds(t, AuditMoney(books, p), c.want)
		})
	}
}

func TestFetchLedgerReadsEveryPage(t *testing.T) {
	_, books, _ := honest()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/admin/events/aurora/ledger" || r.Header.Get("Authorization") != "Bearer key" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		page, next := books, "1"
		page.Rows, page.Next = books.Rows[:1], &next
		if r.URL.Query().Get("cursor") == "1" {
			page = wire.Ledger{Rows: books.Rows[1:]}
		}
		_ = json.NewEncoder(w).Encode(page)
	}))
	defer server.Close()
	got, err := FetchLedger(t.Context(), server.Client(), server.URL, "aurora", "key")
	if err != nil || len(got.Rows) != 3 || got.Queue.Issued != 2 || got.Next != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := FetchLedger(t.Context(), server.Client(), server.URL, "aurora", "wrong"); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("a refusal was read as %v", err)
	}
}

// A journal takes notes and is read from any number of goroutines; one that is not there takes none.
func TestJournalAtOnce(t *testing.T) {
	j := NewJournal("1")
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range 100 {
				j.joining()
				j.place(wire.Place{Number: 1, State: "waiting", Ahead: 0})
				j.held(testHold("h1-1", uint32(n*100+i)), 1)
				j.retried()
				_, _, _, _ = j.Places(), j.Holds(), j.Orders(), j.Breaches()
			}
		})
	}
	all.Wait()
	if len(j.Holds()) != 800 || j.Retries() != 800 || len(j.Places()) != 1 || len(j.Breaches()) != 0 {
		t.Errorf("%d holds, %d retries, %d places, breaches %q", len(j.Holds()), j.Retries(), len(j.Places()), j.Breaches())
	}
	var nobody *Journal
	nobody.joining()
	nobody.ordered("h1-1", testOrder("o1-1", "awaiting", testHold("h1-1", 1)))
	nobody.reconnected()
	if nobody.Orders() != nil || nobody.Reconnects() != 0 {
		t.Error("a journal that is not there has notes")
	}
}

func TestAuditTellsABoundedNumber(t *testing.T) {
	l := &teller{}
	for i := range 100 {
		l.told(string(rune('a'+i)), 1, "waiting", 0, 0)
	}
	var found *AuditError
	if err := Audit(l.order); !errors.As(err, &found) || len(found.Findings) != maxFindings {
		t.Errorf("found %v", err)
	}
}
