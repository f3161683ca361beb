package cluster

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// Bounds of the pulse.
const (
	maxPulse       = 16 << 10 // bytes of one message
	maxPulses      = 4096     // requests of one node that this one works on at a time
	pulseHeader    = 4 + 1 + 4 + 4
	pulseDialLimit = 2 * time.Second
)

// Kinds of messages: what is asked, and the answer to anything.
const (
	pulseAppend byte = iota + 1
	pulseVote
	pulsePreVote
	pulseNow
	pulseAnswer
)

// pulse carries the small requests of all groups between two nodes over one connection: heartbeats, commits, votes.
// raft's transport opens a connection for each group and purpose, each with half a megabyte of buffers at both ends;
// it is left with what carries entries and snapshots. A message is its length, u32, then kind u8, request u32, group
// u32, little endian, and a body, see pulse_codec.go. A request goes through the main loop of its group like any other.
//
// Heartbeats wait for each other: waking up a process costs more than all that sixteen shards have to say, so what has
// gathered for a node leaves together, at the same moments on every node whose clock is right.
type pulse struct {
	n     *Node
	l     *layer
	stop  <-chan struct{}
	every time.Duration // between two moments at which heartbeats leave

	mu    sync.Mutex
	ends  map[raft.ServerAddress]*pulseEnd
	armed bool // beats will be called
	over  bool // nothing more is begun
	tasks sync.WaitGroup
}

func newPulse(n *Node) *pulse {
	return &pulse{n: n, l: n.mux.layers[n.opt.Shards], stop: n.stop, every: n.opt.HeartbeatTimeout / beatsPerTimeout,
		ends: make(map[raft.ServerAddress]*pulseEnd)}
}

// pulseEnd is the asking end of a connection to one node.
type pulseEnd struct {
	dial sync.Mutex // held while connecting, by one of those who want to

	mu    sync.Mutex // guards the rest
	out   *outlet    // nil: not connected
	heard time.Time  // when the last answer came
	next  uint32
	wait  map[uint32]*asking
	beats []*asking // heartbeats that have not left
}

// asking is one request and who waits for its answer.
type asking struct {
	id, group uint32 // id 0: not sent
	kind      byte
	body      []byte
	left      time.Time     // when it was sent
	answer    chan pulseGot // has room for the answer
}

// pulseGot is the encoded response, or why there is none.
type pulseGot struct {
	body []byte
	err  error
}

var (
	errPulse         = errors.New("the connection ended")
	errPulseStopped  = errors.New("the shard has stopped")
	errPulseStopping = errors.New("the node is stopping")
	errPulseBusy     = errors.New("the shard is busy")
)

// ask sends a request to a node and decodes its answer into resp.
func (p *pulse) ask(target raft.ServerAddress, group uint32, kind byte, req, resp any) error {
	a, e, err := p.prepare(target, group, kind, req)
	if err != nil {
		return err
	}
	if err := e.send(a); err != nil {
		return err
	}
	return e.await(target, a, resp)
}

// beat is ask for a heartbeat, which waits for those of other groups unless hurry says, or is told, otherwise. It also
// says when the request left, as far as that is known: not before.
func (p *pulse) beat(target raft.ServerAddress, group uint32, req, resp any, hurry func() bool) (time.Time, error) {
	a, e, err := p.prepare(target, group, pulseAppend, req)
	if err != nil {
		return time.Time{}, err
	}
	if err := e.hold(a); err != nil {
		return time.Time{}, err
	}
	if hurry() { // looked at when it is where p.hurry would find it
		e.flush(func(o *asking) bool { return o == a })
	} else {
		p.arm()
	}
	err = e.await(target, a, resp)
	e.mu.Lock()
	defer e.mu.Unlock()
	return a.left, err
}

func (p *pulse) prepare(target raft.ServerAddress, group uint32, kind byte, req any) (*asking, *pulseEnd, error) {
	body, err := appendPulse(nil, req)
	if err != nil {
		return nil, nil, err
	}
	if len(body) > maxPulse {
		return nil, nil, fmt.Errorf("a message of %d bytes, at most %d", len(body), maxPulse)
	}
	e, err := p.end(target)
	if err != nil {
		return nil, nil, err
	}
	return &asking{group: group, kind: kind, body: body, answer: make(chan pulseGot, 1)}, e, nil
}

func (e *pulseEnd) await(target raft.ServerAddress, a *asking, resp any) error {
	asked := time.Now()
	timer := time.NewTimer(rpcTimeout)
	defer timer.Stop()
	select {
	case got := <-a.answer:
		if got.err != nil {
			return fmt.Errorf("%s answers: %w", target, got.err)
		}
		if err := decodePulse(got.body, resp); err != nil {
			return fmt.Errorf("decode answer of %s: %w", target, err)
		}
		return nil
	case <-timer.C:
		e.forget(a, asked)
		return fmt.Errorf("no answer of %s within %v", target, rpcTimeout)
	}
}

