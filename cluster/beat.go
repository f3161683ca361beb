package cluster

import "time"

// beatsPerTimeout is how often in each heartbeat timeout the heartbeats that have gathered leave. Raft asks for one a
// tenth to a fifth of the timeout after the last was answered, so that none of these moments is missed as long as an
// answer takes less than a twentieth.
const beatsPerTimeout = 4

// arm has the heartbeats on hold leave at the next moment for it.
func (p *pulse) arm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.armed {
		return
	}
	p.armed = true
	time.AfterFunc(p.every-time.Duration(time.Now().UnixNano())%p.every, p.beats)
}

func (p *pulse) beats() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = false
	p.release(func(*asking) bool { return true })
}

// hurry sends what a group has on hold: somebody waits for the answers.
func (p *pulse) hurry(group uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release(func(a *asking) bool { return a.group == group })
}

// release sends what is on hold and due, to each node by itself: a connection may take its time. The caller holds mu.
func (p *pulse) release(due func(*asking) bool) {
	if p.over {
		return
	}
	for _, e := range p.ends {
		if e.holds(due) {
			p.tasks.Go(func() { e.flush(due) })
		}
	}
}
