package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/bench/record"
)

// socketsOptions are the flags of the sockets command.
type socketsOptions struct {
	sockets, rounds, pushes int
	idle                    time.Duration
	settings                []string
	binary, other, results  string
}

func socketsCommand(env environment) *cobra.Command {
	var o socketsOptions
	c := &cobra.Command{
		Use: "sockets", Short: "Compare what a live socket costs with centrifuge", Args: needs(),
		Long: "Starts a Catraca with fans who wait in a queue, and servers made of centrifuge, one after the other and each several times;\n" +
			"opens the same number of sockets to each by the same lean client, and prints what a socket needs: memory as it is,\n" +
			"after a collection and after pushes, processor time of a handshake and of each frame that is pushed to everybody, and\n" +
			"how long it takes until the last client has it. Catraca pushes changes of its seat map, as a hold is made and given back;\n" +
			"centrifuge publishes the same text. Every server is a process of its own. Works on Linux only.\n" +
			"Exit codes: 0 done, 1 failed, 104 nothing was done because a flag is wrong.",
		Example: "  make sockets\n  catraca-bench sockets --sockets 19000 --rounds 1 --setting tuned",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			r, err := o.compare(c.Context(), env)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(env.stdout, r.text()); err != nil {
				return err
			}
			return r.keep(o.results)
		},
	}
	f := c.Flags()
	f.IntVar(&o.sockets, "sockets", 10_000, "sockets of each server")
	f.IntVar(&o.rounds, "rounds", 3, "how often each server has its turn")
	f.IntVar(&o.pushes, "pushes", 20, "how often everybody is told something in a round")
	f.DurationVar(&o.idle, "idle", 10*time.Second, "how long nothing happens, to see what that costs")
	f.StringSliceVar(&o.settings, "setting", otherSettings(), "how centrifuge is set: "+strings.Join(otherSettings(), ", "))
	f.StringVar(&o.binary, "binary", "", "the catraca to start; empty: the one beside this program, or in PATH")
	f.StringVar(&o.other, "centrifuge-binary", "", "the catraca-bench-sockets to start; empty: the one beside this program, or in PATH")
	f.StringVar(&o.results, "results", "", "also write the report into this folder, as JSON and text")
	return c
}

// check refuses what cannot be done.
func (o *socketsOptions) check() error {
	most := 1_000_000
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) == nil {
		most = int(min(l.Max, 1_000_000)) - 500
	}
	for _, n := range []struct {
		flag             string
		is, least, atTop int
	}{{"sockets", o.sockets, 10, most}, {"rounds", o.rounds, 1, 99}, {"pushes", o.pushes, 1, 500}} {
		if n.is < n.least || n.is > n.atTop {
			return wrong("--%s %d: allowed are %d to %d here", n.flag, n.is, n.least, n.atTop)
		}
	}
	if o.idle < 100*time.Millisecond || o.idle > 10*time.Minute {
		return wrong("--idle %v: allowed are 100ms to 10m", o.idle)
	}
	for _, s := range o.settings {
		if !slices.Contains(otherSettings(), s) {
			return wrong("--setting %.40q: there are %s", s, strings.Join(otherSettings(), ", "))
		}
	}
	return nil
}

// news is what centrifuge publishes: a change of a seat map as Catraca tells it.
const news = `{"t":"stock","seq":12,"version":10042,"changes":[[4711,"h"]],"areas":[]}`

// compare measures every server in every round.
func (o *socketsOptions) compare(ctx context.Context, env environment) (*socketsReport, error) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(env.stderr, format+"\n", args...) } // nowhere else to tell it
	other, err := findOthers(o.other)
	if err != nil {
		return nil, err
	}
	starts := []func() (hubServer, error){func() (hubServer, error) { return startOwnHub(ctx, o.binary, o.sockets, say) }}
	for _, setting := range o.settings {
		starts = append(starts, func() (hubServer, error) { return startOtherHub(ctx, other, setting, news) })
	}
	r := &socketsReport{report: *newReport(ctx), Sockets: o.sockets, Pushes: o.pushes, Idle: o.idle.String()}
	if r.Commit == "" { // not run in its repository
		r.Commit = record.Here().Commit
	}
	for round := 1; round <= o.rounds; round++ {
		for _, start := range starts {
			h, err := start()
			if err != nil {
				return nil, err
			}
			got, err := o.measure(ctx, h)
			err = errors.Join(err, h.fallen())
			h.stop()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", h.name(), err)
			}
			say("round %d  %s: %s", round, h.name(), got)
			r.add(h.name(), h.detail(), got)
		}
	}
	r.settle()
	return r, nil
}

