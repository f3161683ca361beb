package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// Story is what a fan sets out to do.
type Story struct {
	Quantity  uint32        // places wanted
	Category  *uint16       // nil: any
	Scatter   bool          // separate places are better than none
	Linger    time.Duration // looks at the seats before choosing
	Walkaway  bool          // leaves the shop without buying
	Method    string        // card or pix
	Card      string        // number typed on the payment page
	Patience  time.Duration // gives a single request up after; 0: 60 s
	GiveUp    bool          // leaves the queue instead of waiting
	PollOrder time.Duration // between looks at an order that is being paid; 0: 250 ms
}

// Fan is one virtual fan.
type Fan struct {
	Base    string // http://host:port of the server or its balancer
	Event   string // slug
	Token   string
	Client  *http.Client
	Journal *Journal
	// Payer plays the person on the payment page, given its address and the card. nil: the method needs none.
	Payer func(ctx context.Context, page, card string) error
}

// Outcome of a story.
type Outcome struct {
	Place   wire.Place
	Hold    *wire.Hold
	Order   *wire.Order
	Tickets []wire.Ticket
	SoldOut bool
	Left    bool
}

// Refused is an answer that says no.
type Refused struct{ wire.Problem }

func (r *Refused) Error() string { return fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Detail) }

// Run lives the story. Connection losses and busy answers are waited out; a refusal that a person would accept
// (sold out) ends the story without an error.
func (f *Fan) Run(ctx context.Context, s Story) (out Outcome, err error) {
	if err := f.queue(ctx, s, &out); err != nil || out.Left {
		return out, err
	}
	if err := sleep(ctx, s.Linger); err != nil {
		return out, err
	}
	if s.Walkaway {
		out.Left = true
		return out, f.call(ctx, s, http.MethodDelete, "/events/"+f.Event+"/admission", "", nil, nil)
	}
	if err := f.hold(ctx, s, &out); err != nil || out.SoldOut {
		return out, err
	}
	return out, f.buy(ctx, s, &out)
}

func (f *Fan) hold(ctx context.Context, s Story, out *Outcome) error {
	var h wire.Hold
	in := wire.HoldRequest{Best: &wire.BestRequest{Quantity: s.Quantity, Category: s.Category, Scatter: s.Scatter}}
	err := f.call(ctx, s, http.MethodPost, "/events/"+f.Event+"/holds", key(), in, &h)
	var no *Refused
	if errors.As(err, &no) && no.Code == wire.SoldOut {
		out.SoldOut = true
		return f.call(ctx, s, http.MethodDelete, "/events/"+f.Event+"/admission", "", nil, nil)
	}
	if err != nil {
		return fmt.Errorf("hold: %w", err)
	}
	out.Hold = &h
	f.Journal.held(h)
	return nil
}

func (f *Fan) buy(ctx context.Context, s Story, out *Outcome) error {
	var o wire.Order
	if err := f.call(ctx, s, http.MethodPost, "/events/"+f.Event+"/orders", key(), wire.OrderRequest{Hold: out.Hold.ID}, &o); err != nil {
		return fmt.Errorf("order: %w", err)
	}
	out.Order = &o
	f.Journal.ordered(o)
	if err := f.call(ctx, s, http.MethodPost, "/orders/"+o.ID+"/pay", key(), wire.PayRequest{Method: s.Method}, &o); err != nil {
		return fmt.Errorf("pay: %w", err)
	}
	paid := false
	for {
		if !paid && f.Payer != nil && o.Payment != nil && o.Payment.URL != nil && s.Method == "card" {
			if err := f.retry(ctx, s, func() error { return f.Payer(ctx, *o.Payment.URL, s.Card) }); err != nil {
				return fmt.Errorf("pay on the payment page: %w", err)
			}
			paid = true
		}
		switch o.State {
		case "fulfilled":
			return f.collect(ctx, s, out)
		case "expired", "canceled", "refunded":
			return nil
		}
		if err := sleep(ctx, max(s.PollOrder, 250*time.Millisecond)); err != nil {
			return err
		}
		if err := f.call(ctx, s, http.MethodGet, "/orders/"+o.ID, "", nil, &o); err != nil {
			return fmt.Errorf("look at the order: %w", err)
		}
	}
}

func (f *Fan) collect(ctx context.Context, s Story, out *Outcome) error {
	var list wire.List[wire.Ticket]
	if err := f.call(ctx, s, http.MethodGet, "/orders/"+out.Order.ID+"/tickets", "", nil, &list); err != nil {
		return fmt.Errorf("collect the tickets: %w", err)
	}
	out.Tickets = list.Items
	f.Journal.bought(*out.Order, list.Items)
	return nil
}

// call does one request until it is answered: a lost connection or a busy server is asked again, with the same key.
func (f *Fan) call(ctx context.Context, s Story, method, path, key string, in, out any) error {
	var body []byte
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = b
	}
	return f.retry(ctx, s, func() error { return f.once(ctx, method, path, key, body, out) })
}

func (f *Fan) retry(ctx context.Context, s Story, do func() error) error {
	patience := s.Patience
	if patience == 0 {
		patience = time.Minute
	}
	until := time.Now().Add(patience)
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := do()
		var no *Refused
		if err == nil || errors.As(err, &no) && no.Status < http.StatusInternalServerError && no.Status != http.StatusTooManyRequests {
			return err
		}
		if no != nil && no.RetryAfter > 0 {
			pause = time.Duration(no.RetryAfter) * time.Millisecond
		}
		if time.Now().After(until) {
			return err
		}
		if err := sleep(ctx, pause/2+rand.N(pause)); err != nil {
			return err
		}
	}
}

func (f *Fan) once(ctx context.Context, method, path, key string, body []byte, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, f.Base+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+f.Token)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := f.Client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // read to the end or given up
	b, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return err
	}
	if res.StatusCode >= http.StatusBadRequest {
		no := &Refused{}
		if !strings.Contains(res.Header.Get("Content-Type"), "problem+json") || json.Unmarshal(b, &no.Problem) != nil {
			no.Code = wire.Unavailable // a balancer's own page
		}
		no.Status = res.StatusCode
		return no
	}
	if out == nil || len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, out)
}

func key() string { return fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()) }

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
