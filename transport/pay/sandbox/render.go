package sandbox

// intentJSON is a PaymentIntent as the API shows it.
type intentJSON struct {
	ID                 string            `json:"id"`
	Object             string            `json:"object"`
	Amount             int64             `json:"amount"`
	AmountCapturable   int64             `json:"amount_capturable"`
	AmountReceived     int64             `json:"amount_received"`
	CanceledAt         *int64            `json:"canceled_at"`
	CancellationReason *string           `json:"cancellation_reason"`
	CaptureMethod      string            `json:"capture_method"`
	ClientSecret       string            `json:"client_secret"`
	ConfirmationMethod string            `json:"confirmation_method"`
	Created            int64             `json:"created"`
	Currency           string            `json:"currency"`
	Customer           *string           `json:"customer"`
	Description        *string           `json:"description"`
	LastPaymentError   *errorJSON        `json:"last_payment_error"`
	LatestCharge       any               `json:"latest_charge"`
	Livemode           bool              `json:"livemode"`
	Metadata           map[string]string `json:"metadata"`
	NextAction         any               `json:"next_action"`
	PaymentMethod      *string           `json:"payment_method"`
	PaymentMethodTypes []string          `json:"payment_method_types"`
	Processing         any               `json:"processing"`
	ReceiptEmail       *string           `json:"receipt_email"`
	Statement          *string           `json:"statement_descriptor_suffix"`
	Status             string            `json:"status"`
}

type errorJSON struct {
	*failure

	PaymentIntent *intentJSON `json:"payment_intent,omitempty"`
	PaymentMethod *methodJSON `json:"payment_method,omitempty"`
}

type methodJSON struct {
	ID     string    `json:"id"`
	Object string    `json:"object"`
	Type   string    `json:"type"`
	Card   *cardJSON `json:"card,omitempty"`
}

type cardJSON struct {
	Brand    string `json:"brand"`
	ExpMonth int    `json:"exp_month"`
	ExpYear  int    `json:"exp_year"`
	Last4    string `json:"last4"`
}

type redirectJSON struct {
	Type          string            `json:"type"`
	RedirectToURL map[string]string `json:"redirect_to_url"`
}

type pixActionJSON struct {
	Type string  `json:"type"`
	Pix  pixJSON `json:"pix_display_qr_code"`
}

type pixJSON struct {
	Data         string `json:"data"`
	ExpiresAt    int64  `json:"expires_at"`
	Instructions string `json:"hosted_instructions_url"`
	PNG          string `json:"image_url_png"`
	SVG          string `json:"image_url_svg"`
}

type chargeJSON struct {
	ID             string            `json:"id"`
	Object         string            `json:"object"`
	Amount         int64             `json:"amount"`
	AmountCaptured int64             `json:"amount_captured"`
	AmountRefunded int64             `json:"amount_refunded"`
	Captured       bool              `json:"captured"`
	Created        int64             `json:"created"`
	Currency       string            `json:"currency"`
	Description    *string           `json:"description"`
	Disputed       bool              `json:"disputed"`
	Livemode       bool              `json:"livemode"`
	Metadata       map[string]string `json:"metadata"`
	Paid           bool              `json:"paid"`
	PaymentIntent  string            `json:"payment_intent"`
	PaymentMethod  *string           `json:"payment_method"`
	Refunded       bool              `json:"refunded"`
	Status         string            `json:"status"`
}

type refundJSON struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	Amount        int64             `json:"amount"`
	Charge        string            `json:"charge"`
	Created       int64             `json:"created"`
	Currency      string            `json:"currency"`
	FailureReason string            `json:"failure_reason,omitempty"`
	Metadata      map[string]string `json:"metadata"`
	PaymentIntent string            `json:"payment_intent"`
	Reason        *string           `json:"reason"`
	Status        string            `json:"status"`
}

type disputeJSON struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	Amount        int64             `json:"amount"`
	Charge        string            `json:"charge"`
	Created       int64             `json:"created"`
	Currency      string            `json:"currency"`
	Livemode      bool              `json:"livemode"`
	Metadata      map[string]string `json:"metadata"`
	PaymentIntent string            `json:"payment_intent"`
	Reason        string            `json:"reason"`
	Status        string            `json:"status"`
}

