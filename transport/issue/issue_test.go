package issue_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/seatmap"
	"github.com/catraca/catraca/transport/issue"
	"github.com/catraca/catraca/transport/mail"
	"github.com/catraca/catraca/transport/pass"
)

// house is one sale whose only order is fulfilled, and the people of a directory.
type house struct {
	state   *sale.State
	people  map[account.ID]directory.Person
	letters []mail.Message
	fail    error
	order   sale.Order
	index   uint64
}

const clock = 1_800_000_000_000

func newHouse(t *testing.T) *house {
	t.Helper()
	cfg := sale.Config{
		Event: 3, Slug: "aurora", Name: "Aurora", Venue: "Arena", Currency: "BRL", TimeZone: "America/Sao_Paulo",
		StartsAt: clock + 1e9, LobbyAt: 1, OpensAt: 2, ClosesAt: clock + 9e8,
		Plan: &seatmap.Plan{
			Name: "House", Width: 1000, Height: 1000,
			Categories: []seatmap.Category{{Key: "front", Name: "Frente", Color: "#aa3311", Price: 10_000, Fee: 1_000}},
			Sections:   []seatmap.Section{{Label: "Plateia"}},
			Rows:       []seatmap.Row{{Label: "A", Count: 2}},
			Seats:      []seatmap.Seat{{Key: "A1", Label: "1", X: 10, Y: 10}, {Key: "A2", Label: "2", X: 20, Y: 10}},
			Areas:      []seatmap.Area{{Key: "floor", Label: "Pista", Capacity: 5}},
		},
	}.WithDefaults()
	s, err := sale.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{state: s, people: map[account.ID]directory.Person{
		7: {Account: 7, Email: "ana@example.com", Name: "Ana Souza", Lang: "en"},
	}}
	h.do(t, sale.Command{Op: sale.OpJoin, Account: 7})
	h.do(t, sale.Command{Op: sale.OpTick})
	h.do(t, sale.Command{Op: sale.OpClaim, Account: 7})
	hold := h.do(t, sale.Command{Op: sale.OpHold, Account: 7, Lines: []sale.Line{{Unit: 0, Count: 1}, {Unit: 1, Count: 1}, {Unit: 2, Count: 1}}})
	order := h.do(t, sale.Command{Op: sale.OpOrderOpen, Account: 7, Hold: hold.Hold, Text: "pt-BR"}).Order
	h.do(t, sale.Command{Op: sale.OpPayBegin, Account: 7, Order: order, Method: sale.MethodPix})
	h.do(t, sale.Command{Op: sale.OpPayStarted, Order: order, Attempt: 1, Ref: "pi_1", Text: "0002"})
	h.do(t, sale.Command{Op: sale.OpPayState, Order: order, Attempt: 1, Ref: "pi_1", Pay: sale.PayCaptured, Amount: 33_000, Currency: "BRL"})
	h.order, _ = s.Order(order)
	if h.order.State != sale.OrderFulfilled {
		t.Fatalf("order is %+v", h.order)
	}
	return h
}

func (h *house) do(t *testing.T, c sale.Command) sale.Result {
	t.Helper()
	h.index++
	h.state.Begin(h.index, clock+int64(h.index)*1000)
	r := h.state.Do(&c)
	if err := h.state.End(); err != nil {
		t.Fatal(err)
	}
	if r.Refusal != sale.Done {
		t.Fatalf("op %d: refused %d", c.Op, r.Refusal)
	}
	return r
}

func (h *house) Read(_ context.Context, id sale.EventID, fn func(*sale.State)) error {
	if id != 3 {
		return errors.New("no such event")
	}
	fn(h.state)
	return nil
}

func (h *house) Person(_ context.Context, id account.ID) (directory.Person, bool, error) {
	p, ok := h.people[id]
	return p, ok, nil
}

func (h *house) Send(_ context.Context, m mail.Message) error {
	if h.fail != nil {
		return h.fail
	}
	h.letters = append(h.letters, m)
	return nil
}

func (h *house) issuer(t *testing.T) *issue.Issuer {
	t.Helper()
	keys, err := pass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	return &issue.Issuer{Sales: h, People: h, Keys: keys, OrderURL: func(ref string) string { return "https://tickets.example:8443/orders/" + ref }}
}

func intent(kind sale.IntentKind) sale.Intent { return sale.Intent{ID: 9, Kind: kind, Order: 1} }

