package api_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/api"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

func TestBuyByCard(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, func(c *sale.Config) { c.Rehearsal = false })
	fan := h.Person(t, account.RoleFan)
	fan.Shop(t, cfg)
	o := fan.Order(t, cfg, fan.Hold(t, cfg, 0, 1))
	if o.State != "awaiting" || o.Total.Amount != 2*(apitest.FrontPrice+apitest.FrontFee) || o.Payment != nil || len(o.Tickets) != 0 {
		t.Errorf("order is %+v", o)
	}
	fan.Do(t, "GET", "/api/v1/orders/"+o.ID+"/tickets.pdf", nil).Problem(t, wire.NotFound)
	paying := fan.Pay(t, o)
	if p := paying.Payment; p == nil || p.Method != "card" || p.URL == nil || p.Pix != nil || p.Attempt != 1 {
		t.Fatalf("payment is %+v", paying.Payment)
	}
	fan.Do(t, "GET", "/api/v1/orders/"+o.ID+"/pix.svg", nil).Problem(t, wire.NotFound)
	fan.Settle(t, o, sale.PayAuthorized)
	done := fan.Until(t, o, "the tickets and the letter", func(o wire.Order) bool { return o.State == "fulfilled" && o.Mailed })
	if len(done.Tickets) != 2 || done.Paid == 0 || done.Payment.State != "captured" || done.Attention {
		t.Errorf("order is %+v", done)
	}
	if all := apitest.Into[wire.List[wire.Order]](t, fan.Do(t, "GET", "/api/v1/orders", nil)); len(all.Items) != 1 || all.Items[0].ID != o.ID {
		t.Errorf("my orders are %+v", all.Items)
	}
	letters := h.Mailbox.To(fan.Email)
	if len(letters) != 1 || letters[0].MessageID != "tickets."+o.ID+"@tickets.example" || len(letters[0].Attachments) != 2 || letters[0].Lang != "pt-BR" {
		t.Errorf("letters are %+v", letters)
	}
	for path, begins := range map[string]string{
		"orders/" + o.ID + "/tickets.pdf": "%PDF-", "tickets/" + done.Tickets[0] + ".pdf": "%PDF-", "tickets/" + done.Tickets[0] + ".png": "\x89PNG",
		"tickets/" + done.Tickets[0] + ".svg": "<", "tickets/" + done.Tickets[0] + ".ics": "BEGIN:VCALENDAR",
	} {
		a := fan.Do(t, "GET", "/api/v1/"+path, nil).Want(t, http.StatusOK)
		if !bytes.HasPrefix(a.Body, []byte(begins)) || a.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(a.Header.Get("Content-Disposition"), "inline") {
			t.Errorf("%s begins with %.20q, headers %v", path, a.Body, a.Header)
		}
	}
	fan.Do(t, "GET", "/api/v1/tickets/"+done.Tickets[0]+".json", nil).Want(t, http.StatusOK)
	// The turn ended with the purchase, and what is bought cannot be bought again or cancelled.
	fan.Do(t, "POST", "/api/v1/orders/"+o.ID+"/pay", wire.PayRequest{Method: "card"}).Problem(t, wire.WrongState)
	fan.Do(t, "POST", "/api/v1/orders/"+o.ID+"/cancel", nil).Problem(t, wire.WrongState)
	if p := place(t, fan, cfg); p.State != "done" {
		t.Errorf("place is %+v", p)
	}
}

