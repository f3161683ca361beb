package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/transport/api"
)

// fan of the crowd with its session.
type fan = api.Fan

// mint makes accounts for the crowd.
func (s *stage) mint(ctx context.Context, n int) ([]fan, error) {
	if s.troupe != nil {
		return s.mintByAPI(ctx, n)
	}
	fans, err := s.node.api.MintFans(ctx, 0, s.event.Event, uint32(n))
	if err != nil {
		return nil, fmt.Errorf("make simulated fans: %w", err)
	}
	return fans, nil
}

// crowd are the simulated fans. They come to the public address like everybody else.
type crowd struct {
	size    int
	queued  atomic.Int64 // have a place and wait
	bought  atomic.Int64
	left    atomic.Int64
	failed  atomic.Int64
	running sync.WaitGroup
}

// startCrowd lets the fans come before the sale opens, over most of the time that is left, so that a person who
// opens the page finds a queue.
func startCrowd(ctx context.Context, s *stage, fans []fan) *crowd {
	c := &crowd{size: len(fans)}
	client := &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 256, IdleConnTimeout: 30 * time.Second},
	}
	payer := bench.SandboxPayer(client)
	over := time.Until(time.UnixMilli(s.event.OpensAt)) * 3 / 4
	over = max(over, time.Second)
	for i := range fans {
		f := &bench.Fan{Base: s.url, Event: s.event.Slug, Token: fans[i].Token, Client: client, Payer: payer}
		c.running.Go(func() {
			if pause(ctx, rand.N(over)) {
				c.live(ctx, f, story())
			}
		})
	}
	return c
}

// story of one fan: most buy by card, some by Pix, some only look.
func story() bench.Story {
	s := bench.Story{
		Quantity: 1 + rand.Uint32N(4), Scatter: true, Linger: 2*time.Second + rand.N(12*time.Second),
		Method: "card", Card: "4242424242424242", PollOrder: time.Second,
	}
	switch n := rand.IntN(100); {
	case n < 25:
		s.Method = "pix"
	case n < 30:
		s.Card = "4000002760003184" // the bank asks
	case n < 40:
		s.Walkaway = true
	}
	return s
}

func (c *crowd) live(ctx context.Context, f *bench.Fan, s bench.Story) {
	c.queued.Add(1)
	out, err := f.Run(ctx, s)
	c.queued.Add(-1)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		c.failed.Add(1)
	case len(out.Tickets) > 0:
		c.bought.Add(int64(len(out.Tickets)))
	default:
		c.left.Add(1)
	}
}

func (c *crowd) wait() { c.running.Wait() }

// watch tells every few seconds how the sale goes, until it is told to stop.
func (s *stage) watch(ctx context.Context, env environment) error {
	t := time.NewTicker(5 * time.Second)
	defer t.Stop()
	last := ""
	var failed chan error // never, when every node is a process of its own
	if s.node != nil {
		failed = s.node.failed
	}
	for {
		select {
		case <-ctx.Done():
			if env.terminal {
				_, _ = fmt.Fprintln(env.stderr) // ends the line of the counters
			}
			return nil
		case err := <-failed:
			return fmt.Errorf("a listener ended: %w", err)
		case <-t.C:
		}
		line := s.line(ctx)
		if line == last {
			continue
		}
		last = line
		if env.terminal {
			_, _ = fmt.Fprintf(env.stderr, "\r\033[K  %s", line) // nowhere else to tell it
		} else {
			_, _ = fmt.Fprintln(env.stderr, "  "+line)
		}
	}
}

func (s *stage) line(ctx context.Context) string {
	if s.troupe != nil {
		return s.lineByAPI(ctx)
	}
	v, err := s.node.events.View(s.event.Event)
	if err != nil {
		return err.Error()
	}
	q := v.Queue.Counts
	return fmt.Sprintf("%s · waiting %d · shopping %d · seats free %d, held %d, sold %d · live sockets %d",
		v.Phase.String(), q.Waiting+q.Away, q.Shopping+q.Offered, v.Totals.Free, v.Totals.Held, v.Totals.Sold, s.node.live.Connections())
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
