package network

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func newLine(c Class, rate int) line {
	return line{c: c, rate: rate, random: rand.New(rand.NewPCG(1, 1)), drops: drops{born: time.UnixMilli(0), every: c.DropEvery, silent: c.DropFor}}
}

func TestArrival(t *testing.T) {
	type sent struct {
		at, n int // ms, bytes
		want  int // ms
	}
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		class Class
		rate  int
		sent  []sent
	}{
		"half a round trip": {class: Class{RTT: 80 * ms}, sent: []sent{{0, 1, 40}, {5, 9000, 45}, {5, 1, 45}}},
		"a narrow line":     {class: Class{RTT: 100 * ms}, rate: 1000, sent: []sent{{0, 500, 550}, {0, 500, 1050}, {2000, 100, 2150}}},
		"lost":              {class: Class{RTT: 20 * ms, Loss: 1}, sent: []sent{{0, 10, 210}, {0, 10, 410}, {500, 2 * segment, 910}}},
		"lost far away":     {class: Class{RTT: 600 * ms, Loss: 1}, sent: []sent{{0, 10, 1500}}},
		"silence":           {class: Class{RTT: 20 * ms, DropEvery: time.Second, DropFor: 100 * ms}, sent: []sent{{880, 1, 890}, {889, 1, 899}, {890, 1, 1000}, {999, 1, 1009}, {1889, 1, 1899}, {1900, 1, 2000}}},
	} {
		l := newLine(c.class, c.rate)
		for i, s := range c.sent {
			at := l.arrival(time.UnixMilli(int64(s.at)), s.n)
			if at.UnixMilli() != int64(s.want) {
				t.Errorf("%s: piece %d arrives at %d ms, want %d", name, i, at.UnixMilli(), s.want)
			}
		}
	}
}

// Whatever the line does, bytes keep their order and need half a round trip at least.
func TestArrivalKeepsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := func(name string, most time.Duration) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, name))
		}
		c := Class{RTT: span("rtt", time.Second), Jitter: span("jitter", time.Second), Loss: rapid.Float64Range(0, MostLoss).Draw(t, "loss")}
		if rapid.Bool().Draw(t, "drops") {
			c.DropEvery = time.Second + span("every", time.Minute)
			c.DropFor = span("for", c.DropEvery-1)
		}
		l := newLine(c, rapid.SampledFrom([]int{0, LeastBPS, 8000, MostBPS}).Draw(t, "rate"))
		now, last := time.UnixMilli(0), time.Time{}
		for range 50 {
			now = now.Add(span("pause", 100*time.Millisecond))
			at := l.arrival(now, rapid.IntRange(0, 1<<16).Draw(t, "bytes"))
			if at.Before(last) || at.Sub(now) < c.RTT/2 {
				t.Fatalf("sent at %s, arrives at %s, the one before at %s", now, at, last)
			}
			if again := l.drops.after(at); !again.Equal(at) {
				t.Fatalf("arrives at %s, within a silence until %s", at, again)
			}
			last = at
		}
	})
}

func TestLossIsAsOften(t *testing.T) {
	const n = 100_000
	c := Class{Loss: 0.02}
	l := newLine(c, 0)
	at := l.arrival(time.UnixMilli(0), n*segment)
	if lost := at.Sub(time.UnixMilli(0)) / c.timeout(); lost < n/60 || lost > n/40 {
		t.Errorf("%d of %d segments were lost, want one in fifty", lost, n)
	}
}
