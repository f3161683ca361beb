package pay

import (
	"sync"
	"time"
)

// breaker stops calls to a provider that fails: after `failures` temporary failures in a row it stays open for
// `openFor`, then lets one call through; that call's outcome closes it or opens it again. Safe for many goroutines.
type breaker struct {
	failures int
	openFor  time.Duration
	moved    func(open bool) // called under the lock when the breaker opens or closes

	mu      sync.Mutex
	row     int       // temporary failures in a row
	until   time.Time // no calls before this while open
	open    bool
	probing bool // one call is out to see whether the provider is back
}

// enter tells whether a call may be made now. A caller that got true must call leave, with the probe it was given.
func (b *breaker) enter(now time.Time) (probe, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.open:
		return false, true
	case b.probing || now.Before(b.until):
		return false, false
	default:
		b.probing = true
		return true, true
	}
}

// outcome of a call for the breaker.
type outcome uint8

const (
	answered outcome = iota // the provider works, whatever it said
	failed                  // temporary failure
	unknown                 // the caller gave up; nothing is learnt
)

func (b *breaker) leave(now time.Time, probe bool, o outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if probe {
		b.probing = false
	}
	switch o {
	case answered:
		b.row = 0
		if b.open {
			b.open = false
			b.moved(false)
		}
	case failed:
		b.row = min(b.row+1, b.failures)
		if probe || (!b.open && b.row >= b.failures) {
			b.until = now.Add(b.openFor)
			if !b.open {
				b.open = true
				b.moved(true)
			}
		}
	case unknown:
	}
}
