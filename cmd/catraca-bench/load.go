package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
)

// shopper is somebody in the hall who takes two seats of their own and gives them back, again and again. Both are
// durable commands: decided by the sale, on the disks of a majority, applied, then answered.
type shopper struct {
	event sale.EventID
	who   sale.AccountID
	seat  sale.UnitID // the first of the two
	hold  sale.HoldID // 0: none
	next  uint64      // of the idempotency keys
	took  []time.Duration
}

// enter gives a shopper a place in the queue and a lease. The queue lets many in at once, but not all.
func (s *shopper) enter(ctx context.Context, sales *event.Service) error {
	for op := sale.OpJoin; ; {
		res, err := sales.Submit(ctx, s.event, &sale.Command{Op: op, Account: s.who})
		switch {
		case err != nil:
			return fmt.Errorf("let shopper %d in: %w", s.who, err)
		case res.Refusal == sale.Done && op == sale.OpClaim:
			return nil
		case res.Refusal == sale.Done:
			op = sale.OpClaim
		case res.Refusal == sale.RefusedNotYourTurn && op == sale.OpClaim: // nobody has offered it to them yet
			time.Sleep(50 * time.Millisecond)
		default:
			return fmt.Errorf("let shopper %d in: %v refused: %v", s.who, op, res.Refusal)
		}
	}
}

// step does the next command and waits for its answer.
func (s *shopper) step(ctx context.Context, sales *event.Service) error {
	s.next++
	c := sale.Command{Account: s.who, Key: key(uint64(s.who), s.next)}
	lines := [2]sale.Line{{Unit: s.seat, Count: 1}, {Unit: s.seat + 1, Count: 1}}
	if s.hold == 0 {
		c.Op, c.Lines = sale.OpHold, lines[:]
	} else {
		c.Op, c.Hold = sale.OpHoldRelease, s.hold
	}
	res, err := sales.Submit(ctx, s.event, &c)
	if err != nil {
		return fmt.Errorf("%v of shopper %d: %w", c.Op, s.who, err)
	}
	switch {
	case c.Op == sale.OpHold && (res.Refusal == sale.Done || res.Refusal == sale.RefusedHoldExists):
		s.hold = res.Hold
	case c.Op == sale.OpHoldRelease && res.Refusal == sale.Done:
		s.hold = 0
	default:
		return fmt.Errorf("%v of shopper %d: refused: %v", c.Op, s.who, res.Refusal)
	}
	return nil
}

// key is different for every command ever given.
func key(who, n uint64) sale.Key {
	var k sale.Key
	for i := range 8 {
		k[i], k[8+i] = byte(who>>(8*i)), byte(n>>(8*i))
	}
	return k
}

// figures of one load.
type figures struct {
	Commands int64         `json:"commands"`
	Seconds  float64       `json:"seconds"`
	Rate     float64       `json:"commands_per_second"`
	P50      time.Duration `json:"p50_ns"`
	P99      time.Duration `json:"p99_ns"`
	P999     time.Duration `json:"p999_ns"`
	Max      time.Duration `json:"max_ns"`
}

// drive lets the shoppers go on for a while, each waiting for its answer before it asks again. Those who come late in
// the first fifth are not counted: the batches have to find their size.
func drive(ctx context.Context, sales *event.Service, crowd []*shopper, during time.Duration) (figures, error) {
	ctx, cancel := context.WithTimeout(ctx, during+time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	var broken atomic.Pointer[error]
	warm := time.Now().Add(during / 5)
	end := warm.Add(during)
	for _, s := range crowd {
		s.took = s.took[:0]
		wg.Go(func() {
			for {
				from := time.Now()
				if from.After(end) {
					return
				}
				if err := s.step(ctx, sales); err != nil {
					broken.CompareAndSwap(nil, &err)
					return
				}
				if from.After(warm) {
					s.took = append(s.took, time.Since(from))
				}
			}
		})
	}
	wg.Wait()
	if err := broken.Load(); err != nil {
		return figures{}, *err
	}
	var all []time.Duration
	for _, s := range crowd {
		all = append(all, s.took...)
	}
	return measured(all, time.Since(warm)), nil
}

func measured(all []time.Duration, over time.Duration) figures {
	if len(all) == 0 {
		return figures{}
	}
	slices.Sort(all)
	at := func(q float64) time.Duration { return all[min(int(q*float64(len(all))), len(all)-1)] }
	return figures{
		Commands: int64(len(all)), Seconds: over.Seconds(), Rate: float64(len(all)) / over.Seconds(),
		P50: at(0.50), P99: at(0.99), P999: at(0.999), Max: all[len(all)-1],
	}
}
