package sandbox

import (
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
)

// Every test card does what its number promises, through the API as well as with its number typed out.
func TestCards(t *testing.T) {
	r := newRig(t)
	for _, c := range testCards() {
		t.Run(c.name, func(t *testing.T) {
			r.t = t
			if !luhn(c.number) {
				t.Fatalf("number %s has a wrong check digit", c.number)
			}
			pi := r.create(cardParams(12000))
			got, err := r.confirm(pi.ID, c.token)
			switch c.does {
			case declines:
				se := r.wantError(err, 402, c.code)
				if string(se.DeclineCode) != c.decline || se.Type != stripe.ErrorTypeCard || se.PaymentIntent.ID != pi.ID {
					t.Fatalf("decline %q, type %s, payment %v", se.DeclineCode, se.Type, se.PaymentIntent)
				}
				after := r.get(pi.ID)
				if after.Status != stripe.PaymentIntentStatusRequiresPaymentMethod || string(after.LastPaymentError.DeclineCode) != c.decline {
					t.Fatalf("status %s, last error %v", after.Status, after.LastPaymentError)
				}
			case challenges:
				if err != nil || got.Status != stripe.PaymentIntentStatusRequiresAction || got.NextAction.RedirectToURL.URL == "" {
					t.Fatalf("status %v, error %v; want a redirect", got, err)
				}
			case takesTime, comesLate:
				if err != nil || got.Status != stripe.PaymentIntentStatusProcessing {
					t.Fatalf("status %v, error %v; want processing", got, err)
				}
				r.pass(13 * time.Minute)
				if after := r.get(pi.ID); after.Status != stripe.PaymentIntentStatusRequiresCapture {
					t.Fatalf("status %s after the wait", after.Status)
				}
			default:
				if err != nil || got.Status != stripe.PaymentIntentStatusRequiresCapture || got.AmountCapturable != 12000 {
					t.Fatalf("status %v, error %v; want authorized", got, err)
				}
			}
		})
	}
}

func TestCardNumberByAPI(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name, number, month, year, cvc string
		status                         int
		code                           string
	}{
		{"good", "4242424242424242", "12", "2034", "123", 200, ""},
		{"two digit year", "4242 4242 4242 4242", "11", "26", "123", 200, ""},
		{"check digit", "4242424242424241", "12", "2034", "123", 402, "incorrect_number"},
		{"letters", "4242x24242424242", "12", "2034", "123", 402, "incorrect_number"},
		{"month", "4242424242424242", "13", "2034", "123", 402, "invalid_expiry_month"},
		{"past", "4242424242424242", "10", "2026", "123", 402, "invalid_expiry_year"},
		{"far", "4242424242424242", "10", "2099", "123", 402, "invalid_expiry_year"},
		{"cvc", "4242424242424242", "12", "2034", "12", 402, "invalid_cvc"},
		{"amex cvc", "378282246310005", "12", "2034", "123", 402, "invalid_cvc"},
		{"not a test card", "4111111111111111", "12", "2034", "123", 402, "card_declined"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.t = t
			body := "amount=500&currency=brl&confirm=true&payment_method_types[]=card&payment_method_data[type]=card" +
				"&payment_method_data[card][number]=" + c.number + "&payment_method_data[card][exp_month]=" + c.month +
				"&payment_method_data[card][exp_year]=" + c.year + "&payment_method_data[card][cvc]=" + c.cvc
			status, _, out := r.call("POST", "/v1/payment_intents", "", body)
			if status != c.status {
				t.Fatalf("status %d: %v", status, out)
			}
			if c.status == 200 {
				if out["status"] != succeeded {
					t.Fatalf("payment status %v", out["status"])
				}
				return
			}
			e := out["error"].(map[string]any)
			if e["code"] != c.code || e["type"] != "card_error" {
				t.Fatalf("error %v, want code %s", e, c.code)
			}
			// The declined payment is there and may be tried again.
			if e["payment_intent"].(map[string]any)["status"] != needsMethod {
				t.Fatalf("payment %v", e["payment_intent"])
			}
		})
	}
}

