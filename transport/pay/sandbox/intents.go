package sandbox

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxAmount of one payment in minor units: eight digits, as at the real one.
const maxAmount = 99_999_999

func (t *tx) createIntent() (any, *failure) {
	p := t.p
	in := &intent{Created: t.now.Unix(), Status: needsMethod}
	amount, ok := p.integer("amount", 1, maxAmount)
	if !ok {
		p.fail(invalid("amount", "parameter_missing", "Missing required param: amount."))
	}
	in.Amount = amount
	in.Currency = t.currency()
	in.Capture = p.oneOf("capture_method", "automatic", "automatic", "automatic_async", "manual")
	p.oneOf("confirmation_method", "automatic", "automatic")
	in.Description = p.text("description", 1000)
	in.Metadata = p.table("metadata")
	in.Receipt = p.text("receipt_email", 512)
	in.Statement = p.text("statement_descriptor_suffix", 22)
	in.Types = t.types()
	sure := p.truth("confirm")
	with := t.payWith(in)
	whole := t.expand()
	if f := p.rest(); f != nil {
		return nil, f
	}
	if f := t.mayCreate(in, with, sure); f != nil {
		return nil, f
	}
	in.ID, in.N = t.s.newID("pi")
	in.Secret = t.s.clientSecret(in.ID)
	t.intents = append(t.intents, in)
	t.emitIntent("payment_intent.created", in)
	if with != nil && !sure {
		t.keep(in, with)
	}
	if sure {
		if f := t.confirm(in, with); f != nil {
			return nil, f
		}
	}
	return t.s.renderIntent(t.base(), in, whole), nil
}

func (t *tx) currency() string {
	c := strings.ToLower(t.p.text("currency", 3))
	switch {
	case c == "":
		t.p.fail(invalid("currency", "parameter_missing", "Missing required param: currency."))
	case len(c) != 3 || strings.Trim(c, "abcdefghijklmnopqrstuvwxyz") != "":
		t.p.fail(invalid("currency", "parameter_invalid", "Invalid currency: %s. It must be three letters.", c))
	}
	return c
}

func (t *tx) types() []string {
	types := t.p.list("payment_method_types")
	t.p.truth("automatic_payment_methods[enabled]")
	t.p.oneOf("automatic_payment_methods[allow_redirects]", "always", "always", "never")
	for _, kind := range types {
		if kind != "card" && kind != "pix" {
			t.p.fail(invalid("payment_method_types", "payment_intent_invalid_parameter", "The payment method type %s is not available here; card and pix are.", kind))
		}
	}
	if len(types) == 0 {
		types = []string{"card"}
	}
	return slices.Compact(types)
}

func (t *tx) expand() (whole bool) {
	for _, e := range t.p.list("expand") {
		if e != "latest_charge" {
			t.p.fail(invalid("expand", "", "This property cannot be expanded (%s).", e))
		}
		whole = true
	}
	return whole
}

func (t *tx) mayCreate(in *intent, with *payWith, sure bool) *failure {
	switch {
	case in.Amount < 50 && decimals(in.Currency) == 2:
		return invalid("amount", "amount_too_small", "Amount must be at least 50 minor units.")
	case slices.Contains(in.Types, "pix") && in.Currency != "brl":
		return invalid("currency", "payment_intent_invalid_parameter", "Pix takes brl, not %s.", in.Currency)
	case slices.Contains(in.Types, "pix") && in.Capture == "manual":
		return invalid("capture_method", "payment_intent_invalid_parameter", "Pix cannot be captured by hand.")
	case with != nil && with.bad != nil && !sure:
		return with.bad
	case sure && with == nil:
		return invalid("payment_method", "parameter_missing", "You cannot confirm this PaymentIntent because it's missing a payment method.")
	case len(t.s.ordered) >= t.s.o.MaxPayments:
		f := broken("The sandbox holds as many payments as it may.")
		f.status = 503
		return f
	}
	return nil
}

// payWith reads the payment method of a create or confirm call; nil when there is none.
func (t *tx) payWith(in *intent) *payWith {
	p := t.p
	if u := p.text("return_url", 2048); u != "" {
		if !t.s.o.mayReturn(u) {
			p.fail(invalid("return_url", "url_invalid", "The return_url is not below an address this sandbox may send a payer to."))
		}
		in.ReturnURL = u
	}
	w := &payWith{pix: t.pixExpiry()}
	p.oneOf("payment_method_options[card][request_three_d_secure]", "automatic", "automatic", "any", "challenge")
	p.text("payment_method_data[billing_details][name]", 500)
	w.never = strings.HasPrefix(p.text("payment_method_data[billing_details][email]", 512), "fill_never@")
	if token := p.text("payment_method", 100); token != "" {
		return t.byToken(w, token)
	}
	w.kind = p.oneOf("payment_method_data[type]", "", "card", "pix")
	switch w.kind {
	case "card":
		w.form = cardForm{
			number: p.text("payment_method_data[card][number]", 40), month: p.text("payment_method_data[card][exp_month]", 4),
			year: p.text("payment_method_data[card][exp_year]", 6), cvc: p.text("payment_method_data[card][cvc]", 8),
		}
		w.card, w.bad = w.form.check(t.now)
	case "":
		return nil
	}
	return w
}

