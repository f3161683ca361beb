package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

func (s *stub) fan(n int) *Fan {
	client := NewClient(16)
	s.t.Cleanup(client.CloseIdleConnections)
	return &Fan{
		Base: s.url(), Event: "aurora", Token: fmt.Sprint("fan-", n), Client: client, Journal: NewJournal(fmt.Sprint(n)),
		Payer: SandboxPayer(client), Comeback: 100 * time.Millisecond,
	}
}

func TestFanStories(t *testing.T) {
	for name, c := range map[string]struct {
		story   Story
		seats   uint32
		tickets int
		want    Outcome // SoldOut, Left, Closed
		done    map[string]int
	}{
		"card":               {story: Story{Quantity: 2, Method: "card", Card: "4242"}, seats: 10, tickets: 2, done: map[string]int{"join": 1, "claim": 1, "hold": 1, "order": 1, "pay": 1}},
		"card over socket":   {story: Story{Quantity: 2, Method: "card", Card: "4242", Live: true}, seats: 10, tickets: 2, done: map[string]int{"join": 1, "hold": 1, "order": 1, "pay": 1}},
		"pix":                {story: Story{Quantity: 1, Method: "pix"}, seats: 10, tickets: 1, done: map[string]int{"pay": 1}},
		"declined then good": {story: Story{Quantity: 1, Method: "card", Card: "0002", Second: "4242"}, seats: 10, tickets: 1, done: map[string]int{"pay": 2}},
		"declined":           {story: Story{Quantity: 1, Method: "card", Card: "0002"}, seats: 10, done: map[string]int{"pay": 1, "order": 1}},
		"looks twice":        {story: Story{Quantity: 1, Method: "pix", Hesitate: time.Millisecond}, seats: 10, tickets: 1, done: map[string]int{"hold.get": 1}},
		"sold out":           {story: Story{Quantity: 3, Method: "pix"}, seats: 2, want: Outcome{SoldOut: true}, done: map[string]int{"hold": 0, "finish": 1}},
		"fewer":              {story: Story{Quantity: 3, Fewer: true, Method: "pix"}, seats: 2, tickets: 2, done: map[string]int{"hold": 1}},
		"gives up":           {story: Story{GiveUp: true}, seats: 2, want: Outcome{Left: true}, done: map[string]int{"leave": 1, "hold": 0}},
		"walks away":         {story: Story{Walkaway: true}, seats: 2, want: Outcome{Left: true}, done: map[string]int{"finish": 1, "hold": 0}},
		"releases":           {story: Story{Quantity: 1, Release: true, Live: true}, seats: 2, want: Outcome{Left: true}, done: map[string]int{"hold.release": 1, "finish": 1, "order": 0}},
		"vanishes":           {story: Story{Quantity: 1, Vanish: true}, seats: 2, want: Outcome{Left: true}, done: map[string]int{"hold": 1, "finish": 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStub(t, c.seats)
			f := s.fan(1)
			c.story.PollOrder = time.Millisecond
			out, err := f.Run(t.Context(), c.story)
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Tickets) != c.tickets || out.SoldOut != c.want.SoldOut || out.Left != c.want.Left || out.Closed != c.want.Closed {
				t.Errorf("the story ended with %+v", out)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			for op, n := range c.done {
				if s.done[op] != n {
					t.Errorf("%s was done %d times, want %d", op, s.done[op], n)
				}
			}
			if err := Audit([]*Journal{f.Journal}); err != nil {
				t.Error(err)
			}
		})
	}
}

