package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// engineOptions are the flags of the engine command.
type engineOptions struct {
	during  time.Duration
	rounds  int
	dir     string
	results string
	only    []string
	profile string
}

func engineCommand(env environment, missed *bool) *cobra.Command {
	var o engineOptions
	c := &cobra.Command{
		Use: "engine", Short: "Measure the engine: durable commands, restarts, the loss of a leader", Args: cobra.NoArgs,
		Long: "Starts the engine in processes of its own, without sockets and pages, and measures what it promises.\n" +
			"A command is a hold of two named seats or its release, each with a key, each on the disks of a majority\n" +
			"before it is answered; every caller waits for its answer. Let the machine do nothing else meanwhile.",
		RunE: func(c *cobra.Command, _ []string) error {
			report, err := measure(c.Context(), env, o)
			if err != nil {
				if report != nil && len(report.Rows) > 0 { // minutes of measuring are not thrown away for the part that failed
					err = errors.Join(err, report.write(env, ""))
				}
				return err
			}
			*missed = slices.ContainsFunc(report.Rows, func(r row) bool { return !r.Held })
			return report.write(env, o.results)
		},
	}
	f := c.Flags()
	f.DurationVar(&o.during, "during", 5*time.Second, "how long each load lasts, after a fifth more to warm up")
	f.IntVar(&o.rounds, "rounds", 30, "how often the leader is killed, and transferred")
	f.StringVar(&o.dir, "dir", "", "folder on the disk to measure; empty: a temporary one")
	f.StringVar(&o.results, "results", "", "also write the report into this folder")
	f.StringVar(&o.profile, "idle-profile", "", "write a CPU profile of an idle node into this file")
	f.StringSliceVar(&o.only, "only", nil, "measure only these: one, three, alone, shards, restart, loss, idle")
	return c
}

// measure measures one thing after the other.
func measure(ctx context.Context, env environment, o engineOptions) (*report, error) {
	dir := o.dir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "catraca-bench-"); err != nil {
			return nil, fmt.Errorf("make folder: %w", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
	}
	r := newReport(ctx)
	b := &bench{o: o, dir: dir, report: r}
	for _, part := range []struct {
		name string
		run  func(context.Context, string) error
	}{
		{"one", b.one}, {"alone", b.alone}, {"three", b.three}, {"shards", b.eight}, {"restart", b.restart}, {"loss", b.loss}, {"idle", b.idle},
	} {
		if len(o.only) > 0 && !slices.Contains(o.only, part.name) {
			continue
		}
		_, _ = fmt.Fprintf(env.stderr, "measuring %s ...\n", part.name) // people watch it
		at := filepath.Join(dir, part.name)
		if err := errors.Join(os.MkdirAll(at, 0o700), part.run(ctx, at), os.RemoveAll(at)); err != nil {
			return r, fmt.Errorf("measure %s: %w", part.name, err)
		}
	}
	return r, nil
}

// bench is one run.
type bench struct {
	o      engineOptions
	dir    string
	report *report
}

// with runs f with fresh nodes.
func with(ctx context.Context, dir string, nodes, shards int, f func(*fleet) error) error {
	fl, err := launch(ctx, dir, nodes, shards)
	if err != nil {
		return err
	}
	return errors.Join(f(fl), fl.close())
}

const callers = 1000

func (b *bench) one(ctx context.Context, dir string) error {
	return with(ctx, dir, 1, 2, func(f *fleet) error {
		got, err := b.loads(f.nodes[0], []int{1}, callers)
		if err != nil {
			return err
		}
		b.report.add(row{What: "one node, 1,000 callers", Got: rate(got.Rate), Floor: "300,000/s", Held: got.Rate >= 300_000, Figures: []figures{got}})
		b.report.add(row{What: "one node, 1,000 callers, p99", Got: got.P99.String(), Floor: "10ms", Held: got.P99 < 10*time.Millisecond})
		return nil
	})
}

// loads is the median of three loads on events of one node.
func (b *bench) loads(r *remote, events []int, each int) (figures, error) {
	if _, err := r.ask(order{Do: "create", Events: events, Seats: 4 * each}); err != nil {
		return figures{}, err
	}
	if _, err := r.ask(order{Do: "enter", Events: events, Callers: each}); err != nil {
		return figures{}, err
	}
	var all []figures
	for range 3 {
		got, err := r.ask(order{Do: "load", Events: events, During: b.o.during})
		if err != nil {
			return figures{}, err
		}
		all = append(all, got.Figures)
	}
	return median(all), nil
}

