package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/stripe/stripe-go/v85"
)

// tx is one transaction: it works on clones and becomes visible, with its events, all at once or not at all. It lives
// under the server's lock and must not outlive it.
type tx struct {
	s       *Server
	r       *http.Request // nil when no request caused it
	now     time.Time
	p       *params
	key     string // idempotency key of the request
	intents []*intent
	refunds []*refund
	events  []*event
	answer  *answer
}

// intent returns a payment to change, or nil.
func (t *tx) intent(id string) *intent {
	for _, in := range t.intents {
		if in.ID == id {
			return in
		}
	}
	in := t.s.intents[id]
	if in == nil {
		return nil
	}
	in = in.clone()
	t.intents = append(t.intents, in)
	return in
}

// peek returns a payment to look at, as this transaction sees it, or nil.
func (t *tx) peek(id string) *intent {
	for _, in := range t.intents {
		if in.ID == id {
			return in
		}
	}
	return t.s.intents[id]
}

// refund returns a refund to change, or nil.
func (t *tx) refund(id string) *refund {
	for _, r := range t.refunds {
		if r.ID == id {
			return r
		}
	}
	r := t.s.refunds[id]
	if r == nil {
		return nil
	}
	r = r.clone()
	t.refunds = append(t.refunds, r)
	return r
}

// emit records that something happened to the payment, with object as it is now.
func (t *tx) emit(kind string, in *intent, object any) {
	id, n := t.s.newID("evt")
	body, err := json.Marshal(eventJSON{
		ID: id, Object: "event", APIVersion: stripe.APIVersion, Created: t.now.Unix(), Type: kind,
		PendingWebhooks: 1, Data: eventData{object}, Request: eventRequest{Key: nullable(t.key)},
	})
	if err != nil { // every object is a plain struct of ours
		panic("sandbox: encode event: " + err.Error())
	}
	t.events = append(t.events, &event{
		N: n, ID: id, Type: kind, Created: t.now.Unix(), Intent: in.ID, Order: in.Metadata["order"], Body: body,
		reference: in.Metadata["reference"], ours: t.p != nil,
	})
}

// emitIntent is emit for the payment itself.
func (t *tx) emitIntent(kind string, in *intent) {
	t.emit(kind, in, t.s.renderIntent(t.base(), in, false))
}

func (t *tx) base() string { return t.s.base(t.r) }

// update runs fn in a transaction and commits what it did. It returns the events that happened.
func (s *Server) update(t *tx, fn func(*tx)) ([]*event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.damage != nil {
		return nil, s.damage
	}
	t.s, t.now = s, s.o.Now()
	fn(t)
	return t.events, s.commit(t)
}

// commit makes a transaction durable and visible. The caller holds the lock.
func (s *Server) commit(t *tx) error {
	e := &entry{Intents: t.intents, Refunds: t.refunds, Events: t.events, Answer: t.answer, Sequence: s.sequence}
	if len(e.Intents)+len(e.Refunds)+len(e.Events) == 0 && e.Answer == nil {
		return nil
	}
	if s.o.WebhookURL == "" { // nobody waits for them
		for _, ev := range e.Events {
			e.Settled = append(e.Settled, ev.ID)
		}
	}
	if s.journal != nil {
		if err := s.journal.append(e); err != nil {
			s.damage = err
			s.log.Error("payment sandbox stops", "error", err)
			return err
		}
	}
	if err := s.take(e); err != nil { // only a mistake in this package
		panic("sandbox: commit: " + err.Error())
	}
	for _, in := range t.intents {
		if in.Due != 0 {
			s.due.add(in.Due, in.ID)
		}
	}
	for _, r := range t.refunds {
		if r.Due != 0 {
			s.due.add(r.Due, r.ID)
		}
	}
	if len(t.intents)+len(t.refunds) > 0 {
		s.poke()
	}
	if s.journal != nil && s.journal.size > s.rewriteAt {
		if err := s.rewrite(); err != nil {
			s.rewriteAt *= 2
			s.log.Warn("payment sandbox state not shortened", "error", err)
		}
	}
	return nil
}

func (s *Server) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// settle records that an event needs no delivery any more.
func (s *Server) settle(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.undone[id] {
		return
	}
	delete(s.undone, id)
	if s.journal == nil || s.damage != nil {
		return
	}
	if err := s.journal.append(&entry{Settled: []string{id}}); err != nil {
		s.damage = err
		s.log.Error("payment sandbox stops", "error", err)
	}
}

// newest yields payments from the newest to the oldest. The caller holds the lock.
func (s *Server) newest(yield func(*intent) bool) {
	for _, id := range slices.Backward(s.ordered) {
		if !yield(s.intents[id]) {
			return
		}
	}
}