// end is a connected end.
func (p *pulse) end(target raft.ServerAddress) (*pulseEnd, error) {
	p.mu.Lock()
	e := p.ends[target]
	if e == nil {
		e = &pulseEnd{wait: make(map[uint32]*asking)}
		p.ends[target] = e
	}
	p.mu.Unlock()
	if e.connected() {
		return e, nil
	}
	e.dial.Lock()
	defer e.dial.Unlock()
	if e.connected() {
		return e, nil
	}
	c, err := p.l.Dial(target, pulseDialLimit)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.out = &outlet{conn: c}
	e.mu.Unlock()
	p.tasks.Go(func() { e.listen(c) })
	return e, nil
}

func (e *pulseEnd) connected() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.out != nil
}

func (e *pulseEnd) send(a *asking) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.out == nil {
		return errPulse
	}
	e.queue(a, time.Now())
	e.out.flush() // when that fails, listen says so
	return nil
}

// queue hands a request to the outlet. The caller holds mu, and flushes.
func (e *pulseEnd) queue(a *asking, now time.Time) {
	e.next++
	if e.next == 0 {
		e.next++
	}
	a.id, a.left = e.next, now
	e.wait[a.id] = a
	e.out.put(a.kind, a.id, a.group, a.body)
}

// holds says whether there is something on hold that is due.
func (e *pulseEnd) holds(due func(*asking) bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(e.beats, due)
}

// hold keeps a request until the next flush.
func (e *pulseEnd) hold(a *asking) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.out == nil {
		return errPulse
	}
	e.beats = append(e.beats, a)
	return nil
}

// flush sends those of the requests on hold that it is due for.
func (e *pulseEnd) flush(due func(*asking) bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.out == nil {
		return
	}
	now, kept := time.Now(), e.beats[:0]
	for _, a := range e.beats {
		if due(a) {
			e.queue(a, now)
		} else {
			kept = append(kept, a)
		}
	}
	if len(kept) == len(e.beats) {
		return
	}
	clear(e.beats[len(kept):])
	e.beats = kept
	e.out.flush()
}

// forget gives up waiting. A connection that has brought nothing since is of no use: what is sent over it after a cut
// would wait for TCP, which tries again ever more seldom.
func (e *pulseEnd) forget(a *asking, asked time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.wait, a.id)
	e.beats = slices.DeleteFunc(e.beats, func(o *asking) bool { return o == a })
	if e.out != nil && e.heard.Before(asked) {
		_ = e.out.conn.Close() // listen sees it
	}
}

// listen hands answers to those who wait until the connection ends, and then tells the others that there is none.
func (e *pulseEnd) listen(c net.Conn) {
	for r := bufio.NewReader(c); ; {
		kind, id, _, body, err := readPulse(r)
		if err != nil || kind != pulseAnswer || len(body) == 0 {
			break
		}
		got := pulseGot{body: body[1:]}
		if body[0] != pulseResponse {
			got.err = errors.New(string(body[1:]))
		}
		e.mu.Lock()
		e.heard = time.Now()
		a := e.wait[id]
		delete(e.wait, id)
		e.mu.Unlock()
		if a != nil {
			a.answer <- got
		}
	}
	_ = c.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out = nil
	for _, a := range e.wait {
		a.answer <- pulseGot{err: errPulse}
	}
	for _, a := range e.beats {
		a.answer <- pulseGot{err: errPulse}
	}
	clear(e.wait)
	e.beats = nil
}

func appendMessage(b []byte, kind byte, id, group uint32, body []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(pulseHeader-4+len(body))) //nolint:gosec // at most maxPulse
	b = append(b, kind)
	b = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, id), group)
	return append(b, body...)
}

// readPulse reads one message.
func readPulse(r io.Reader) (kind byte, id, group uint32, body []byte, err error) {
	var head [pulseHeader]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, 0, 0, nil, err
	}
	size := binary.LittleEndian.Uint32(head[:])
	if size < pulseHeader-4 || size > pulseHeader-4+maxPulse {
		return 0, 0, 0, nil, fmt.Errorf("a message of %d bytes, at most %d", size, maxPulse)
	}
	body = make([]byte, size-(pulseHeader-4))
	if _, err := io.ReadFull(r, body); err != nil {
		return 0, 0, 0, nil, err
	}
	return head[4], binary.LittleEndian.Uint32(head[5:]), binary.LittleEndian.Uint32(head[9:]), body, nil
}
