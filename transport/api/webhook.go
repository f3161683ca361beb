package api

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"time"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/pay"
	"github.com/catraca/catraca/transport/wire"
)

// maxWebhook bounds a provider's message.
const maxWebhook = 64 << 10

// Webhook verifies what a payment provider sent. Package pay has it.
type Webhook interface {
	Event(header string, body []byte, now time.Time) (pay.Notice, error)
}

// webhook takes a provider's message. It is only a hint to ask the provider; 2xx means that the hint is in the log,
// anything else that the provider has to send it again.
func (s *Server) webhook(ctx context.Context, r *request) (answer, error) {
	body, err := s.body(r, maxWebhook)
	if err != nil {
		return answer{}, err
	}
	n, err := s.o.Webhook.Event(r.Header.Get("Stripe-Signature"), body, s.o.Now())
	if err != nil {
		s.o.Logger.Warn("webhook refused", slog.Any("error", err))
		return answer{}, invalid(r.lang, "/Stripe-Signature", "signature", "the message is not signed with a live secret, or too old")
	}
	if n.Ignored {
		return answer{status: http.StatusOK, body: map[string]bool{"received": true}}, nil
	}
	e, err := s.eventOfPayment(ctx, n)
	if err != nil {
		return answer{}, err
	}
	sum := sha256.Sum256([]byte("stripe\x00" + n.EventID))
	res, err := s.o.Sales.Submit(ctx, e, &sale.Command{
		Op: sale.OpPayNotice, Key: sale.Key(sum[:16]), Order: n.Order, Ref: n.Ref,
	})
	if err != nil {
		return answer{}, err
	}
	switch res.Refusal {
	case sale.Done, sale.RefusedMismatch, sale.RefusedUnknown:
		// Known before, or of no order: asking for it again would change nothing.
		return answer{status: http.StatusOK, body: map[string]bool{"received": true}}, nil
	default:
		return answer{}, refusal(e, res, r.lang)
	}
}

// eventOfPayment finds the sale a message is about: by its metadata, else by the payment's reference.
func (s *Server) eventOfPayment(ctx context.Context, n pay.Notice) (sale.EventID, error) {
	if n.Event != 0 {
		if _, err := s.o.Sales.View(n.Event); err == nil {
			return n.Event, nil
		}
	}
	for _, e := range s.o.Directory.Events() {
		known := false
		err := s.o.Sales.Read(ctx, sale.EventID(e.ID), func(st *sale.State) { _, known = st.OrderByRef(n.Ref) })
		if err == nil && known {
			return sale.EventID(e.ID), nil
		}
	}
	return 0, s.problem(wire.NotFound, "")
}
