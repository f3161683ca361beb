package network

import (
	"fmt"
	"time"
)

// Class is a kind of line. The zero value is none: connections are left as they are.
type Class struct { //nolint:recvcheck // parsed in place, and a value from then on
	Name string
	// RTT is the time of a round trip; half of it goes into each direction. Up to half of Jitter comes on top of that,
	// evenly distributed and anew for each piece.
	RTT, Jitter time.Duration
	// Loss is the share of segments that are lost on the way, 0 to [MostLoss]. Each stops its direction for a
	// retransmission timeout, which is twice the round trip and 200 ms at least.
	Loss float64
	// Down and Up are bytes a second towards the program and away from it; 0: no limit.
	Down, Up int
	// Every DropEvery, counted from a random moment, nothing passes for DropFor; when that is 0, the connection is cut
	// instead. A DropEvery of 0 means never.
	DropEvery, DropFor time.Duration
}

// Bounds of a class.
const (
	MostRTT  = 10 * time.Second // also of jitter
	MostLoss = 0.5
	LeastBPS = 500 // bytes a second
	MostBPS  = 1 << 30
	// LeastDropEvery and MostDropEvery bound the time between two drop-outs.
	LeastDropEvery = time.Second
	MostDropEvery  = 24 * time.Hour
)

// classes are the named ones, from the best line to the worst.
func classes() []Class {
	const modem = 64_000 / 8 // 64 kbit/s
	return []Class{
		{Name: "fibre", RTT: 5 * time.Millisecond, Jitter: time.Millisecond},
		{Name: "mobile", RTT: 80 * time.Millisecond, Jitter: 20 * time.Millisecond},
		{Name: "far", RTT: 600 * time.Millisecond, Jitter: 20 * time.Millisecond},
		{Name: "slow", RTT: 200 * time.Millisecond, Jitter: 20 * time.Millisecond, Down: modem, Up: modem},
		{Name: "lossy", RTT: 80 * time.Millisecond, Jitter: 20 * time.Millisecond, Loss: 0.02},
		{Name: "tunnel", RTT: 80 * time.Millisecond, Jitter: 20 * time.Millisecond, DropEvery: 30 * time.Second, DropFor: 4 * time.Second},
	}
}

// Names of the named classes, from the best line to the worst.
func Names() []string {
	all := classes()
	out := make([]string, 0, len(all))
	for _, c := range all {
		out = append(out, c.Name)
	}
	return out
}

// Named is the class of that name.
func Named(name string) (Class, bool) {
	for _, c := range classes() {
		if c.Name == name {
			return c, true
		}
	}
	return Class{}, false
}

// Check says what is wrong with a class.
func (c Class) Check() error {
	within := func(what string, d, least, most time.Duration) error {
		if d != 0 && (d < least || d > most) {
			return fmt.Errorf("check class %.40q: %s is %s, want %s to %s", c.Name, what, d, least, most)
		}
		return nil
	}
	if err := within("rtt", c.RTT, 0, MostRTT); err != nil {
		return err
	}
	if err := within("jitter", c.Jitter, 0, MostRTT); err != nil {
		return err
	}
	if err := within("drop-every", c.DropEvery, LeastDropEvery, MostDropEvery); err != nil {
		return err
	}
	if c.DropFor < 0 || c.DropFor != 0 && c.DropFor >= c.DropEvery {
		return fmt.Errorf("check class %.40q: drop-for is %s, want less than drop-every, %s", c.Name, c.DropFor, c.DropEvery)
	}
	if !(c.Loss >= 0 && c.Loss <= MostLoss) { // not a number is neither
		return fmt.Errorf("check class %.40q: loss is %v, want 0 to %v", c.Name, c.Loss, MostLoss)
	}
	for what, bps := range map[string]int{"down": c.Down, "up": c.Up} {
		if bps != 0 && (bps < LeastBPS || bps > MostBPS) {
			return fmt.Errorf("check class %.40q: %s is %d bytes a second, want %d to %d", c.Name, what, bps, LeastBPS, MostBPS)
		}
	}
	return nil
}

// plain says whether the class leaves connections as they are.
func (c Class) plain() bool { c.Name = ""; return c == Class{} }