// keep remembers a payment method that is to be confirmed later; kept takes it up again.
func (t *tx) keep(in *intent, w *payWith) {
	in.Status = needsConfirmation
	id, _ := t.s.newID("pm")
	in.Method = &method{ID: id, Type: w.kind}
	if w.card != nil {
		in.Method.Card = w.card.name
	}
}

func (t *tx) kept(in *intent) *payWith {
	if in.Status != needsConfirmation || in.Method == nil {
		return nil
	}
	w := &payWith{kind: in.Method.Type, card: cardNamed(in.Method.Card)}
	w.form = cardForm{month: "12", year: strconv.Itoa(t.now.Year() + 8)}
	return w
}

func (t *tx) byToken(w *payWith, token string) *payWith {
	plain := strings.Replace(token, "pm_card_visa_", "pm_card_", 1)
	w.card = cardWhere(func(c *testCard) bool { return c.token == plain })
	if w.card == nil {
		f := invalid("payment_method", "resource_missing", "No such PaymentMethod: '%s'", token)
		t.p.fail(f)
		return nil
	}
	w.kind = "card"
	w.form = cardForm{month: "12", year: strconv.Itoa(t.now.Year() + 8)}
	return w
}

func (t *tx) pixExpiry() time.Time {
	const name = "payment_method_options[pix]"
	if n, ok := t.p.integer(name+"[expires_after_seconds]", 10, 1_209_600); ok {
		return t.now.Add(time.Duration(n) * time.Second)
	}
	at, ok := t.p.integer(name+"[expires_at]", 0, 1<<40)
	if !ok {
		return time.Time{}
	}
	if left := at - t.now.Unix(); left < 10 || left > 1_209_600 {
		t.p.fail(invalid(name+"[expires_at]", "parameter_invalid_integer", "expires_at must be between 10 and 1209600 seconds from now."))
	}
	return time.Unix(at, 0)
}

// asked returns the payment of the address, to change or to read.
func (t *tx) asked() (*intent, *failure) {
	id := t.r.PathValue("id")
	if in := t.intent(id); in != nil {
		return in, nil
	}
	return nil, missing("payment_intent", id)
}

func (t *tx) getIntent() (any, *failure) {
	id := t.r.PathValue("id")
	in := t.s.intents[id]
	if in == nil {
		return nil, missing("payment_intent", id)
	}
	t.p.text("client_secret", 200)
	return t.s.renderIntent(t.base(), in, t.expand()), nil
}

func (t *tx) confirmIntent() (any, *failure) {
	in, f := t.asked()
	if f != nil {
		return nil, f
	}
	with, whole := t.payWith(in), t.expand()
	if f := t.p.rest(); f != nil {
		return nil, f
	}
	if with == nil {
		with = t.kept(in)
	}
	if with == nil {
		f := invalid("payment_method", "payment_intent_unexpected_state", "You cannot confirm this PaymentIntent because it's missing a payment method.")
		f.intent = in.ID
		return nil, f
	}
	if f := t.confirm(in, with); f != nil {
		return nil, f
	}
	return t.s.renderIntent(t.base(), in, whole), nil
}

func (t *tx) captureIntent() (any, *failure) {
	in, f := t.asked()
	if f != nil {
		return nil, f
	}
	amount, partly := t.p.integer("amount_to_capture", 1, maxAmount)
	whole := t.expand()
	if f := t.p.rest(); f != nil {
		return nil, f
	}
	if in.Status != needsCapture {
		return nil, unexpectedState(in, "capture", needsCapture)
	}
	if !partly {
		amount = in.Capturable
	}
	if amount > in.Capturable {
		return nil, invalid("amount_to_capture", "amount_too_large", "The amount to capture is more than the %d that are authorized.", in.Capturable)
	}
	if c := cardOf(in); c != nil && c.does == losesHold {
		t.cancel(in, "automatic")
		f := invalid("", "charge_expired_for_capture", "The authorization has been given back by the bank; nothing can be captured.")
		f.intent, f.stored = in.ID, true
		return nil, f
	}
	t.take(in, amount)
	return t.s.renderIntent(t.base(), in, whole), nil
}

func (t *tx) cancelIntent() (any, *failure) {
	in, f := t.asked()
	if f != nil {
		return nil, f
	}
	reason := t.p.oneOf("cancellation_reason", "", "duplicate", "fraudulent", "requested_by_customer", "abandoned")
	whole := t.expand()
	if f := t.p.rest(); f != nil {
		return nil, f
	}
	if !in.is(needsMethod, needsConfirmation, needsAction, needsCapture) {
		return nil, unexpectedState(in, "cancel", "requires_payment_method, requires_confirmation, requires_action, requires_capture")
	}
	t.cancel(in, reason)
	return t.s.renderIntent(t.base(), in, whole), nil
}
