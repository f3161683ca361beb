package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// newHistogram counts latencies up to a minute in microseconds, to three digits.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, 60_000_000, 3) }

// work lets clients with one request in flight each work for some time. What they do in the first tenth of it, before
// it begins, is not counted.
func work(ctx context.Context, p peer, o Order) (Done, error) {
	length := time.Duration(o.Millis) * time.Millisecond
	warm := length / 10
	if err := p.Prepare(ctx, o.Form, (length + warm).Seconds()); err != nil {
		return Done{Form: o.Form}, fmt.Errorf("prepare %s: %w", o.Work, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	clients := make([]func(context.Context) error, o.Clients)
	for i := range clients {
		var err error
		if clients[i], err = p.Client(ctx, o.Form, i); err != nil {
			return Done{Form: o.Form}, fmt.Errorf("connect client %d: %w", i+1, err)
		}
	}
	begin := time.Now().Add(warm)
	end := begin.Add(length)
	all, errs := make([]*hdrhistogram.Histogram, o.Clients), make([]error, o.Clients)
	var running sync.WaitGroup
	for i, do := range clients {
		all[i] = newHistogram()
		running.Go(func() {
			if errs[i] = loop(ctx, all[i], begin, end, do); errs[i] != nil {
				cancel()
			}
		})
	}
	running.Wait()
	sum := newHistogram()
	for _, h := range all {
		sum.Merge(h)
	}
	done := Done{
		Form: o.Form, Count: sum.TotalCount(), PerSecond: float64(sum.TotalCount()) / length.Seconds(),
		P50: sum.ValueAtQuantile(50), P99: sum.ValueAtQuantile(99),
	}
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return done, err
		}
	}
	return done, ctx.Err()
}

// loop is one client. What ends within the time is counted.
func loop(ctx context.Context, h *hdrhistogram.Histogram, begin, end time.Time, do func(context.Context) error) error {
	for started := time.Now(); started.Before(end); {
		if err := do(ctx); err != nil {
			return err
		}
		ended := time.Now()
		if !ended.Before(begin) && ended.Before(end) {
			if err := h.RecordValue(max(ended.Sub(started).Microseconds(), 1)); err != nil {
				return err
			}
		}
		started = ended
	}
	return nil
}
