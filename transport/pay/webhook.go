package pay

import (
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/catraca/catraca/actors/sale"
)

// Limits of a webhook call.
const (
	MaxWebhookBody   = 64 << 10 // bytes
	WebhookTolerance = 300 * time.Second

	maxSignatureHeader = 4 << 10
	maxSignatures      = 16
	maxSecrets         = 8
)

// Errors of [Verifier.Event]. The first two mean somebody else sent it: answer 400. The third is a body that is
// signed but not an event: answer 400 too, no repetition will cure it.
var (
	ErrSignature = errors.New("webhook signature is not valid")
	ErrTimestamp = errors.New("webhook timestamp is too far from now")
	ErrBody      = errors.New("webhook body is not an event")
)

// Notice is what a webhook says. It is a hint to look at the payment, never the truth about it: events come late,
// twice and out of order.
type Notice struct {
	EventID string // the provider's id of the event, for deduplication
	Type    string
	Ref     string // the payment; empty when Ignored
	Refund  string // the refund the event is about, when it is about one
	Created time.Time
	Live    bool // real money

	// From the payment's metadata, 0 when absent or not ours.
	Event   sale.EventID
	Order   sale.OrderID
	Attempt uint8

	// Ignored events are none of our business: answer 200 and forget them.
	Ignored bool
}

// Verifier checks that a webhook was sent by the provider, now. Safe for many goroutines.
type Verifier struct {
	path    string
	secrets atomic.Pointer[[]string]
}

// NewVerifier takes the secrets that are live now; while one is being replaced there are two.
func NewVerifier(secrets ...string) (*Verifier, error) {
	v := &Verifier{}
	if err := v.set(secrets); err != nil {
		return nil, err
	}
	return v, nil
}

// OpenVerifier reads the secrets from a file, one a line; empty lines and lines beginning with # are skipped.
func OpenVerifier(path string) (*Verifier, error) {
	v := &Verifier{path: path}
	if err := v.Reload(); err != nil {
		return nil, err
	}
	return v, nil
}

// Reload reads the file again. On an error the old secrets stay.
func (v *Verifier) Reload() error {
	if v.path == "" {
		return nil
	}
	secrets, err := secretLines(v.path)
	if err != nil {
		return fmt.Errorf("read webhook secrets: %w", err)
	}
	return v.set(secrets)
}

func (v *Verifier) set(secrets []string) error {
	if len(secrets) == 0 || len(secrets) > maxSecrets {
		return fmt.Errorf("validate webhook secrets: %d are given, allowed are 1 to %d", len(secrets), maxSecrets)
	}
	for i, s := range secrets {
		if len(s) < 16 {
			return fmt.Errorf("validate webhook secrets: number %d is shorter than 16 characters", i+1)
		}
	}
	own := slices.Clone(secrets)
	v.secrets.Store(&own)
	return nil
}

// Event verifies the Stripe-Signature header over the raw body and reads the event. now is the wall clock.
func (v *Verifier) Event(header string, body []byte, now time.Time) (Notice, error) {
	if len(body) > MaxWebhookBody {
		return Notice{}, fmt.Errorf("verify webhook: %w: larger than %d bytes", ErrBody, MaxWebhookBody)
	}
	t, signatures, err := parseSignature(header)
	if err != nil {
		return Notice{}, fmt.Errorf("verify webhook: %w: %w", ErrSignature, err)
	}
	if !v.signed(t, signatures, body) {
		return Notice{}, fmt.Errorf("verify webhook: %w: no signature matches", ErrSignature)
	}
	// Both ways: a far future stamp would let a stolen body be replayed for as long as it likes.
	if d := now.Unix() - t; d > int64(WebhookTolerance/time.Second) || d < -int64(WebhookTolerance/time.Second) {
		return Notice{}, fmt.Errorf("verify webhook: %w: it differs by %d s, allowed are %d s", ErrTimestamp, d, WebhookTolerance/time.Second)
	}
	n, err := parseEvent(body)
	if err != nil {
		return Notice{}, fmt.Errorf("verify webhook: %w: %w", ErrBody, err)
	}
	return n, nil
}

func (v *Verifier) signed(t int64, signatures [][]byte, body []byte) bool {
	ok := false
	for _, secret := range *v.secrets.Load() {
		want := webhook.ComputeSignature(time.Unix(t, 0), body, secret)
		for _, s := range signatures {
			ok = hmac.Equal(want, s) || ok
		}
	}
	return ok
}

// parseSignature reads "t=unix,v1=hex[,v1=hex…]"; schemes other than v1 are skipped.
func parseSignature(header string) (t int64, signatures [][]byte, err error) {
	if header == "" {
		return 0, nil, errors.New("the header is missing")
	}
	if len(header) > maxSignatureHeader {
		return 0, nil, errors.New("the header is too long")
	}
	seen := false
	for part := range strings.SplitSeq(header, ",") {
		name, value, ok := strings.Cut(part, "=")
		switch {
		case !ok:
			return 0, nil, errors.New("the header has a part without =")
		case name == "t" && seen:
			return 0, nil, errors.New("the header has two timestamps")
		case name == "t":
			seen = true
			// At most ten digits: enough until the year 2286, and no arithmetic below can overflow.
			if t, err = strconv.ParseInt(value, 10, 64); err != nil || t <= 0 || len(value) > 10 {
				return 0, nil, errors.New("the header's timestamp is not a time")
			}
		case name == "v1" && len(signatures) < maxSignatures:
			if s, herr := hex.DecodeString(value); herr == nil && len(s) == 32 {
				signatures = append(signatures, s)
			}
		}
	}
	if !seen || len(signatures) == 0 {
		return 0, nil, errors.New("the header lacks a timestamp or a v1 signature")
	}
	return t, signatures, nil
}

// signedEvent is the part of an event that is read; the API version does not matter for it.
type signedEvent struct {
	ID       string `json:"id"`
	Object   string `json:"object"`
	Type     string `json:"type"`
	Created  int64  `json:"created"`
	Livemode bool   `json:"livemode"`
	Data     struct {
		Object json.RawMessage `json:"object"`
	} `json:"data"`
}

func parseEvent(body []byte) (Notice, error) {
	var e signedEvent
	if err := json.Unmarshal(body, &e); err != nil {
		return Notice{}, err
	}
	switch {
	case e.Object != "event":
		return Notice{}, fmt.Errorf("object is %q, not event", clip(e.Object, 40))
	case e.ID == "" || len(e.ID) > 255:
		return Notice{}, fmt.Errorf("id has %d characters, allowed are 1 to 255", len(e.ID))
	case e.Type == "" || len(e.Type) > 255:
		return Notice{}, fmt.Errorf("type has %d characters, allowed are 1 to 255", len(e.Type))
	}
	n := Notice{EventID: e.ID, Type: e.Type, Created: time.Unix(e.Created, 0).UTC(), Live: e.Livemode}
	about := subjectOf(e.Type)
	if about == nothing {
		n.Ignored = true
		return n, nil
	}
	if err := n.readSubject(about, e.Data.Object); err != nil {
		return Notice{}, fmt.Errorf("data.object: %w", err)
	}
	return n, nil
}