func TestChallengeOutcomes(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		token, answer, status, code string
	}{
		{"pm_card_authenticationRequired", "approve", needsCapture, ""},
		{"pm_card_threeDSecure2Required", "approve", needsCapture, ""},
		{"pm_card_authenticationRequired", "refuse", needsMethod, "payment_intent_authentication_failure"},
		{"pm_card_threeDSecureRequiredChargeDeclined", "approve", needsMethod, "generic_decline"},
		{"pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", "approve", needsMethod, "insufficient_funds"},
	} {
		t.Run(c.token+" "+c.answer, func(t *testing.T) {
			r.t = t
			pi, err := r.confirm(r.create(cardParams(9900)).ID, c.token)
			if err != nil {
				t.Fatal(err)
			}
			status, _, _ := r.page("/3ds/"+pi.ID, map[string][]string{"client_secret": {pi.ClientSecret}, "answer": {c.answer}})
			if status != 303 {
				t.Fatalf("page status %d", status)
			}
			after := r.get(pi.ID)
			if string(after.Status) != c.status {
				t.Fatalf("status %s, want %s", after.Status, c.status)
			}
			code := ""
			if after.LastPaymentError != nil {
				code = string(after.LastPaymentError.DeclineCode)
				if code == "" {
					code = string(after.LastPaymentError.Code)
				}
			}
			if code != c.code {
				t.Fatalf("code %q, want %q", code, c.code)
			}
		})
	}
}

// prepare makes a payment of each state.
func (r *rig) prepare() map[string]func() string {
	return map[string]func() string{
		needsMethod: func() string { return r.create(cardParams(1000)).ID },
		needsConfirmation: func() string {
			p := cardParams(1000)
			p.PaymentMethod = stripe.String("pm_card_visa")
			return r.create(p).ID
		},
		needsAction: func() string {
			pi, err := r.confirm(r.create(cardParams(1000)).ID, "pm_card_authenticationRequired")
			if err != nil {
				r.t.Fatal(err)
			}
			return pi.ID
		},
		processing: func() string {
			pi, err := r.confirm(r.create(cardParams(1000)).ID, "pm_card_sandboxProcessing")
			if err != nil {
				r.t.Fatal(err)
			}
			return pi.ID
		},
		needsCapture: func() string { return r.authorized(1000, "pm_card_visa").ID },
		succeeded: func() string {
			id := r.authorized(1000, "pm_card_visa").ID
			if _, err := r.stripe.V1PaymentIntents.Capture(r.t.Context(), id, nil); err != nil {
				r.t.Fatal(err)
			}
			return id
		},
		canceled: func() string {
			id := r.create(cardParams(1000)).ID
			if _, err := r.stripe.V1PaymentIntents.Cancel(r.t.Context(), id, nil); err != nil {
				r.t.Fatal(err)
			}
			return id
		},
	}
}

// What each call answers in each state.
func TestCallsByState(t *testing.T) {
	r := newRig(t)
	prepare := r.prepare()
	calls := map[string]func(string) (*stripe.PaymentIntent, error){
		"confirm": func(id string) (*stripe.PaymentIntent, error) { return r.confirm(id, "pm_card_visa") },
		"capture": func(id string) (*stripe.PaymentIntent, error) {
			return r.stripe.V1PaymentIntents.Capture(r.t.Context(), id, nil)
		},
		"cancel": func(id string) (*stripe.PaymentIntent, error) {
			return r.stripe.V1PaymentIntents.Cancel(r.t.Context(), id, nil)
		},
	}
	// The state afterwards; the empty string is a refusal that changes nothing.
	want := map[string]map[string]string{
		needsMethod:       {"confirm": needsCapture, "capture": "", "cancel": canceled},
		needsConfirmation: {"confirm": needsCapture, "capture": "", "cancel": canceled},
		needsAction:       {"confirm": needsCapture, "capture": "", "cancel": canceled},
		processing:        {"confirm": "", "capture": "", "cancel": ""},
		needsCapture:      {"confirm": "", "capture": succeeded, "cancel": canceled},
		succeeded:         {"confirm": "", "capture": "", "cancel": ""},
		canceled:          {"confirm": "", "capture": "", "cancel": ""},
	}
	for state, byCall := range want {
		for call, after := range byCall {
			t.Run(state+" "+call, func(t *testing.T) {
				r.t = t
				id := prepare[state]()
				if got := r.get(id); string(got.Status) != state {
					t.Fatalf("prepared %s, want %s", got.Status, state)
				}
				pi, err := calls[call](id)
				if after == "" {
					se := r.wantError(err, 400, "payment_intent_unexpected_state")
					if se.PaymentIntent == nil || string(se.PaymentIntent.Status) != state {
						t.Fatalf("the refusal shows %v", se.PaymentIntent)
					}
					after = state
				} else if err != nil || string(pi.Status) != after {
					t.Fatalf("got %v, %v; want %s", pi, err, after)
				}
				if got := r.get(id); string(got.Status) != after {
					t.Fatalf("state %s afterwards, want %s", got.Status, after)
				}
			})
		}
	}
}

func TestConfirmWithTheMethodOfTheCreation(t *testing.T) {
	r := newRig(t)
	p := cardParams(1000)
	p.PaymentMethod = stripe.String("pm_card_visa_chargeDeclinedInsufficientFunds")
	pi := r.create(p)
	_, err := r.stripe.V1PaymentIntents.Confirm(t.Context(), pi.ID, nil)
	r.wantError(err, 402, "card_declined")
	_, err = r.stripe.V1PaymentIntents.Confirm(t.Context(), pi.ID, nil)
	r.wantError(err, 400, "payment_intent_unexpected_state")
}

