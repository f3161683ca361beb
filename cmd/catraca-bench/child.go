package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/actors/sale"
)

// order is one line from the parent; a child answers each with one line.
type order struct {
	Do      string        `json:"do"`
	Events  []int         `json:"events,omitempty"` // event i lives on shard i
	Seats   int           `json:"seats,omitempty"`
	Callers int           `json:"callers,omitempty"` // of each event
	First   int           `json:"first,omitempty"`   // account of the first caller, and with it their seats
	During  time.Duration `json:"during,omitempty"`
	To      string        `json:"to,omitempty"`
}

// reply answers an order.
type reply struct {
	Error   string        `json:"error,omitempty"`
	Figures figures       `json:"figures"`
	Base    figures       `json:"base"` // of what is measured beside it
	Gap     time.Duration `json:"gap,omitempty"`
	Heap    uint64        `json:"heap,omitempty"` // bytes in use after a collection
	CPU     time.Duration `json:"cpu,omitempty"`  // used since the start
	Leaders []string      `json:"leaders,omitempty"`
}

func engineNodeCommand(env environment) *cobra.Command {
	return &cobra.Command{
		Use: "engine-node OPTIONS", Short: "One node of the engine command", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var o nodeOptions
			if err := json.Unmarshal([]byte(args[0]), &o); err != nil {
				return fmt.Errorf("read options: %w", err)
			}
			log := slog.New(slog.NewTextHandler(env.stderr, &slog.HandlerOptions{Level: slog.LevelError}))
			e, err := openEngine(o, log, func(err error) {
				log.Error("this node must stop", slog.Any("error", err))
				os.Exit(exitFailed)
			})
			if err != nil {
				return err
			}
			if err := e.ready(c.Context()); err != nil {
				return errors.Join(err, e.close())
			}
			err = (&child{engine: e, dir: o.Dir, crowds: make(map[int][]*shopper)}).obey(c.Context(), env.stdin, env.stdout)
			return errors.Join(err, e.close())
		},
	}
}

// child does what the parent says.
type child struct {
	*engine

	dir    string
	crowds map[int][]*shopper
}

func (c *child) obey(ctx context.Context, in io.Reader, out io.Writer) error {
	enc := json.NewEncoder(out)
	if err := enc.Encode(reply{}); err != nil { // ready
		return fmt.Errorf("say ready: %w", err)
	}
	for dec := json.NewDecoder(in); ; {
		var o order
		switch err := dec.Decode(&o); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read order: %w", err)
		}
		var r reply
		if err := c.do(ctx, o, &r); err != nil {
			r.Error = err.Error()
		}
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
}

