package main

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
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	virtual "github.com/catraca/catraca/bench"
)

// peerShop is Catraca's side: two rehearsals on servers of our own, one in which fans shop and one with a long queue.
//
// A connection may send twenty frames a second, and a person has one hold at a time, so the clients take turns with
// many fans: each takes the next one that has not asked in this turn, and when all have, everything is given back
// while the clock stands. No limit of the server is changed for it.
type peerShop struct {
	bases  []string // nodes
	token  string   // of the owner
	client *http.Client
	run    string // part of idempotency keys

	shop, line string // events
	shoppers   []*peerFan
	joiners    []*peerFan
	waiting    int // in the queue
	keys       atomic.Uint64
}

// peerFan is a fan with a live socket.
type peerFan struct {
	token string
	unit  uint32 // the seat it takes
	reply []byte // to its hold
	ws    *websocket.Conn
}

// openShop puts both events on sale and lets everybody in who is to shop. Nobody joins the queue yet.
func openShop(ctx context.Context, bases []string, token string, fans int) (*peerShop, error) {
	s := &peerShop{
		bases: bases, token: token, client: virtual.NewClient(64), run: fmt.Sprintf("%08x", rand.Uint32()), //nolint:gosec // any name
		shop: "peers-shop", line: "peers-line",
	}
	if err := s.sell(ctx, s.shop, 6_000_000, 100_000); err != nil {
		return nil, err
	}
	var err error
	if s.shoppers, err = s.mint(ctx, s.shop, fans); err != nil {
		return nil, err
	}
	if err := s.each(ctx, 64, s.shoppers, func(f *peerFan) error {
		return s.post(ctx, f.token, "/api/v1/events/"+s.shop+"/queue", struct{}{}, nil)
	}); err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	if err := s.each(ctx, 64, s.shoppers, func(f *peerFan) error { return s.claim(ctx, f) }); err != nil {
		return nil, fmt.Errorf("let fans in: %w", err)
	}
	return s, s.choose(ctx)
}

// queueUp makes the queue as long as it is to be, and the fans who join it.
func (s *peerShop) queueUp(ctx context.Context, waiting, fans int) error {
	if err := s.sell(ctx, s.line, 1, 1); err != nil {
		return err
	}
	crowd, err := s.mint(ctx, s.line, waiting)
	if err != nil {
		return err
	}
	if err := s.each(ctx, 64, crowd, func(f *peerFan) error {
		return s.post(ctx, f.token, "/api/v1/events/"+s.line+"/queue", struct{}{}, nil)
	}); err != nil {
		return fmt.Errorf("fill the queue: %w", err)
	}
	s.waiting = waiting
	s.joiners, err = s.mint(ctx, s.line, fans)
	return err
}

// sell puts a rehearsal on sale.
func (s *peerShop) sell(ctx context.Context, slug string, rate, active int) error {
	if err := s.post(ctx, s.token, "/api/v1/admin/events", peerEvent(slug, rate, active), nil); err != nil {
		return fmt.Errorf("put the event on sale: %w", err)
	}
	return s.post(ctx, s.token, "/api/v1/admin/events/"+slug+"/open", struct{}{}, nil)
}

// peerEvent is the event file of a rehearsal: a racetrack with 8,897 numbered seats, of which a hold may leave single
// ones over.
func peerEvent(slug string, rate, active int) map[string]any {
	return map[string]any{
		"slug": slug, "name": "Ensaio", "venue": "Bancada", "rehearsal": true, "plan": "racetrack", "orphan": "ignore",
		"starts_at": "now+720h", "opens_at": "now+24h",
		"categories": map[string]any{
			"1": map[string]any{"name": "Arquibancada da Reta", "price": 180, "fee": 27},
			"2": map[string]any{"name": "Arquibancada Central", "price": 320, "fee": 48},
		},
		"queue":  map[string]any{"rate_per_minute": rate, "active_cap": active, "claim": "1h", "lease": "2h", "lease_cap": "5h"},
		"limits": map[string]any{"per_hold": 4, "per_account": 4},
		"times":  map[string]any{"hold": "10m", "hold_renewal": "10m"},
	}
}

// mint makes virtual fans.
func (s *peerShop) mint(ctx context.Context, slug string, n int) ([]*peerFan, error) {
	var all []*peerFan
	for len(all) < n {
		var minted struct {
			Fans []struct {
				Token string `json:"token"`
			} `json:"fans"`
		}
		in := map[string]any{"count": min(n-len(all), 10_000)}
		if err := s.post(ctx, s.token, "/api/v1/admin/events/"+slug+"/rehearsal-fans", in, &minted); err != nil {
			return nil, fmt.Errorf("make virtual fans: %w", err)
		}
		if len(minted.Fans) == 0 {
			return nil, errors.New("make virtual fans: the server made none")
		}
		for _, f := range minted.Fans {
			all = append(all, &peerFan{token: f.Token})
		}
	}
	return all, nil
}

// claim takes the turn as soon as it comes.
func (s *peerShop) claim(ctx context.Context, f *peerFan) error {
	for until := time.Now().Add(time.Minute); ; {
		err := s.post(ctx, f.token, "/api/v1/events/"+s.shop+"/admission", struct{}{}, nil)
		if err == nil || time.Now().After(until) || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// choose gives every fan a seat of its own: the best that was left for it.
func (s *peerShop) choose(ctx context.Context) error {
	if err := s.connect(ctx, s.shop, s.shoppers); err != nil {
		return err
	}
	defer hangUp(s.shoppers)
	err := s.each(ctx, 64, s.shoppers, func(f *peerFan) error {
		if err := s.holdBest(f); err != nil {
			return err
		}
		h, err := f.held()
		if err == nil {
			f.unit = h.Lines[0].Unit
		}
		return err
	})
	if err == nil { // not before everybody has one
		err = s.each(ctx, 64, s.shoppers, s.release)
	}
	if err != nil {
		return fmt.Errorf("choose seats: %w", err)
	}
	return nil
}

// each does something with every fan, so many at once.
func (s *peerShop) each(ctx context.Context, clients int, fans []*peerFan, do func(*peerFan) error) error {
	var next atomic.Int64
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(fans) {
					return
				}
				if err := do(fans[i]); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// post does one call; there is always a body, if only an empty object.
func (s *peerShop) post(ctx context.Context, token, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.bases[0]+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Idempotency-Key", string(s.key(nil)))
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // read to its end or given up
	data, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil {
		return err
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("POST %s: %s %.300s", path, res.Status, data)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// connect opens the fans' live sockets, spread over the nodes.
func (s *peerShop) connect(ctx context.Context, event string, fans []*peerFan) error {
	dialer := virtual.NewSockets()
	var turn atomic.Int64
	err := s.each(ctx, 16, fans, func(f *peerFan) error {
		base := s.bases[int(turn.Add(1))%len(s.bases)]
		ws, res, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(base, "http")+"/api/v1/events/"+event+"/live", http.Header{"Authorization": {"Bearer " + f.token}})
		if res != nil && res.Body != nil {
			defer func() { _ = res.Body.Close() }() // a refusal's short text
		}
		if err != nil {
			return err
		}
		f.ws = ws
		return nil
	})
	if err != nil {
		hangUp(fans)
		return fmt.Errorf("open live sockets: %w", err)
	}
	return nil
}

func hangUp(fans []*peerFan) {
	for _, f := range fans {
		if f.ws != nil {
			_ = f.ws.Close() // the server may have done it
			f.ws = nil
		}
	}
}

func (s *peerShop) close() { s.client.CloseIdleConnections() }