// Who has opened as many orders as one account may is not asked to come back later.
func TestOrdersOfOneAccountEnd(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := shopper(t, h, cfg)
	do := func(c sale.Command) sale.Result {
		t.Helper()
		c.Account = sale.AccountID(fan.Account)
		r, err := h.Events.Submit(t.Context(), cfg.Event, &c)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	seat := []sale.Line{{Unit: 0, Count: 1}}
	opened := 0
	for r := (sale.Result{}); r.Refusal == sale.Done && opened < 1000; opened++ {
		hold := do(sale.Command{Op: sale.OpHold, Lines: seat})
		r = do(sale.Command{Op: sale.OpOrderOpen, Hold: hold.Hold})
		do(sale.Command{Op: sale.OpOrderCancel, Order: r.Order})
	}
	mine := apitest.Into[wire.Hold](t, fan.Do(t, "GET", apitest.Path(cfg, "holds/me"), nil).Want(t, http.StatusOK))
	a := fan.Do(t, "POST", apitest.Path(cfg, "orders"), wire.OrderRequest{Hold: mine.ID})
	if p := a.Problem(t, wire.Limit); p.RetryAfter != 0 || a.Header.Get("Retry-After") != "" || p.Allowed == nil || *p.Allowed != 0 {
		t.Errorf("after %d orders: %+v, to be tried again after %q", opened, p, a.Header.Get("Retry-After"))
	}
}

func TestBuyByPix(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := shopper(t, h, cfg)
	o := fan.Order(t, cfg, fan.Hold(t, cfg, 0, 1))
	got := apitest.Into[wire.Order](t, fan.Do(t, "POST", "/api/v1/orders/"+o.ID+"/pay", wire.PayRequest{Method: "pix"}).Want(t, http.StatusOK))
	if got.Payment == nil || got.Payment.Pix == nil || got.Payment.Pix.Code == "" {
		t.Fatalf("payment is %+v", got.Payment)
	}
	if a := fan.Do(t, "GET", got.Payment.Pix.QR, nil).Want(t, http.StatusOK); !bytes.Contains(a.Body, []byte("<svg")) {
		t.Errorf("QR is %.100s", a.Body)
	}
	fan.Settle(t, o, sale.PayCaptured)
	fan.Until(t, o, "the tickets", func(o wire.Order) bool { return o.State == "fulfilled" })
	fan.Do(t, "GET", got.Payment.Pix.QR, nil).Problem(t, wire.NotFound)

	dollars := h.Event(t, func(c *sale.Config) { c.Currency = "USD" })
	fan = shopper(t, h, dollars)
	o = fan.Order(t, dollars, fan.Hold(t, dollars, 0, 1))
	fan.Do(t, "POST", "/api/v1/orders/"+o.ID+"/pay", wire.PayRequest{Method: "pix"}).Problem(t, wire.InvalidRequest)
	fan.Do(t, "POST", "/api/v1/orders/"+o.ID+"/pay", `{"method":"cash"}`).Problem(t, wire.InvalidRequest)
}

func TestDeclinedAndPaidAgain(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := shopper(t, h, cfg)
	o := fan.Order(t, cfg, fan.Hold(t, cfg, 0, 1))
	fan.Pay(t, o)
	fan.Settle(t, o, sale.PayFailed)
	declined := fan.Until(t, o, "the decline", func(o wire.Order) bool { return o.Payment.State == "failed" })
	if declined.State != "awaiting" {
		t.Errorf("order is %+v", declined)
	}
	fan.Settle(t, o, sale.PayAuthorized)
	fan.Until(t, o, "the tickets", func(o wire.Order) bool { return o.State == "fulfilled" })
}

func TestCancel(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := shopper(t, h, cfg)
	o := fan.Order(t, cfg, fan.Hold(t, cfg, 0, 1))
	got := apitest.Into[wire.Order](t, fan.Do(t, "POST", "/api/v1/orders/"+o.ID+"/cancel", nil).Want(t, http.StatusOK))
	if got.State != "canceled" {
		t.Errorf("order is %+v", got)
	}
	fan.Do(t, "POST", "/api/v1/orders/"+o.ID+"/pay", wire.PayRequest{Method: "card"}).Problem(t, wire.WrongState)
	fan.Hold(t, cfg, 0, 1)
}

// A provider that does not answer is no error: the order says what is known.
func TestSlowProvider(t *testing.T) {
	h := apitest.New(t, apitest.Options{API: func(o *api.Options) { o.PayWait = 50 * time.Millisecond }})
	cfg := h.Event(t, nil)
	fan := shopper(t, h, cfg)
	o := fan.Order(t, cfg, fan.Hold(t, cfg, 0, 1))
	h.Payer.Silent(true)
	got := apitest.Into[wire.Order](t, fan.Do(t, "POST", "/api/v1/orders/"+o.ID+"/pay", wire.PayRequest{Method: "card"}).Want(t, http.StatusAccepted))
	if got.State != "awaiting" || got.Payment == nil || got.Payment.URL != nil || got.Payment.State != "created" {
		t.Errorf("order is %+v, payment %+v", got, got.Payment)
	}
	h.Payer.Silent(false)
	fan.Until(t, o, "the provider's page", func(o wire.Order) bool { return o.Payment.URL != nil })
}

func TestRefund(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan, op := h.Virtual(t, cfg), h.Person(t, account.RoleOperator)
	o := fan.Buy(t, cfg, 0, 1)
	refund := func(body any, k string) *apitest.Answer {
		return op.Do(t, "POST", "/api/v1/orders/"+o.ID+"/refunds", body, key(k))
	}
	refund(map[string]any{}, "a").Problem(t, wire.InvalidRequest)
	refund(map[string]any{"reason": strings.Repeat("x", 201)}, "a").Problem(t, wire.InvalidRequest)
	got := apitest.Into[wire.Order](t, refund(map[string]any{"reason": "fell ill"}, "a").Want(t, http.StatusAccepted))
	if got.State != "refunding" && got.State != "refunded" {
		t.Errorf("order is %+v", got)
	}
	refund(map[string]any{"reason": "fell ill"}, "a").Want(t, http.StatusAccepted)
	refund(map[string]any{"reason": "changed her mind"}, "a").Problem(t, wire.IdempotencyMismatch)
	fan.Until(t, o, "the refund", func(o wire.Order) bool { return o.State == "refunded" })
	ticket := apitest.Into[wire.Ticket](t, fan.Do(t, "GET", "/api/v1/tickets/"+o.Tickets[0], nil).Want(t, http.StatusOK))
	if !ticket.Revoked || ticket.Code != "" {
		t.Errorf("ticket is %+v", ticket)
	}
	for _, form := range []string{"png", "svg", "ics", "pdf"} {
		fan.Do(t, "GET", "/api/v1/tickets/"+o.Tickets[0]+"."+form, nil).Problem(t, wire.NotFound)
	}
	if n := audited(t, op, "order.refund", o.ID); n != 1 {
		t.Errorf("the refund is in the audit %d times, want once", n)
	}
}

// audited counts entries of the audit.
func audited(t *testing.T, f *apitest.Fan, action, target string) int {
	t.Helper()
	var log struct {
		Items []struct{ Action, Target, Reason string }
	}
	f.Do(t, "GET", "/api/v1/admin/audit", nil).Want(t, http.StatusOK).JSON(t, &log)
	n := 0
	for _, e := range log.Items {
		if e.Action == action && e.Target == target {
			n++
		}
	}
	return n
}

// index of the newest entry of an event's log that was applied.
func index(t *testing.T, h *apitest.House, id sale.EventID) (i uint64) {
	t.Helper()
	if err := h.Events.Read(t.Context(), id, func(st *sale.State) { i = st.Index() }); err != nil {
		t.Fatal(err)
	}
	return i
}

func TestWebhook(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := shopper(t, h, cfg)
	o := fan.Order(t, cfg, fan.Hold(t, cfg, 0, 1))
	fan.Pay(t, o)
	id, number, _ := wire.ParseOrderRef(o.ID)
	ref, _ := h.Payer.Of(id, number)
	post := func(body, signature string) *apitest.Answer {
		return h.Nobody().Do(t, "POST", "/api/v1/payments/stripe/webhook", body, apitest.Header("Stripe-Signature", signature))
	}
	body := apitest.Notice(h.Name("evt"), ref)
	now := time.Now()
	for name, signature := range map[string]string{
		"none": "", "of another secret": apitest.Signature(now, body, "whsec_ffffffffffffffff"), "of another body": apitest.Signature(now, body+" ", apitest.WebhookSecret),
		"too old": apitest.Signature(now.Add(-6*time.Minute), body, apitest.WebhookSecret), "no signature": "t=1",
	} {
		if a := post(body, signature); a.Status != http.StatusBadRequest {
			t.Errorf("signature %s: %d %s", name, a.Status, a.Body)
		}
	}
	if got := apitest.Into[wire.Order](t, fan.Do(t, "GET", "/api/v1/orders/"+o.ID, nil)); got.State != "awaiting" {
		t.Fatalf("order is %+v", got)
	}
	h.Payer.Set(ref, sale.PayAuthorized)
	good := apitest.Signature(now, body, apitest.WebhookSecret)
	// Taking the money makes the provider send another one, which comes before the answer.
	overtaking, early := make(chan *apitest.Answer, 1), make(chan struct{})
	h.Payer.Takes(func(ref string) {
		taken := apitest.Notice("evt_taken", ref)
		go func() { overtaking <- post(taken, apitest.Signature(now, taken, apitest.WebhookSecret)) }()
		select {
		case <-overtaking:
			close(early)
		case <-time.After(50 * time.Millisecond): // it waits for our answer
		}
	})
	post(body, good).Want(t, http.StatusOK)
	fan.Until(t, o, "the letter", func(o wire.Order) bool { return o.State == "fulfilled" && o.Mailed })
	select {
	case <-early:
		t.Error("the notice of what we have done was put into the log")
	case a := <-overtaking:
		a.Want(t, http.StatusOK)
	}
	before := index(t, h, id)
	again := apitest.Notice("evt_again", ref)
	post(again, apitest.Signature(now, again, apitest.WebhookSecret)).Want(t, http.StatusOK)
	if after := index(t, h, id); after != before {
		t.Errorf("a notice of money that was taken long ago moved the log from %d to %d", before, after)
	}
	other := strings.Replace(apitest.Notice("evt_other", ref), "payment_intent.succeeded", "customer.created", 1)
	post(other, apitest.Signature(now, other, apitest.WebhookSecret)).Want(t, http.StatusOK) // none of our business
	foreign := apitest.Notice(h.Name("evt"), "pi_nobody")
	post(foreign, apitest.Signature(now, foreign, apitest.WebhookSecret)).Problem(t, wire.NotFound) // comes again, when it is known
	large := `{"id":"` + strings.Repeat("x", 65<<10) + `"}`
	post(large, apitest.Signature(now, large, apitest.WebhookSecret)).Problem(t, wire.TooLarge)
}
