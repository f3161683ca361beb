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

// answerWait is how long a message about a payment waits for the answer to the call that has caused it.
const answerWait = 2 * time.Second

// webhook takes a provider's message. It is only a hint to ask the provider; 2xx means that the hint is in the log or
// that the log has what it could lead to, anything else that the provider has to send it again.
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
	if known, err := s.knows(ctx, e, n); known || err != nil {
		return answer{status: http.StatusOK, body: map[string]bool{"received": true}}, err
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

// knows says whether a message tells nothing that is not in the log: money that was taken. Most messages are of that kind,
// because the provider sends one whenever we take the money, and often before it answers us. Then the answer is waited for
// a little: it is about to come, and costs less than to ask.
func (s *Server) knows(ctx context.Context, e sale.EventID, n pay.Notice) (bool, error) {
	if n.Refund != "" || n.Ref == "" {
		return false, nil
	}
	id, o, err := s.paidBy(ctx, e, n.Ref)
	if err != nil || o.State != sale.OrderCommitted {
		return settled(&o), err
	}
	wait, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	changed, forget, err := s.watches.order(wait, s.o.Sales, e, id)
	if err != nil {
		return false, err
	}
	defer forget()
	for {
		if _, o, err = s.paidBy(ctx, e, n.Ref); err != nil || o.State != sale.OrderCommitted {
			return settled(&o), err
		}
		select {
		case <-changed:
		case <-wait.Done():
			return false, ctx.Err()
		}
	}
}

// paidBy reads the order that a payment is shown with; none, with state 0, when there is none.
func (s *Server) paidBy(ctx context.Context, e sale.EventID, ref string) (id sale.OrderID, o sale.Order, err error) {
	err = s.o.Sales.Read(ctx, e, func(st *sale.State) {
		var ok bool
		if id, ok = st.OrderByRef(ref); ok {
			o, _ = st.Order(id)
		}
	})
	if o.Payment.Ref != ref {
		o = sale.Order{}
	}
	return id, o, err
}

// settled says whether an order's money was taken, and none of it is on its way back.
func settled(o *sale.Order) bool {
	return o.Payment.State == sale.PayCaptured && o.Payment.Refund == sale.RefundNone
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