type eventJSON struct {
	ID              string       `json:"id"`
	Object          string       `json:"object"`
	APIVersion      string       `json:"api_version"`
	Created         int64        `json:"created"`
	Data            eventData    `json:"data"`
	Livemode        bool         `json:"livemode"`
	PendingWebhooks int          `json:"pending_webhooks"`
	Request         eventRequest `json:"request"`
	Type            string       `json:"type"`
}

type eventData struct {
	Object any `json:"object"`
}

type eventRequest struct {
	ID  *string `json:"id"`
	Key *string `json:"idempotency_key"`
}

type listJSON struct {
	Object  string `json:"object"`
	URL     string `json:"url"`
	HasMore bool   `json:"has_more"`
	Data    []any  `json:"data"`
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// metadata is never null on the wire.
func metadata(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// renderIntent shows a payment; whole shows the latest charge as an object.
func (s *Server) renderIntent(base string, in *intent, whole bool) *intentJSON {
	out := &intentJSON{
		ID: in.ID, Object: "payment_intent", Amount: in.Amount, AmountCapturable: in.Capturable, AmountReceived: in.Received,
		CancellationReason: nullable(in.Reason), CaptureMethod: in.Capture, ClientSecret: in.Secret,
		ConfirmationMethod: "automatic", Created: in.Created, Currency: in.Currency, Description: nullable(in.Description),
		Metadata: metadata(in.Metadata), NextAction: s.nextAction(base, in), PaymentMethodTypes: in.Types,
		ReceiptEmail: nullable(in.Receipt), Statement: nullable(in.Statement), Status: in.Status,
	}
	if in.CanceledAt != 0 {
		at := in.CanceledAt
		out.CanceledAt = &at
	}
	if in.Method != nil {
		out.PaymentMethod = &in.Method.ID
	}
	if in.LastError != nil {
		out.LastPaymentError = &errorJSON{failure: in.LastError}
	}
	if in.Status == processing {
		out.Processing = map[string]any{"type": "card", "card": map[string]any{}}
	}
	switch {
	case in.Charge == "":
	case whole:
		out.LatestCharge = renderCharge(in)
	default:
		out.LatestCharge = in.Charge
	}
	return out
}

// nextAction tells what the payer has to do, or nil.
func (s *Server) nextAction(base string, in *intent) any {
	switch {
	case in.Status != needsAction:
		return nil
	case in.Pix != nil:
		at := base + "/pix/" + in.ID
		query := "?client_secret=" + in.Secret
		return pixActionJSON{Type: "pix_display_qr_code", Pix: pixJSON{
			Data: in.Pix.Code, ExpiresAt: in.Pix.Expires, Instructions: at + query,
			PNG: at + "/qr.png" + query, SVG: at + "/qr.svg" + query,
		}}
	default:
		return redirectJSON{Type: "redirect_to_url", RedirectToURL: map[string]string{
			"url": base + "/3ds/" + in.ID + "?client_secret=" + in.Secret, "return_url": in.ReturnURL,
		}}
	}
}

func renderCharge(in *intent) *chargeJSON {
	c := &chargeJSON{
		ID: in.Charge, Object: "charge", Amount: in.Amount, AmountCaptured: in.Received, AmountRefunded: in.Refunded,
		Captured: in.Received > 0, Created: in.Created, Currency: in.Currency, Description: nullable(in.Description),
		Disputed: in.Disputed, Metadata: metadata(in.Metadata), Paid: in.ChargeOK, PaymentIntent: in.ID,
		Refunded: in.Received > 0 && in.Refunded == in.Received, Status: "failed",
	}
	if in.Method != nil {
		c.PaymentMethod = &in.Method.ID
	}
	if in.ChargeOK {
		c.Status = "succeeded"
	}
	return c
}

func renderRefund(r *refund) *refundJSON {
	return &refundJSON{
		ID: r.ID, Object: "refund", Amount: r.Amount, Charge: r.Charge, Created: r.Created, Currency: r.Currency,
		FailureReason: r.Failure, Metadata: metadata(r.Metadata), PaymentIntent: r.Intent, Reason: nullable(r.Reason), Status: r.Status,
	}
}
