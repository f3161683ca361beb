package sandbox

import (
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
)

func (r *rig) captured(amount int64, token string) *stripe.PaymentIntent {
	r.t.Helper()
	pi, err := r.stripe.V1PaymentIntents.Capture(r.t.Context(), r.authorized(amount, token).ID, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return pi
}

func (r *rig) refund(id string, amount int64) (*stripe.Refund, error) {
	p := &stripe.RefundCreateParams{PaymentIntent: stripe.String(id), Metadata: map[string]string{"key": "k1"}}
	if amount > 0 {
		p.Amount = new(amount)
	}
	return r.stripe.V1Refunds.Create(r.t.Context(), p)
}

func TestRefundInParts(t *testing.T) {
	r := newRig(t)
	pi := r.captured(1000, "pm_card_visa")
	if re, err := r.refund(pi.ID, 300); err != nil || re.Status != stripe.RefundStatusSucceeded || re.Amount != 300 {
		t.Fatalf("refund %+v, %v", re, err)
	}
	_, err := r.refund(pi.ID, 701)
	r.wantError(err, 400, "amount_too_large")
	re, err := r.stripe.V1Refunds.Create(t.Context(), &stripe.RefundCreateParams{Charge: stripe.String(pi.LatestCharge.ID)})
	if err != nil || re.Amount != 700 {
		t.Fatalf("refund of the rest %+v, %v", re, err)
	}
	_, err = r.refund(pi.ID, 0)
	r.wantError(err, 400, "charge_already_refunded")

	list := r.stripe.V1Refunds.List(t.Context(), &stripe.RefundListParams{PaymentIntent: stripe.String(pi.ID)})
	if err := list.Err(); err != nil || len(list.Data()) != 2 || list.Data()[1].Metadata["key"] != "k1" {
		t.Fatalf("list %v, %v", list.Data(), err)
	}
	if got, err := r.stripe.V1Refunds.Retrieve(t.Context(), re.ID, nil); err != nil || got.Amount != 700 {
		t.Fatalf("retrieved %+v, %v", got, err)
	}
	l := r.s.Ledger()
	if e := l.Payments[0]; e.Captured != 1000 || e.Refunded != 1000 || e.Refunds != 2 || l.Totals["BRL"].Net != 0 {
		t.Fatalf("ledger %+v", l)
	}
}

func TestRefundsThatTakeTimeOrFail(t *testing.T) {
	r := newRig(t, func(o *Options) { o.PixAfter = time.Second })
	slow := r.captured(1000, "pm_card_pendingRefund").ID
	failing := r.captured(500, "pm_card_refundFail").ID
	pix := r.create(pixParams(700)).ID
	r.pass(time.Second)
	for _, c := range []struct {
		id            string
		amount        int64
		first, second stripe.RefundStatus
	}{
		{slow, 1000, stripe.RefundStatusPending, stripe.RefundStatusSucceeded},
		{pix, 700, stripe.RefundStatusPending, stripe.RefundStatusSucceeded},
		{failing, 500, stripe.RefundStatusSucceeded, stripe.RefundStatusFailed},
	} {
		re, err := r.refund(c.id, 0)
		if err != nil || re.Status != c.first || re.Amount != c.amount {
			t.Fatalf("refund %+v, %v; want %s", re, err, c.first)
		}
		r.pass(3 * time.Second)
		if got, err := r.stripe.V1Refunds.Retrieve(t.Context(), re.ID, nil); err != nil || got.Status != c.second {
			t.Fatalf("refund %+v, %v; want %s", got, err, c.second)
		}
	}
	// The failed refund left the money here: it may be given back again.
	if re, err := r.refund(failing, 500); err != nil || re.Amount != 500 {
		t.Fatalf("second refund %+v, %v", re, err)
	}
}

func TestRefundOfWhatWasNotTaken(t *testing.T) {
	r := newRig(t)
	_, err := r.refund(r.authorized(1000, "pm_card_visa").ID, 0)
	r.wantError(err, 400, "")
	_, err = r.refund("pi_nobody", 0)
	r.wantError(err, 404, "resource_missing")
	_, err = r.stripe.V1Refunds.Create(t.Context(), &stripe.RefundCreateParams{})
	r.wantError(err, 400, "parameter_missing")
	_, err = r.stripe.V1Refunds.Retrieve(t.Context(), "re_nobody", nil)
	r.wantError(err, 404, "resource_missing")
}

func TestListsPage(t *testing.T) {
	r := newRig(t)
	var made []string
	for range 7 {
		re, err := r.refund(r.captured(1000, "pm_card_visa").ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, re.ID)
	}
	p := &stripe.RefundListParams{}
	p.Limit = stripe.Int64(3)
	var seen []string
	for re, err := range r.stripe.V1Refunds.List(t.Context(), p).All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append([]string{re.ID}, seen...)
	}
	if len(seen) != 7 {
		t.Fatalf("saw %d of 7 refunds", len(seen))
	}
	for i := range made {
		if made[i] != seen[i] {
			t.Fatalf("order %v, want %v", seen, made)
		}
	}
	if status, _, _ := r.call("GET", "/v1/refunds?starting_after=re_nobody", "", ""); status != 400 {
		t.Fatalf("status %d", status)
	}
	kinds := map[string]int{}
	for ev, err := range r.stripe.V1Events.List(t.Context(), &stripe.EventListParams{}).All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		kinds[string(ev.Type)]++
	}
	for _, kind := range []string{"payment_intent.created", "payment_intent.amount_capturable_updated", "payment_intent.succeeded",
		"refund.created", "charge.refunded", "refund.updated"} {
		if kinds[kind] != 7 {
			t.Errorf("%d events %s, want 7", kinds[kind], kind)
		}
	}
}
