package sandbox

import (
	"slices"
	"strconv"
	"time"
)

// Longest life of an authorisation and of a Pix code.
const (
	authorizedFor = 7 * 24 * time.Hour
	pixFor        = 24 * time.Hour
	maxConfirms   = 50 // then the payment is canceled, as the real one is
)

// payWith is a payment method that a confirmation brings along.
type payWith struct {
	kind  string // card or pix
	card  *testCard
	form  cardForm
	pix   time.Time // when the code expires
	never bool      // the Pix is never paid by itself
	bad   *failure  // the card data is wrong: the try counts, and is declined
}

// confirm tries to pay. It returns the refusal the caller has to answer; the payment has moved in any case.
func (t *tx) confirm(in *intent, with *payWith) *failure {
	if !in.is(needsMethod, needsConfirmation, needsAction) {
		return unexpectedState(in, "confirm", "requires_payment_method, requires_confirmation, requires_action")
	}
	if !slices.Contains(in.Types, with.kind) {
		f := invalid("payment_method", "payment_intent_incompatible_payment_method",
			"The PaymentIntent does not accept payment methods of the type %s.", with.kind)
		f.intent = in.ID
		return f
	}
	in.Tries++
	in.LastError, in.Pix, in.Due, in.DueWhat = nil, nil, 0, ""
	if in.Tries > maxConfirms {
		t.cancel(in, "automatic")
		return unexpectedState(in, "confirm", "requires_payment_method")
	}
	id, _ := t.s.newID("pm")
	in.Method = &method{ID: id, Type: with.kind}
	if with.kind == "pix" {
		t.showPix(in, with)
		return nil
	}
	if with.bad != nil {
		return t.refuse(in, with.bad)
	}
	in.Method.Card, in.Method.Brand = with.card.name, with.card.brand
	in.Method.Last4 = with.card.number[len(with.card.number)-4:]
	in.Method.Month, _ = strconv.Atoi(with.form.month) // both were checked with the card
	in.Method.Year, _ = strconv.Atoi(with.form.year)
	switch with.card.does {
	case declines:
		return t.refuse(in, declined(with.card.code, with.card.decline))
	case challenges:
		in.Status = needsAction
		t.emitIntent("payment_intent.requires_action", in)
	case takesTime:
		t.process(in, t.s.o.ProcessAfter)
	case comesLate:
		t.process(in, t.s.o.LateAfter)
	default:
		t.accept(in)
	}
	return nil
}

// showPix gives the payer a code to pay with.
func (t *tx) showPix(in *intent, with *payWith) {
	expires := with.pix
	if expires.IsZero() {
		expires = t.now.Add(pixFor)
	}
	in.Status = needsAction
	in.Pix = &pixCode{Code: brCode(in.ID, in.Amount), Expires: expires.Unix()}
	in.Due, in.DueWhat = expires.UnixMilli(), dueExpire
	if paid := t.now.Add(t.s.o.PixAfter); t.s.o.PixAfter >= 0 && !with.never && paid.Before(expires) {
		in.Due, in.DueWhat = paid.UnixMilli(), duePay
	}
	t.emitIntent("payment_intent.requires_action", in)
}

func (t *tx) process(in *intent, d time.Duration) {
	in.Status = processing
	in.Due, in.DueWhat = t.now.Add(d).UnixMilli(), dueSettle
	t.emitIntent("payment_intent.processing", in)
}

// authenticated ends a 3-D Secure challenge.
func (t *tx) authenticated(in *intent, approved bool) *failure {
	if in.Status != needsAction || in.Pix != nil {
		return unexpectedState(in, "authenticate", "requires_action")
	}
	card := cardOf(in)
	switch {
	case !approved:
		return t.refuse(in, &failure{Type: "invalid_request_error", Code: "payment_intent_authentication_failure", status: 402, stored: true,
			Message: "The payer did not authenticate the payment. Try again with another payment method."})
	case card != nil && card.code != "":
		return t.refuse(in, declined(card.code, card.decline))
	default:
		t.accept(in)
		return nil
	}
}

// accept is a bank that says yes: the money is reserved, or taken when the payment captures by itself.
func (t *tx) accept(in *intent) {
	in.Charge, _ = t.s.newID("ch")
	in.ChargeOK = true
	if in.Capture == "manual" {
		in.Status, in.Capturable = needsCapture, in.Amount
		in.Due, in.DueWhat = t.now.Add(authorizedFor).UnixMilli(), dueRelease
		t.emitIntent("payment_intent.amount_capturable_updated", in)
		return
	}
	t.take(in, in.Amount)
}

// take moves the money.
func (t *tx) take(in *intent, amount int64) {
	in.Status, in.Received, in.Capturable = succeeded, amount, 0
	in.Due, in.DueWhat = 0, ""
	if c := cardOf(in); c != nil && c.does == disputes {
		in.Due, in.DueWhat = t.now.Add(t.s.o.DisputeAfter).UnixMilli(), dueDispute
	}
	t.emitIntent("payment_intent.succeeded", in)
}

// refuse is a bank that says no: the payment may be tried again with another method.
func (t *tx) refuse(in *intent, why *failure) *failure {
	why.intent = in.ID
	if why.Type == "card_error" && in.Method != nil && in.Method.Card != "" {
		in.Charge, _ = t.s.newID("ch")
		in.ChargeOK = false
		why.Charge = in.Charge
	}
	in.Status, in.LastError, in.Method, in.Pix = needsMethod, why, nil, nil
	in.Due, in.DueWhat = 0, ""
	t.emitIntent("payment_intent.payment_failed", in)
	return why
}

func (t *tx) cancel(in *intent, reason string) {
	in.Status, in.Reason, in.CanceledAt = canceled, reason, t.now.Unix()
	in.Capturable, in.Due, in.DueWhat = 0, 0, ""
	t.emitIntent("payment_intent.canceled", in)
}

func (t *tx) dispute(in *intent) {
	if in.Status != succeeded || in.Disputed {
		return
	}
	in.Disputed = true
	id, _ := t.s.newID("dp")
	t.emit("charge.dispute.created", in, &disputeJSON{
		ID: id, Object: "dispute", Amount: in.Received, Charge: in.Charge, Created: t.now.Unix(), Currency: in.Currency,
		Metadata: metadata(in.Metadata), PaymentIntent: in.ID, Reason: "fraudulent", Status: "needs_response",
	})
}
