package gateway

import "time"

// leaving are the accounts without a connection who will be away when their time is up. The queue is in the order of
// their times, because all wait equally long; the map says which time counts, others are passed over.
type leaving struct {
	wait  int64            // ms
	at    map[fanKey]int64 // unix ms
	queue []leaver
}

type leaver struct {
	key fanKey
	at  int64
}

func newLeaving(after time.Duration) leaving {
	return leaving{wait: after.Milliseconds(), at: make(map[fanKey]int64)}
}

// gone starts the time of an account whose last connection ended.
func (l *leaving) gone(k fanKey, now int64) {
	l.at[k] = now + l.wait
	l.queue = append(l.queue, leaver{k, now + l.wait})
}

// stay ends the time of an account that is connected again.
func (l *leaving) stay(k fanKey) { delete(l.at, k) }

// left hands those whose time is up to f.
func (l *leaving) left(now int64, f func(fanKey)) {
	for len(l.queue) > 0 && l.queue[0].at <= now {
		x := l.queue[0]
		l.queue = l.queue[1:]
		if at, ok := l.at[x.key]; ok && at == x.at {
			delete(l.at, x.key)
			f(x.key)
		}
	}
	if len(l.queue) == 0 {
		l.queue = nil
	}
}