func TestPartialCaptureAndAuthorizationThatIsGivenBack(t *testing.T) {
	r := newRig(t)
	pi := r.authorized(1000, "pm_card_visa")
	_, err := r.stripe.V1PaymentIntents.Capture(t.Context(), pi.ID, &stripe.PaymentIntentCaptureParams{AmountToCapture: stripe.Int64(1001)})
	r.wantError(err, 400, "amount_too_large")
	got, err := r.stripe.V1PaymentIntents.Capture(t.Context(), pi.ID, &stripe.PaymentIntentCaptureParams{AmountToCapture: stripe.Int64(600)})
	if err != nil || got.AmountReceived != 600 || got.AmountCapturable != 0 {
		t.Fatalf("got %+v, %v", got, err)
	}
	old := r.authorized(1000, "pm_card_visa")
	r.pass(authorizedFor + time.Second)
	if got := r.get(old.ID); got.Status != stripe.PaymentIntentStatusCanceled || got.CancellationReason != "automatic" {
		t.Fatalf("got %s, %s", got.Status, got.CancellationReason)
	}
}

func TestCaptureThatFails(t *testing.T) {
	r := newRig(t)
	pi := r.authorized(1000, "pm_card_sandboxCaptureFails")
	_, err := r.stripe.V1PaymentIntents.Capture(t.Context(), pi.ID, nil)
	r.wantError(err, 400, "charge_expired_for_capture")
	if got := r.get(pi.ID); got.Status != stripe.PaymentIntentStatusCanceled {
		t.Fatalf("status %s", got.Status)
	}
}

func TestDispute(t *testing.T) {
	r := newRig(t)
	pi := r.authorized(1000, "pm_card_createDispute")
	if _, err := r.stripe.V1PaymentIntents.Capture(t.Context(), pi.ID, nil); err != nil {
		t.Fatal(err)
	}
	r.pass(11 * time.Second)
	_, err := r.stripe.V1Refunds.Create(t.Context(), &stripe.RefundCreateParams{PaymentIntent: stripe.String(pi.ID)})
	r.wantError(err, 400, "refund_disputed_payment")
	status, _, out := r.call("GET", "/v1/events?type=charge.dispute.created", "", "")
	if data := out["data"].([]any); status != 200 || len(data) != 1 {
		t.Fatalf("events %v", out)
	}
}

func TestTooManyTriesCancel(t *testing.T) {
	r := newRig(t)
	pi := r.create(cardParams(1000))
	for range maxConfirms {
		_, err := r.confirm(pi.ID, "pm_card_chargeDeclined")
		r.wantError(err, 402, "card_declined")
	}
	_, err := r.confirm(pi.ID, "pm_card_visa")
	r.wantError(err, 400, "payment_intent_unexpected_state")
	if got := r.get(pi.ID); got.Status != stripe.PaymentIntentStatusCanceled {
		t.Fatalf("status %s", got.Status)
	}
}

func TestPixPaysItself(t *testing.T) {
	r := newRig(t)
	pi := r.create(pixParams(24000))
	pix := pi.NextAction.PixDisplayQRCode
	if pi.Status != stripe.PaymentIntentStatusRequiresAction || pix.Data == "" || pix.ImageURLSVG == "" || pix.ImageURLPNG == "" || pix.HostedInstructionsURL == "" {
		t.Fatalf("next action %+v", pi.NextAction)
	}
	if pix.ExpiresAt != r.clock.Now().Add(24*time.Hour).Unix() {
		t.Fatalf("expires at %d", pix.ExpiresAt)
	}
	r.pass(4 * time.Second)
	if got := r.get(pi.ID); got.Status != stripe.PaymentIntentStatusRequiresAction {
		t.Fatalf("status %s too early", got.Status)
	}
	r.pass(2 * time.Second)
	if got := r.get(pi.ID); got.Status != stripe.PaymentIntentStatusSucceeded || got.AmountReceived != 24000 {
		t.Fatalf("status %s, received %d", got.Status, got.AmountReceived)
	}
}