// measure opens the sockets of one server and looks at what they cost.
func (o *socketsOptions) measure(ctx context.Context, h hubServer) (f socketsFigure, err error) {
	p := h.probe()
	before, err := p.collect(ctx)
	if err != nil {
		return f, err
	}
	var c *listeners
	took, cpu, err := p.during(func() error {
		c, err = gather(ctx, h.dialect(), h.address(), o.sockets)
		return err
	})
	if err != nil {
		return f, err
	}
	defer c.leave()
	n := float64(o.sockets)
	f.Handshake, f.HandshakesPerSecond = micros(cpu)/n, n/took.Seconds()
	first, err := p.resident()
	if err != nil {
		return f, err
	}
	idle, err := p.collect(ctx)
	if err != nil {
		return f, err
	}
	each := func(now, then int64) float64 { return float64(now-then) / n }
	f.AtOnce, f.Collected = each(first, before.Resident), each(idle.Resident, before.Resident)
	f.Live, f.Kernel = each(idle.Live, before.Live), each(idle.Kernel, before.Kernel)
	if err := o.pushed(ctx, h, c, &f); err != nil {
		return f, err
	}
	after, err := p.collect(ctx)
	if err != nil {
		return f, err
	}
	f.Pushed, f.PushedLive = each(after.Resident, before.Resident), each(after.Live, before.Live)
	return f, c.whole()
}

// pushed measures what it costs to do nothing, and to tell everybody something beside it.
func (o *socketsOptions) pushed(ctx context.Context, h hubServer, c *listeners, f *socketsFigure) error {
	p, n := h.probe(), float64(o.sockets)
	frames := c.frames.Load()
	took, cpu, err := p.during(func() error { return rest(ctx, o.idle) })
	if err != nil {
		return err
	}
	idle := cpu.Seconds() / took.Seconds()
	f.IdleProcessor, f.IdleFrames = idle*1e6/n, float64(c.frames.Load()-frames)/took.Seconds()/n
	if err := o.prepare(ctx, h, c); err != nil {
		return err
	}
	frames = c.frames.Load()
	size := c.bytes.Load()
	var last []time.Duration
	took, cpu, err = p.during(func() error {
		for range o.pushes {
			d, err := c.push(ctx, time.Minute, func() error { return h.push(ctx) })
			if err != nil {
				return err
			}
			last = append(last, d)
			// Servers have a beat of their own, which is not to be met always at the same moment.
			if err := rest(ctx, 100*time.Millisecond+rand.N(250*time.Millisecond)); err != nil { //nolint:gosec // any moment
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.Push = (micros(cpu) - idle*micros(took)) / n / float64(o.pushes)
	if frames = c.frames.Load() - frames; frames > 0 {
		f.Bytes = float64(c.bytes.Load()-size) / float64(frames)
	}
	slices.Sort(last)
	f.Last, f.LastLongest = last[(len(last)-1)/2].Seconds()*1000, last[len(last)-1].Seconds()*1000
	return nil
}

// prepare asks for what is pushed, and pushes until everybody gets it: a server may still be about to hear of the last
// who has asked.
func (o *socketsOptions) prepare(ctx context.Context, h hubServer, c *listeners) error {
	if more := c.d.more; more != "" {
		if err := c.ask(more); err != nil {
			return fmt.Errorf("ask for what is pushed: %w", err)
		}
	}
	for tries := 5; ; tries-- {
		_, err := c.push(ctx, 10*time.Second, func() error { return h.push(ctx) })
		if _, some := errors.AsType[*unreachedError](err); !some || tries == 1 {
			return err
		}
	}
}

// during does something and says how long it took, and how much processor time of the server.
func (p probe) during(do func() error) (took, cpu time.Duration, err error) {
	before, err := p.processor()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := do(); err != nil {
		return 0, 0, err
	}
	took = time.Since(began)
	after, err := p.processor()
	return took, after - before, err
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
