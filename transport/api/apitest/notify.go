package apitest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// Notice is the provider's message about a payment.
func Notice(eventID, ref string) string {
	return fmt.Sprintf(`{"id":%q,"object":"event","type":"payment_intent.succeeded","created":1,"data":{"object":{"id":%q,"object":"payment_intent"}}}`, eventID, ref)
}

// Signature of a message at a time.
func Signature(at time.Time, body, secret string) string {
	m := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(m, "%d.%s", at.Unix(), body) // a hash never fails
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(m.Sum(nil)))
}

// Notify sends a well-signed message.
func (h *House) Notify(t testing.TB, eventID, ref string) *Answer {
	t.Helper()
	body := Notice(eventID, ref)
	return h.Nobody().Do(t, http.MethodPost, "/api/v1/payments/stripe/webhook", body,
		Header("Stripe-Signature", Signature(time.Now(), body, WebhookSecret)))
}