func (b *bench) alone(ctx context.Context, dir string) error {
	return with(ctx, dir, 1, 2, func(f *fleet) error {
		n := f.nodes[0]
		for _, o := range []order{{Do: "create", Events: []int{1}, Seats: 1000}, {Do: "enter", Events: []int{1}, Callers: 1}} {
			if _, err := n.ask(o); err != nil {
				return err
			}
		}
		got, err := n.ask(order{Do: "alone", Events: []int{1}, During: b.o.during})
		if err != nil {
			return err
		}
		times := float64(got.Figures.P50) / float64(got.Base.P50)
		b.report.add(row{
			What: "one caller, p50 of a durable command against a put of bbolt beside it", Floor: "2.00×", Held: times <= 2,
			Got: fmt.Sprintf("%.2f× (%v against %v)", times, got.Figures.P50, got.Base.P50), Figures: []figures{got.Figures, got.Base},
		})
		return nil
	})
}

// three measures the callers at the leader, and spread over all nodes.
func (b *bench) three(ctx context.Context, dir string) error {
	return with(ctx, dir, 3, 2, func(f *fleet) error {
		lead, err := f.leader(1)
		if err != nil {
			return err
		}
		got, err := b.loads(f.nodes[lead], []int{1}, callers)
		if err != nil {
			return err
		}
		b.report.add(row{What: "three nodes, 1,000 callers at the leader", Got: rate(got.Rate), Floor: "100,000/s", Held: got.Rate >= 100_000, Figures: []figures{got}})
		b.report.add(row{What: "three nodes, 1,000 callers at the leader, p99", Got: got.P99.String(), Floor: "30ms", Held: got.P99 < 30*time.Millisecond})
		return b.spread(f)
	})
}

// spread lets a third of the callers come to each node.
func (b *bench) spread(f *fleet) error {
	for i, n := range f.nodes {
		if _, err := n.ask(order{Do: "enter", Events: []int{1}, Callers: callers / 3, First: callers/3*i + callers}); err != nil {
			return err
		}
	}
	for _, n := range f.nodes {
		if err := n.tell(order{Do: "load", Events: []int{1}, During: b.o.during}); err != nil {
			return err
		}
	}
	var total figures
	for _, n := range f.nodes {
		got, err := n.answer()
		if err != nil {
			return err
		}
		total.Rate += got.Figures.Rate
		total.Commands += got.Figures.Commands
		total.P99 = max(total.P99, got.Figures.P99)
	}
	b.report.add(row{What: "three nodes, a third of the callers at each", Got: fmt.Sprintf("%s, p99 %v", rate(total.Rate), total.P99), Floor: "told", Held: true, Figures: []figures{total}})
	return nil
}

// eight measures a thousand callers at one shard, in turns with a thousand at each of eight, and with a thousand in all
// spread over the eight.
func (b *bench) eight(ctx context.Context, dir string) error {
	return with(ctx, dir, 1, 10, func(f *fleet) error {
		n := f.nodes[0]
		many := []int{1, 2, 3, 4, 5, 6, 7, 8}
		all := append(slices.Clone(many), 9)
		for _, o := range []order{{Do: "create", Events: all, Seats: 2 * callers}, {Do: "enter", Events: all, Callers: callers}} {
			if _, err := n.ask(o); err != nil {
				return err
			}
		}
		loads := []order{
			{Do: "load", Events: []int{9}, During: b.o.during},
			{Do: "load", Events: many, During: b.o.during},
			{Do: "load", Events: many, During: b.o.during, Callers: callers / 8},
		}
		got := make([][]figures, len(loads))
		for range 3 {
			for i, o := range loads {
				r, err := n.ask(o)
				if err != nil {
					return err
				}
				got[i] = append(got[i], r.Figures)
			}
		}
		one, eight, few := median(got[0]), median(got[1]), median(got[2])
		times := func(f figures) string {
			return fmt.Sprintf("%.2f× (%s against %s)", f.Rate/one.Rate, rate(f.Rate), rate(one.Rate))
		}
		b.report.add(row{What: "eight shards as busy as one, against that one", Floor: "1.00×", Held: eight.Rate >= one.Rate, Got: times(eight), Figures: []figures{eight, one}})
		b.report.add(row{What: "the same 1,000 callers spread over eight shards", Floor: "told", Held: true, Got: times(few), Figures: []figures{few, one}})
		return nil
	})
}
