package relay

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/catraca/catraca/actors/sequencer"
)

// peer is one other node: what is on its way to it, what waits for its answer, and what it waits for.
type peer struct {
	r    *Relay
	name string
	pid  *actor.PID    // one for good: it keeps its process
	wake chan struct{} // for the writer

	mu      sync.Mutex
	up      bool     // the carrier has, or is getting, a connection
	dialed  net.Conn // for the carrier to take
	life    uint64   // of the peer's process, 0: not known
	seq     uint64
	flying  []flying
	pieces  []piece // gathered for the next frames
	acks    []uint64
	calls   map[uint64]*call
	bytes   int // of calls
	serving int // of the peer's requests
	failed  time.Time
}

// flying is a frame that is not acknowledged.
type flying struct {
	seq uint64
	at  time.Time
}

// piece is the items of one frame.
type piece struct {
	b []byte
	n int
}

// call is a request that waits for its answer.
type call struct {
	shard int
	term  uint64 // in which the peer was taken for the leader
	size  int
	at    time.Time
	done  chan answer // of one; told once
}

type answer struct {
	result []byte
	index  uint64
	err    error
}

func newPeer(r *Relay, name string) *peer {
	return &peer{r: r, name: name, pid: actor.NewPID(name, actorName), wake: make(chan struct{}, 1), calls: make(map[uint64]*call)}
}

// ask puts a request on its way. The answer comes to the call, unless there is an error: then the request was not sent.
func (p *peer) ask(x *item, c *call) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.r.ctx.Err() != nil {
		return sequencer.ErrStopped
	}
	if len(p.calls) >= p.r.o.MaxOutstanding || len(p.calls) > 0 && p.bytes+c.size > p.r.o.MaxBytes {
		return &sequencer.BusyError{RetryAfter: comeBack}
	}
	p.calls[x.id] = c
	p.bytes += c.size
	p.r.o.Metrics.outstanding.Inc()
	p.gather(x)
	return nil
}

// gather adds an item to the next frame.
func (p *peer) gather(x *item) {
	n := len(p.pieces) - 1
	if n < 0 || p.pieces[n].n >= gatherItems || len(p.pieces[n].b)+len(x.body)+maxItem > gatherBytes {
		p.pieces = append(p.pieces, piece{})
		n++
	}
	p.pieces[n].b = appendItem(p.pieces[n].b, x)
	p.pieces[n].n++
	p.stir()
}

func (p *peer) stir() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// heard takes note of a frame's header: whose it is, what it acknowledges, and that it has to be acknowledged.
func (p *peer) heard(f *frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.life != f.from {
		// Another run of that process: what the last one asked needs no answer, and of what it was asked nobody knows.
		had := p.life != 0
		p.life = f.from
		if had {
			p.drop(errors.New("started anew"))
		}
	}
	if f.to == p.r.life {
		for b := f.acks; len(b) > 0; b = b[8:] {
			seq := binary.LittleEndian.Uint64(b)
			p.flying = slices.DeleteFunc(p.flying, func(x flying) bool { return x.seq == seq })
		}
	}
	if f.seq != 0 && len(p.acks) < maxAcks { // an honest peer has no more frames on their way
		p.acks = append(p.acks, f.seq)
	}
	p.stir()
}

// answered ends a wait. An answer that comes too late is nobody's.
func (p *peer) answered(x *item) {
	p.mu.Lock()
	c, ok := p.take(x.id)
	p.mu.Unlock()
	if !ok {
		return
	}
	a := answer{index: x.number}
	switch x.verdict {
	case verdictDone:
		a.result = x.body
	case verdictNotLeader:
		a.err = sequencer.ErrNotLeader
		p.r.hint(c.shard, string(x.body), x.number)
	case verdictBusy:
		a.err = &sequencer.BusyError{RetryAfter: min(max(time.Duration(x.ms)*time.Millisecond, time.Millisecond), 10*time.Second)}
	case verdictStopped: // surely not done there, and somebody else leads soon
		a.err = sequencer.ErrNotLeader
	case verdictNoMachine:
		a.err = sequencer.ErrNoMachine
	case verdictTooLarge:
		a.err = sequencer.ErrTooLarge
	case verdictRefused:
		a.err = fmt.Errorf("relay: %s refused: %q", p.name, x.body)
	case verdictUnknown:
		fallthrough
	default:
		a.err = sequencer.ErrUnknown
	}
	p.r.o.Metrics.trip.Observe(time.Since(c.at).Seconds())
	c.done <- a
}

// take removes a call. The lock is held.
func (p *peer) take(id uint64) (*call, bool) {
	c, ok := p.calls[id]
	if ok {
		delete(p.calls, id)
		p.bytes -= c.size
		p.r.o.Metrics.outstanding.Dec()
	}
	return c, ok
}

