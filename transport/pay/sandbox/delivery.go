package sandbox

import (
	"bytes"
	"context"
	"encoding/hex"
	"hash/fnv"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"
)

// staleBy is how old the timestamp of a webhook with an old timestamp is.
const staleBy = 10 * time.Minute

// delivery is one event on its way to the webhook address.
type delivery struct {
	ev    *event
	id    string // the event's id, or a new one for a duplicate
	body  []byte
	fault string // bad_signature, old_timestamp
	due   time.Time
	tries int
	copy  bool // a requested duplicate: its fate does not settle the event
	seq   uint64
}

// publish sends events that were committed on their way; those a fault wants first are delivered before it returns.
func (s *Server) publish(events []*event) {
	for _, ev := range events {
		s.dispatch(ev)
	}
}

// dispatch hands an event to its courier, or does to it what a fault asks for. With the server's lock held it may be
// called only while there are no faults.
func (s *Server) dispatch(ev *event) {
	if s.o.WebhookURL == "" {
		return
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(ev.Intent)) // never fails
	c := s.post[h.Sum32()%couriers]
	now := s.o.Now()
	d := &delivery{ev: ev, id: ev.ID, body: ev.Body, due: now}
	f := s.faults.webhook(ev)
	switch {
	case f.is("lose"):
		s.sent.add(Delivery{Event: ev.ID, Type: ev.Type, Payment: ev.Intent, At: now, Result: "lost on request"})
		s.settle(ev.ID)
		return
	case f.is("delay"):
		d.due = now.Add(f.delay())
		if !ev.ours {
			s.held.add(ev.reference, heldTime{now, d.due, true})
		}
	case f.is("bad_signature"), f.is("old_timestamp"):
		d.fault = f.Do
	case f.is("reorder"):
		d.due = now.Add(reorderWait)
		c.hold(d)
		return
	case f.is("before_answer"):
		c.now(d)
		return
	case f.is("duplicate"), f.is("duplicate_new_id"):
		c.add(d)
		for n := range max(f.Count, 1) {
			c.add(d.again(f.Do == "duplicate_new_id", n))
		}
		return
	}
	c.add(d)
}

// again is one more delivery of the same event, under a new id if asked.
func (d *delivery) again(renamed bool, n int) *delivery {
	out := &delivery{ev: d.ev, id: d.id, body: d.body, due: d.due, copy: true}
	if renamed {
		out.id = d.id + "dup" + strconv.Itoa(n+1)
		out.body = bytes.Replace(d.body, []byte(strconv.Quote(d.id)), []byte(strconv.Quote(out.id)), 1)
	}
	return out
}

func (c *courier) attempt(ctx context.Context, d *delivery, now time.Time) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.s.o.WebhookURL, bytes.NewReader(d.body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "Stripe/1.0 (compatible; Catraca sandbox)")
	req.Header.Set("Stripe-Signature", c.s.sign(d, now))
	res, err := c.s.postHTTP.Do(req)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection is used again
	_ = res.Body.Close()                                         // read only
	return res.StatusCode, nil
}

// sign makes the Stripe-Signature header, with every secret that is live.
func (s *Server) sign(d *delivery, now time.Time) string {
	if d.fault == "old_timestamp" {
		now = now.Add(-staleBy)
	}
	var out strings.Builder
	out.WriteString("t=" + strconv.FormatInt(now.Unix(), 10))
	for _, secret := range []string{s.o.WebhookSecret, s.o.WebhookOldSecret} {
		if secret == "" {
			continue
		}
		if d.fault == "bad_signature" {
			secret += "?"
		}
		out.WriteString(",v1=" + hex.EncodeToString(webhook.ComputeSignature(now, d.body, secret)))
	}
	return out.String()
}

// Delivery is one try to deliver an event, or the decision to lose it.
type Delivery struct {
	Event   string    `json:"event"`
	Type    string    `json:"type"`
	Payment string    `json:"payment"`
	At      time.Time `json:"at"`
	Try     int       `json:"try"`
	Status  int       `json:"status"`
	Result  string    `json:"result"`
}

// sentLog keeps the last deliveries for people. Safe for many goroutines.
type sentLog struct {
	mu   sync.Mutex
	list []Delivery
}

func (l *sentLog) add(d Delivery) {
	const most = 1000
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) >= 2*most {
		l.list = append([]Delivery(nil), l.list[len(l.list)-most:]...)
	}
	l.list = append(l.list, d)
}

func (l *sentLog) all() []Delivery {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Delivery{}, l.list...)
}

// Deliveries returns the latest tries to deliver webhooks, oldest first.
func (s *Server) Deliveries() []Delivery { return s.sent.all() }