func TestPixExpires(t *testing.T) {
	r := newRig(t, func(o *Options) { o.PixAfter = -1 })
	p := pixParams(24000)
	p.PaymentMethodOptions = &stripe.PaymentIntentCreatePaymentMethodOptionsParams{
		Pix: &stripe.PaymentIntentCreatePaymentMethodOptionsPixParams{ExpiresAt: new(r.clock.Now().Unix() + 600)},
	}
	pi := r.create(p)
	r.pass(601 * time.Second)
	got := r.get(pi.ID)
	if got.Status != stripe.PaymentIntentStatusRequiresPaymentMethod || string(got.LastPaymentError.Code) != "payment_intent_payment_attempt_expired" {
		t.Fatalf("status %s, error %v", got.Status, got.LastPaymentError)
	}
	if err := r.s.Pay(pi.ID); err == nil {
		t.Fatal("an expired Pix was paid")
	}
	p.PaymentMethodOptions.Pix.ExpiresAt = new(r.clock.Now().Unix() + 9)
	_, err := r.stripe.V1PaymentIntents.Create(t.Context(), p)
	r.wantError(err, 400, "parameter_invalid_integer")
}

func TestRefusedParameters(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct{ body, code, param string }{
		{"currency=brl", "parameter_missing", "amount"},
		{"amount=1000", "parameter_missing", "currency"},
		{"amount=49&currency=brl", "amount_too_small", "amount"},
		{"amount=-1&currency=brl", "parameter_invalid_integer", "amount"},
		{"amount=1e3&currency=brl", "parameter_invalid_integer", "amount"},
		{"amount=100000000&currency=brl", "parameter_invalid_integer", "amount"},
		{"amount=1000&amount=2000&currency=brl", "parameter_invalid", "amount"},
		{"amount=1000&currency=b1l", "parameter_invalid", "currency"},
		{"amount=1000&currency=brl&capture_method=later", "parameter_invalid", "capture_method"},
		{"amount=1000&currency=brl&payment_method_types[]=boleto", "payment_intent_invalid_parameter", "payment_method_types"},
		{"amount=1000&currency=usd&payment_method_types[]=pix", "payment_intent_invalid_parameter", "currency"},
		{"amount=1000&currency=brl&payment_method_types[]=pix&capture_method=manual", "payment_intent_invalid_parameter", "capture_method"},
		{"amount=1000&currency=brl&confirm=true", "parameter_missing", "payment_method"},
		{"amount=1000&currency=brl&payment_method=pm_nobody", "resource_missing", "payment_method"},
		{"amount=1000&currency=brl&colour=red", "parameter_unknown", "colour"},
		{"amount=1000&currency=brl&metadata[a][b]=c", "parameter_invalid", "metadata[a][b]"},
		{"amount=1000&currency=brl&return_url=https://evil.example/", "url_invalid", "return_url"},
		{"amount=1000&currency=brl&expand[]=customer", "", "expand"},
		{"amount=%zz", "", ""},
	} {
		t.Run(c.body, func(t *testing.T) {
			r.t = t
			status, _, out := r.call("POST", "/v1/payment_intents", "", c.body)
			e, _ := out["error"].(map[string]any)
			code, _ := e["code"].(string)
			param, _ := e["param"].(string)
			if status != 400 || code != c.code || param != c.param || e["type"] != "invalid_request_error" {
				t.Fatalf("status %d, error %v", status, e)
			}
		})
	}
	if n := len(r.s.Ledger().Payments); n != 0 {
		t.Fatalf("%d payments came of refused requests", n)
	}
}

func TestDoor(t *testing.T) {
	r := newRig(t)
	_, err := newClient(r.url, "sk_test_somebody_else").V1PaymentIntents.Retrieve(t.Context(), "pi_1", nil)
	r.wantError(err, 401, "")
	_, err = r.stripe.V1PaymentIntents.Retrieve(t.Context(), "pi_1", nil)
	r.wantError(err, 404, "resource_missing")
	if status, _, _ := r.call("GET", "/v1/customers", "", ""); status != 404 {
		t.Fatalf("status %d", status)
	}
	if status, _, _ := r.call("POST", "/v1/payment_intents", "", "description="+string(make([]byte, maxBody))); status != 413 {
		t.Fatalf("status %d", status)
	}
	small := newRig(t, func(o *Options) { o.MaxPayments = 1 })
	small.create(cardParams(1000))
	_, err = small.stripe.V1PaymentIntents.Create(t.Context(), cardParams(1000))
	small.wantError(err, 503, "")
}

func TestExpandedCharge(t *testing.T) {
	r := newRig(t)
	pi := r.authorized(1000, "pm_card_visa")
	p := &stripe.PaymentIntentRetrieveParams{Expand: []*string{stripe.String("latest_charge")}}
	got, err := r.stripe.V1PaymentIntents.Retrieve(t.Context(), pi.ID, p)
	if err != nil || got.LatestCharge.Amount != 1000 || got.LatestCharge.Captured || got.LatestCharge.PaymentIntent.ID != pi.ID {
		t.Fatalf("charge %+v, error %v", got.LatestCharge, err)
	}
}