// abandon gives up waiting.
func (p *peer) abandon(id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.take(id)
}

// deposed ends the waits for a shard that somebody else leads in a later term.
func (p *peer) deposed(shard int, leader string, term uint64) {
	if p.name == leader {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, c := range p.calls {
		if c.shard == shard && c.term < term {
			p.take(id)
			c.done <- answer{err: fmt.Errorf("%w: %s leads no more", sequencer.ErrUnknown, p.name)}
		}
	}
}

// silent gives the peer up when it has not acknowledged a frame for too long.
func (p *peer) silent(now time.Time) {
	p.mu.Lock()
	late := len(p.flying) > 0 && now.Sub(p.flying[0].at) > p.r.o.Silence
	p.mu.Unlock()
	if late {
		p.lose(errors.New("silent"))
		(*p.r.wire.Load()).forget(p.name)
	}
}

// lose gives everything up that is on its way to the peer or waits for it.
func (p *peer) lose(why error) {
	p.mu.Lock()
	p.up = false
	unused := p.dialed
	p.dialed = nil
	p.drop(why)
	p.mu.Unlock()
	if unused != nil {
		_ = unused.Close() // nothing was sent
	}
}

// drop ends every wait as unknown. The lock is held.
func (p *peer) drop(why error) {
	if len(p.calls)+len(p.flying)+len(p.pieces) > 0 {
		p.r.o.Metrics.lost.Inc()
		if time.Since(p.failed) > 10*time.Second { // one line tells of many
			p.failed = time.Now()
			p.r.o.Logger.Warn("relay gave a node up", slog.String("peer", p.name), slog.Int("waiting", len(p.calls)), slog.Any("error", why))
		}
	}
	for id, c := range p.calls {
		p.take(id)
		c.done <- answer{err: fmt.Errorf("%w: %s: %w", sequencer.ErrUnknown, p.name, why)}
	}
	p.flying, p.pieces, p.acks = nil, nil, nil
}

// write hands frames to the carrier until the relay closes: one goroutine a peer, so that they keep their order.
func (p *peer) write() {
	for {
		select {
		case <-p.r.ctx.Done():
			return
		case <-p.wake:
		}
		for {
			b := p.next()
			if b == nil {
				break
			}
			if err := p.send(b); err != nil {
				p.lose(err)
			}
		}
	}
}

// next is the next frame; nil when there is nothing to say, or too much is on its way.
func (p *peer) next() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	full := len(p.pieces) == 0 || len(p.flying) >= window
	if full && len(p.acks) == 0 {
		return nil
	}
	acks := p.acks
	p.acks = nil
	if full {
		return appendHeader(nil, p.r.life, p.life, 0, acks)
	}
	x := p.pieces[0]
	p.pieces = p.pieces[1:]
	p.seq++
	p.flying = append(p.flying, flying{seq: p.seq, at: time.Now()})
	b := make([]byte, 0, headerSize+8*len(acks)+len(x.b))
	return append(appendHeader(b, p.r.life, p.life, p.seq, acks), x.b...)
}

// send hands a frame over. The connection is opened here first: proto.actor takes two seconds to notice that it cannot.
func (p *peer) send(b []byte) error {
	wire := p.r.wire.Load()
	if wire == nil {
		return errors.New("not started")
	}
	if err := p.connect(); err != nil {
		return err
	}
	p.r.o.Metrics.frames.WithLabelValues("out").Inc()
	p.r.o.Metrics.bytes.WithLabelValues("out").Add(float64(len(b)))
	return (*wire).send(p, b)
}

func (p *peer) connect() error {
	p.mu.Lock()
	up := p.up
	p.mu.Unlock()
	if up {
		return nil
	}
	c := p.r.c.Load()
	ctx, cancel := context.WithTimeout(p.r.ctx, dialPatience)
	defer cancel()
	conn, err := (*c).DialActors(ctx, p.name)
	if err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	p.mu.Lock()
	before := p.dialed
	p.up, p.dialed = true, conn
	p.mu.Unlock()
	if before != nil {
		_ = before.Close() // nothing was sent
	}
	return nil
}

// dial gives the carrier the connection that was opened for it, or another one.
func (r *Relay) dial(ctx context.Context, name string) (net.Conn, error) {
	r.mu.RLock()
	p, closed := r.peers[name], r.closed
	r.mu.RUnlock()
	if p == nil || closed {
		return nil, fmt.Errorf("relay: no node %q", name)
	}
	p.mu.Lock()
	conn := p.dialed
	p.dialed = nil
	p.mu.Unlock()
	if conn != nil {
		return conn, nil
	}
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	conn, err := (*r.c.Load()).DialActors(ctx, name)
	if err != nil {
		p.lose(err)
		return nil, fmt.Errorf("relay: dial %s: %w", name, err)
	}
	return conn, nil
}