func (c *child) do(ctx context.Context, o order, r *reply) (err error) {
	switch o.Do {
	case "create":
		for _, ev := range o.Events {
			if err := c.sales.Create(ctx, ev, hall(sale.EventID(ev), o.Seats)); err != nil {
				return err
			}
		}
	case "enter":
		return c.enter(ctx, o)
	case "load":
		r.Figures, err = drive(ctx, c.sales, c.crowd(o), o.During)
	case "alone":
		r.Figures, r.Base, err = c.alone(ctx, o)
	case "fill":
		return c.fill(ctx, o)
	case "gap":
		r.Gap, err = c.gap(ctx, o)
	case "usage":
		r.Heap, r.CPU = usage()
	case "profile":
		return profile(ctx, o.To, o.During)
	case "leaders":
		for i := range c.node.Shards() {
			name, _, _ := c.node.Leader(i)
			r.Leaders = append(r.Leaders, name)
		}
	case "transfer":
		for _, ev := range o.Events {
			if err := c.node.Transfer(ctx, ev, o.To); err != nil {
				return err
			}
		}
	case "snapshot":
		for _, ev := range o.Events {
			if err := c.node.Snapshot(ev); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("order %q is not known", o.Do)
	}
	return err
}

// crowd is everybody of the events named, at most Callers of each.
func (c *child) crowd(o order) []*shopper {
	var all []*shopper
	for _, ev := range o.Events {
		of := c.crowds[ev]
		if o.Callers > 0 && o.Callers < len(of) {
			of = of[:o.Callers]
		}
		all = append(all, of...)
	}
	return all
}

func (c *child) enter(ctx context.Context, o order) error {
	for _, ev := range o.Events {
		var crowd []*shopper
		for i := range o.Callers {
			crowd = append(crowd, &shopper{event: sale.EventID(ev), who: sale.AccountID(o.First + i + 1), seat: sale.UnitID(2 * (o.First + i))})
		}
		if err := together(crowd, 256, func(s *shopper) error { return s.enter(ctx, c.sales) }); err != nil {
			return err
		}
		c.crowds[ev] = crowd
	}
	return nil
}

// together does f to all, so many at once.
func together[T any](all []T, lanes int, f func(T) error) error {
	var wg sync.WaitGroup
	errs := make([]error, lanes)
	for lane := range lanes {
		wg.Go(func() {
			for i := lane; i < len(all) && errs[lane] == nil; i += lanes {
				errs[lane] = f(all[i])
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err // one says enough
		}
	}
	return nil
}

// fill puts people into the queue who do nothing else.
func (c *child) fill(ctx context.Context, o order) error {
	people := make([]sale.AccountID, o.Callers)
	for i := range people {
		people[i] = sale.AccountID(o.First + i + 1)
	}
	return together(people, 4000, func(who sale.AccountID) error {
		res, err := c.sales.Submit(ctx, sale.EventID(o.Events[0]), &sale.Command{Op: sale.OpJoin, Account: who})
		if err == nil && res.Refusal != sale.Done {
			err = fmt.Errorf("join of %d: refused: %v", who, res.Refusal)
		}
		return err
	})
}

// alone measures one caller and, in turns with it, bbolt putting one value of the same size into a file beside.
func (c *child) alone(ctx context.Context, o order) (figures, figures, error) {
	put, done, err := onePut(c.dir)
	if err != nil {
		return figures{}, figures{}, err
	}
	defer done()
	s := c.crowds[o.Events[0]][0]
	var mine, base []time.Duration
	end := time.Now().Add(o.During)
	for time.Now().Before(end) {
		for range 50 {
			from := time.Now()
			if err := s.step(ctx, c.sales); err != nil {
				return figures{}, figures{}, err
			}
			mine = append(mine, time.Since(from))
		}
		for range 50 {
			from := time.Now()
			if err := put(); err != nil {
				return figures{}, figures{}, err
			}
			base = append(base, time.Since(from))
		}
	}
	return measured(mine, o.During), measured(base, o.During), nil
}

// gap is the longest time between two answers that one caller after the other got, of ten who go on all the time.
func (c *child) gap(ctx context.Context, o order) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, o.During+time.Minute)
	defer cancel()
	var mu sync.Mutex
	last, longest := time.Now(), time.Duration(0)
	end := last.Add(o.During)
	err := together(c.crowd(o), len(c.crowd(o)), func(s *shopper) error {
		for time.Now().Before(end) {
			if err := s.step(ctx, c.sales); err != nil {
				return err
			}
			mu.Lock()
			now := time.Now()
			longest, last = max(longest, now.Sub(last)), now
			mu.Unlock()
		}
		return nil
	})
	return longest, err
}

// profile writes where the time goes into a file.
func profile(ctx context.Context, path string, during time.Duration) error {
	f, err := os.Create(path) //nolint:gosec // the parent's
	if err != nil {
		return fmt.Errorf("create profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(fmt.Errorf("start profile: %w", err), f.Close())
	}
	select {
	case <-ctx.Done():
	case <-time.After(during):
	}
	pprof.StopCPUProfile()
	return f.Close()
}

func usage() (heap uint64, cpu time.Duration) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return m.HeapAlloc, 0
	}
	return m.HeapAlloc, time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// median of some figures by their rate.
func median(all []figures) figures {
	slices.SortFunc(all, func(a, b figures) int { return int(a.Rate - b.Rate) })
	return all[len(all)/2]
}