// Whatever breaks, however often, every effect happens once: the key of a request that is asked again is the same.
func TestFanAsksAgain(t *testing.T) {
	for _, live := range []bool{false, true} {
		for _, wrong := range []trouble{cutBefore, cutAfter, busy} {
			for _, op := range []string{"join", "claim", "hold", "hold.get", "order", "pay", "order.get", "tickets"} {
				t.Run(fmt.Sprint(op, wrong, live), func(t *testing.T) {
					t.Parallel()
					s := newStub(t, 4)
					left := 3
					s.trouble = func(o string) trouble {
						if o != op || left == 0 {
							return none
						}
						left--
						return wrong
					}
					f := s.fan(1)
					out, err := f.Run(t.Context(), Story{
						Quantity: 2, Method: "card", Card: "4242", Live: live, Hesitate: time.Millisecond, PollOrder: time.Millisecond,
					})
					if err != nil {
						t.Fatal(err)
					}
					s.mu.Lock()
					defer s.mu.Unlock()
					if op == "claim" && wrong == cutAfter {
						left = 0 // nobody claims what was claimed
					}
					if left != 0 || len(out.Tickets) != 2 || s.next != 2 || len(s.orders) != 1 || s.issued != 1 {
						t.Errorf("%d troubles left, %d tickets, %d seats taken, %d orders, %d places", left, len(out.Tickets), s.next, len(s.orders), s.issued)
					}
					if again := f.Journal.Retries() + f.Journal.Reconnects(); again == 0 && (wrong != busy || op != "join" && op != "claim") {
						t.Error("nothing was asked again")
					}
					if err := Audit([]*Journal{f.Journal}); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// A crowd goes on through restarts of the server and random trouble, and every seat is sold once.
func TestCrowdSurvivesRestarts(t *testing.T) {
	const fans, seats = 60, 100
	s := newStub(t, seats)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable trouble
	s.trouble = func(string) trouble {    // called with the stub's lock
		if random.IntN(10) == 0 {
			return trouble(1 + random.IntN(3))
		}
		return none
	}
	client, sockets := NewClient(16), NewSockets()
	defer client.CloseIdleConnections()
	var journals []*Journal
	var all sync.WaitGroup
	var mu sync.Mutex
	tickets, told := 0, 0
	for i := range fans {
		j := NewJournal(fmt.Sprint(i))
		journals = append(journals, j)
		f := &Fan{
			Base: s.url(), Event: "aurora", Token: fmt.Sprint(i), Client: client, Sockets: sockets, Journal: j,
			Payer: SandboxPayer(client), Comeback: 100 * time.Millisecond,
		}
		all.Go(func() {
			out, err := f.Run(t.Context(), Story{
				Quantity: uint32(1 + i%3), Fewer: true, Live: i%2 == 0, Method: "card", Card: "4242",
				Linger: time.Duration(i) * 5 * time.Millisecond, Hesitate: 5 * time.Millisecond, PollOrder: 5 * time.Millisecond,
			})
			if err != nil {
				t.Errorf("fan %d: %v", i, err)
			}
			mu.Lock()
			defer mu.Unlock()
			tickets += len(out.Tickets)
			if out.SoldOut {
				told++
			}
		})
	}
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	for n := 0; ; n++ {
		select {
		case <-ended:
			if tickets != seats || told == 0 || n == 0 {
				t.Errorf("%d tickets of %d seats, %d fans told sold out, %d restarts", tickets, seats, told, n)
			}
			if err := Audit(journals); err != nil {
				t.Error(err)
			}
			return
		case <-time.After(60 * time.Millisecond):
			s.restart()
		}
	}
}

// The provider could not be asked for a payment: the fan presses again until it can be paid.
func TestFanPressesPayAgain(t *testing.T) {
	for _, method := range []string{"card", "pix"} {
		s := newStub(t, 4)
		s.deaf = 2
		out, err := s.fan(1).Run(t.Context(), Story{Quantity: 1, Method: method, Card: "4242", PollOrder: time.Millisecond})
		if err != nil || len(out.Tickets) != 1 || s.done["pay"] != 3 {
			t.Errorf("%s ended with %+v, %v after %d tries", method, out, err, s.done["pay"])
		}
	}
}

func TestFanGivesARequestUp(t *testing.T) {
	s := newStub(t, 4)
	s.trouble = func(op string) trouble {
		if op == "hold" {
			return busy
		}
		return none
	}
	_, err := s.fan(1).Run(t.Context(), Story{Quantity: 1, Method: "pix", Patience: 50 * time.Millisecond})
	if refusal(err) != wire.Busy {
		t.Errorf("the story ended with %v, want busy", err)
	}
}

func TestFanEndsWithTheContext(t *testing.T) {
	s := newStub(t, 4)
	s.trouble = func(op string) trouble { return map[bool]trouble{true: cutBefore}[op == "join"] }
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.fan(1).Run(ctx, Story{Quantity: 1}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the story ended with %v", err)
	}
}

// The server forgets a hold before its time: the fan notices by itself.
func TestFanNoticesALostHold(t *testing.T) {
	for _, hesitate := range []time.Duration{0, time.Millisecond} {
		s := newStub(t, 4)
		s.trouble = func(op string) trouble {
			if op == "order" || op == "hold.get" {
				clear(s.holds)
			}
			return none
		}
		f := s.fan(1)
		out, err := f.Run(t.Context(), Story{Quantity: 1, Method: "pix", Hesitate: hesitate})
		if err != nil || len(out.Tickets) != 0 || len(f.Journal.Breaches()) != 1 {
			t.Errorf("ended with %+v, %v and found %q", out, err, f.Journal.Breaches())
		}
	}
}