func TestConfirmation(t *testing.T) {
	h := newHouse(t)
	i := h.issuer(t)
	m := issue.NewMailer(i, h)
	for range 2 { // as when the leader dies after sending
		if err := m.Mail(t.Context(), 3, intent(sale.IntentMail), h.order); err != nil {
			t.Fatal(err)
		}
	}
	first, again := h.letters[0], h.letters[1]
	if first.MessageID != "tickets.o3-1@tickets.example" || first.MessageID != again.MessageID || first.To != "ana@example.com" || first.Name != "Ana Souza" {
		t.Errorf("letter is %+v", first)
	}
	if first.Lang != "pt-BR" { // of the order, whatever the account says by now
		t.Errorf("letter is in %s", first.Lang)
	}
	if len(first.Attachments) != 2 || !bytes.HasPrefix(first.Attachments[0].Data, []byte("%PDF-")) || !bytes.HasPrefix(first.Attachments[1].Data, []byte("BEGIN:VCALENDAR")) {
		t.Fatalf("attachments are %d", len(first.Attachments))
	}
	for n, a := range first.Attachments {
		if !bytes.Equal(a.Data, again.Attachments[n].Data) {
			t.Errorf("attachment %s differs when it is sent again", a.Name)
		}
	}
	docs, err := i.Documents(t.Context(), 3, h.order.Tickets, "en")
	if err != nil || len(docs) != 3 || docs[0].Seat != "1" || docs[0].Row != "A" || docs[2].Area != "Pista" || docs[2].Number != 1 || docs[1].Holder != "Ana Souza" {
		t.Fatalf("documents are %+v, %v", docs, err)
	}
	claims, err := i.Keys.Verify(docs[1].Code)
	if err != nil || claims.Event != 3 || claims.Ticket != 2 || claims.Unit != 1 || claims.Version != 1 {
		t.Errorf("code says %+v, %v", claims, err)
	}
	if strings.Contains(first.HTML+first.Text, docs[0].Code) {
		t.Error("the letter itself opens the gate")
	}
	// The entry of the letter and the one of the page are the same in a calendar.
	entry := i.Calendar(3, h.state.Config(), "o3-1", docs, "en")
	if !bytes.Contains(first.Attachments[1].Data, []byte("UID:"+entry.UID+"\r\n")) {
		t.Errorf("UID %s is not in\n%s", entry.UID, first.Attachments[1].Data)
	}
}

func TestLanguageOfAnOrderWithoutOne(t *testing.T) {
	h := newHouse(t)
	h.order.Lang = ""
	if err := issue.NewMailer(h.issuer(t), h).Mail(t.Context(), 3, intent(sale.IntentMail), h.order); err != nil || h.letters[0].Lang != "en" {
		t.Errorf("letters are %+v, %v", h.letters, err)
	}
}

func TestRefundLetter(t *testing.T) {
	h := newHouse(t)
	h.do(t, sale.Command{Op: sale.OpRefund, Order: 1, Actor: 1, Text: "a second night"})
	order, _ := h.state.Order(1)
	m := issue.NewMailer(h.issuer(t), h)
	back := intent(sale.IntentMailRefund)
	back.Amount, back.Reason = 33_000, "a second night"
	if err := m.Mail(t.Context(), 3, back, order); err != nil {
		t.Fatal(err)
	}
	got := h.letters[0]
	if got.MessageID != "refund.o3-1.9@tickets.example" || !strings.Contains(got.Text, "330,00") || !strings.Contains(got.Text, "a second night") || len(got.Attachments) != 0 {
		t.Errorf("letter is %+v", got)
	}
	// Nothing was taken: the letter says so of the whole amount.
	back.ID, back.Amount, back.Reason = 10, 0, "paid too late, a seat is gone"
	if err := m.Mail(t.Context(), 3, back, order); err != nil {
		t.Fatal(err)
	}
	if other := h.letters[1]; other.MessageID == got.MessageID || other.Subject == got.Subject || !strings.Contains(other.Text, "330,00") {
		t.Errorf("letter is %+v", other)
	}
	// The tickets are worthless by now: nothing is left to confirm.
	if err := m.Mail(t.Context(), 3, intent(sale.IntentMail), order); err != nil || len(h.letters) != 2 {
		t.Errorf("%d letters, %v", len(h.letters), err)
	}
}

func TestWhoGetsNoLetter(t *testing.T) {
	h := newHouse(t)
	m := issue.NewMailer(h.issuer(t), h)
	delete(h.people, 7) // erased
	if err := m.Mail(t.Context(), 3, intent(sale.IntentMail), h.order); err != nil || len(h.letters) != 0 {
		t.Errorf("%d letters to nobody, %v", len(h.letters), err)
	}
	h.people[7] = directory.Person{Account: 7, Email: "fan-3-1@rehearsal.invalid", Name: "Fan 1", Virtual: true}
	if err := m.Mail(t.Context(), 3, intent(sale.IntentMail), h.order); err != nil || len(h.letters) != 0 {
		t.Errorf("%d letters to a virtual fan, %v", len(h.letters), err)
	}
	m.Virtual = true
	if err := m.Mail(t.Context(), 3, intent(sale.IntentMail), h.order); err != nil || len(h.letters) != 1 {
		t.Errorf("%d letters to a virtual fan, %v", len(h.letters), err)
	}
}

func TestFailures(t *testing.T) {
	h := newHouse(t)
	m := issue.NewMailer(h.issuer(t), h)
	h.fail = &mail.SendError{Stage: "connect", Temporary: true}
	if err := m.Mail(t.Context(), 3, intent(sale.IntentMail), h.order); err == nil || errors.Is(err, outbox.ErrRefusedByProvider) {
		t.Errorf("relay away: %v", err)
	}
	h.fail = &mail.SendError{Stage: "recipient", Code: 550}
	if err := m.Mail(t.Context(), 3, intent(sale.IntentMail), h.order); !errors.Is(err, outbox.ErrRefusedByProvider) {
		t.Errorf("no such mailbox: %v", err)
	}
	if err := m.Mail(t.Context(), 4, intent(sale.IntentMail), h.order); err == nil || strings.Contains(err.Error(), "ana@") {
		t.Errorf("another sale: %v", err)
	}
}
