package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// restart fills a sale of 100,000 seats with a million places, kills the node, and takes the time until it serves again:
// once from the log alone, and once from a snapshot.
func (b *bench) restart(ctx context.Context, dir string) error {
	return with(ctx, dir, 1, 2, func(f *fleet) error {
		for _, o := range []order{
			{Do: "create", Events: []int{1}, Seats: 100_000},
			{Do: "fill", Events: []int{1}, Callers: 1_000_000},
		} {
			if _, err := f.nodes[0].ask(o); err != nil {
				return err
			}
		}
		for _, from := range []string{"the log", "a snapshot"} {
			if from == "a snapshot" {
				if _, err := f.nodes[0].ask(order{Do: "snapshot", Events: []int{1}}); err != nil {
					return err
				}
			}
			f.nodes[0].kill()
			began := time.Now()
			if err := f.start(ctx, 0); err != nil {
				return err
			}
			if _, err := f.nodes[0].answer(); err != nil {
				return err
			}
			if _, err := f.nodes[0].ask(order{Do: "enter", Events: []int{1}, Callers: 1, First: 0}); err != nil {
				return err
			}
			took := time.Since(began)
			b.report.add(row{
				What: "killed and started again with 1,000,000 places and 100,000 seats, from " + from + ", until a command is answered",
				Got:  took.Round(time.Millisecond).String(), Floor: "3s", Held: took <= 3*time.Second,
			})
		}
		return nil
	})
}

// loss kills the leader again and again while ten callers at another node go on, and takes the longest time without an
// answer each time; then the same with planned transfers.
func (b *bench) loss(ctx context.Context, dir string) error {
	return with(ctx, dir, 3, 2, func(f *fleet) error {
		for i, n := range f.nodes {
			if i == 0 {
				if _, err := n.ask(order{Do: "create", Events: []int{1}, Seats: 1000}); err != nil {
					return err
				}
			}
			if _, err := n.ask(order{Do: "enter", Events: []int{1}, Callers: 10, First: 10 * i}); err != nil {
				return err
			}
		}
		var kills, moves []time.Duration
		for range b.o.rounds {
			gap, err := b.kill(ctx, f)
			if err != nil {
				return err
			}
			kills = append(kills, gap)
		}
		for range b.o.rounds {
			gap, err := b.transfer(f)
			if err != nil {
				return err
			}
			moves = append(moves, gap)
		}
		b.report.add(row{What: "leader killed under load, until the next answer, p99", Got: spreadOf(kills), Floor: "3s", Held: worst(kills) <= 3*time.Second, Times: kills})
		b.report.add(row{What: "leadership transferred under load, longest time without an answer, p99", Got: spreadOf(moves), Floor: "100ms", Held: worst(moves) <= 100*time.Millisecond, Times: moves})
		return nil
	})
}

func (b *bench) kill(ctx context.Context, f *fleet) (time.Duration, error) {
	lead, err := f.leader(1)
	if err != nil {
		return 0, err
	}
	other := f.nodes[(lead+1)%3]
	if err := other.tell(order{Do: "gap", Events: []int{1}, During: 5 * time.Second}); err != nil {
		return 0, err
	}
	time.Sleep(time.Second)
	f.nodes[lead].kill()
	got, err := other.answer()
	if err != nil {
		return 0, err
	}
	if err := f.start(ctx, lead); err != nil {
		return 0, err
	}
	if _, err := f.nodes[lead].answer(); err != nil {
		return 0, err
	}
	_, err = f.nodes[lead].ask(order{Do: "enter", Events: []int{1}, Callers: 10, First: 10 * lead})
	return got.Gap, err
}

func (b *bench) transfer(f *fleet) (time.Duration, error) {
	lead, err := f.leader(1)
	if err != nil {
		return 0, err
	}
	other := f.nodes[(lead+1)%3]
	if err := other.tell(order{Do: "gap", Events: []int{1}, During: time.Second}); err != nil {
		return 0, err
	}
	time.Sleep(300 * time.Millisecond)
	if _, err := f.nodes[lead].ask(order{Do: "transfer", Events: []int{1}, To: f.peers[(lead+1)%3].ID}); err != nil {
		return 0, err
	}
	got, err := other.answer()
	return got.Gap, err
}

func worst(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)*99/100, len(sorted)-1)]
}

func spreadOf(all []time.Duration) string {
	sorted := slices.Sorted(slices.Values(all))
	if len(sorted) == 0 {
		return "nothing"
	}
	ms := func(d time.Duration) time.Duration { return d.Round(time.Millisecond / 10) }
	return fmt.Sprintf("%v (median %v, longest %v of %d)", ms(worst(all)), ms(sorted[len(sorted)/2]), ms(sorted[len(sorted)-1]), len(sorted))
}

// idle leaves three nodes with sixteen shards alone.
func (b *bench) idle(ctx context.Context, dir string) error {
	return with(ctx, dir, 3, 16, func(f *fleet) error {
		const watch = 20 * time.Second
		time.Sleep(3 * time.Second)
		used := make([]time.Duration, 3)
		for i, n := range f.nodes {
			got, err := n.ask(order{Do: "usage"})
			if err != nil {
				return err
			}
			used[i] = got.CPU
		}
		began := time.Now()
		time.Sleep(watch)
		var cpu time.Duration
		var heap uint64
		took := time.Since(began)
		for i, n := range f.nodes {
			got, err := n.ask(order{Do: "usage"})
			if err != nil {
				return err
			}
			cpu += got.CPU - used[i]
			heap = max(heap, got.Heap)
		}
		if b.o.profile != "" {
			if _, err := f.nodes[0].ask(order{Do: "profile", To: b.o.profile, During: 10 * time.Second}); err != nil {
				return err
			}
		}
		share, each := 100*cpu.Seconds()/took.Seconds(), float64(heap)/16/(1<<20)
		b.report.add(row{What: "sixteen idle shards on three nodes, share of one core", Got: fmt.Sprintf("%.1f %%", share), Floor: "10 %", Held: share <= 10})
		b.report.add(row{What: "heap for each idle shard replica, whole process divided by sixteen", Got: fmt.Sprintf("%.2f MB", each), Floor: "1 MB", Held: each <= 1})
		return nil
	})
}
