package network

import (
	"math/rand/v2"
	"time"
)

// segment is how many bytes travel as one piece of a line, and are lost as one.
const segment = 1460

// leastRTO is the shortest retransmission timeout, as Linux has it.
const leastRTO = 200 * time.Millisecond

// line computes when bytes that one end sends reach the other. It knows neither a clock nor a connection, and is for
// one goroutine at a time.
type line struct {
	c      Class
	rate   int // bytes a second; 0: no limit
	random *rand.Rand
	drops  drops
	free   time.Time // when the sender has put everything on the line; a bucket that holds nothing in store
	last   time.Time // when the latest byte arrives; none overtakes it
}

// arrival is when n bytes that are sent now have arrived, all of them.
func (l *line) arrival(now time.Time, n int) time.Time {
	if l.free.Before(now) {
		l.free = now
	}
	if l.rate > 0 {
		l.free = l.free.Add(time.Duration(int64(n) * int64(time.Second) / int64(l.rate)))
	}
	at := l.free.Add(l.c.RTT / 2)
	if l.c.Jitter > 1 {
		at = at.Add(time.Duration(l.random.Int64N(int64(l.c.Jitter / 2))))
	}
	if at.Before(l.last) {
		at = l.last
	}
	if l.c.Loss > 0 {
		for ; n > 0; n -= segment {
			if l.random.Float64() < l.c.Loss {
				at = at.Add(l.c.timeout())
			}
		}
	}
	l.last = l.drops.after(at)
	return l.last
}

// timeout is how long a lost segment stops its direction.
func (c Class) timeout() time.Duration { return max(leastRTO, 2*c.RTT) }

// drops are the drop-outs of one connection.
type drops struct {
	born          time.Time
	phase         time.Duration // how far the first period had gone when the connection was born
	every, silent time.Duration
}

// after is at, or the end of the silence at falls into.
func (d drops) after(at time.Time) time.Time {
	if d.every == 0 || d.silent == 0 {
		return at
	}
	into := (at.Sub(d.born) + d.phase) % d.every
	if quiet := d.every - d.silent; into >= quiet {
		return at.Add(d.every - into)
	}
	return at
}

// cut is when the connection is cut; zero: never.
func (d drops) cut() time.Time {
	if d.every == 0 || d.silent > 0 {
		return time.Time{}
	}
	return d.born.Add(d.every - d.phase)
}
