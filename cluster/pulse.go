package cluster

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
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
	pulseBeat        // an append that can wait for company
	pulseVote
	pulsePreVote
	pulseNow
	pulseAnswer
)

// pulse carries the small requests of all groups between two nodes over one connection: heartbeats, commits, votes.
// raft's transport opens a connection for each group and purpose, each with half a megabyte of buffers at both ends;
// it is left with what carries entries and snapshots. A message is its length, u32, then kind u8, request u32, group
// u32, little endian, and a body in JSON. A request goes through the main loop of its group like any other.
type pulse struct {
	n    *Node
	l    *layer
	stop <-chan struct{}

	mu    sync.Mutex
	ends  map[raft.ServerAddress]*pulseEnd
	tasks sync.WaitGroup
}

func newPulse(n *Node) *pulse {
	return &pulse{n: n, l: n.mux.layers[n.opt.Shards], stop: n.stop, ends: make(map[raft.ServerAddress]*pulseEnd)}
}

// pulseEnd is the asking end of a connection to one node.
type pulseEnd struct {
	dial sync.Mutex // held while connecting, by one of those who want to

	mu    sync.Mutex // guards the rest
	out   *outlet    // nil: not connected
	heard time.Time  // when the last answer came
	next  uint32
	wait  map[uint32]chan pulseReply
}

// pulseReply is the body of an answer: raft's response, or why there is none.
type pulseReply struct {
	Error    string          `json:"error,omitempty"`
	Response json.RawMessage `json:"response,omitempty"`
}

var errPulse = errors.New("the connection ended")

// ask sends a request to a node and decodes its answer into resp. A heartbeat waits a moment for those of other groups.
func (p *pulse) ask(target raft.ServerAddress, group uint32, kind byte, req, resp any) error {
	body, err := json.Marshal(req)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	e, err := p.end(target)
	if err != nil {
		return err
	}
	asked := time.Now()
	answer, id, err := e.send(kind, group, body)
	if err != nil {
		return err
	}
	timer := time.NewTimer(rpcTimeout)
	defer timer.Stop()
	select {
	case got := <-answer:
		if got.Error != "" {
			return fmt.Errorf("%s answers: %s", target, got.Error)
		}
		if err := json.Unmarshal(got.Response, resp); err != nil {
			return fmt.Errorf("decode answer of %s: %w", target, err)
		}
		return nil
	case <-timer.C:
		e.forget(id, asked)
		return fmt.Errorf("no answer of %s within %v", target, rpcTimeout)
	}
}

// end is a connected end.
func (p *pulse) end(target raft.ServerAddress) (*pulseEnd, error) {
	p.mu.Lock()
	e := p.ends[target]
	if e == nil {
		e = &pulseEnd{wait: make(map[uint32]chan pulseReply)}
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

func (e *pulseEnd) send(kind byte, group uint32, body []byte) (<-chan pulseReply, uint32, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.out == nil {
		return nil, 0, errPulse
	}
	e.next++
	b, err := encodePulse(kind, e.next, group, body)
	if err != nil {
		return nil, 0, err
	}
	answer := make(chan pulseReply, 1)
	e.wait[e.next] = answer
	patience := time.Duration(0)
	if kind == pulseBeat {
		patience = beatPatience
	}
	e.out.put(b, patience) // when that fails, listen says so
	return answer, e.next, nil
}

// forget gives up waiting. A connection that has brought nothing since is of no use: what is sent over it after a cut
// would wait for TCP, which tries again ever more seldom.
func (e *pulseEnd) forget(id uint32, asked time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.wait, id)
	if e.out != nil && e.heard.Before(asked) {
		_ = e.out.conn.Close() // listen sees it
	}
}

// listen hands answers to those who wait until the connection ends, and then tells the others that there is none.
func (e *pulseEnd) listen(c net.Conn) {
	for r := bufio.NewReader(c); ; {
		kind, id, _, body, err := readPulse(r)
		if err != nil || kind != pulseAnswer {
			break
		}
		var got pulseReply
		if json.Unmarshal(body, &got) != nil {
			break
		}
		e.mu.Lock()
		e.heard = time.Now()
		answer := e.wait[id]
		delete(e.wait, id)
		e.mu.Unlock()
		if answer != nil {
			answer <- got
		}
	}
	_ = c.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out = nil
	for _, answer := range e.wait {
		answer <- pulseReply{Error: errPulse.Error()}
	}
	clear(e.wait)
}

// start begins to serve the connections of other nodes.
func (p *pulse) start() {
	p.tasks.Go(func() {
		for {
			c, err := p.l.Accept()
			if err != nil {
				return
			}
			p.tasks.Go(func() { p.serve(c) })
		}
	})
}

// close ends the serving and waits for all that was begun. The mux has been closed: no connection is left, and none
// can be made.
func (p *pulse) close() {
	_ = p.l.Close()
	p.tasks.Wait()
}

// serve works on the requests of one connection, each by itself: a group whose disk is slow holds up no other.
func (p *pulse) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	var busy atomic.Int32
	out := &outlet{conn: c}
	for r := bufio.NewReader(c); ; {
		kind, id, group, body, err := readPulse(r)
		if err != nil {
			return
		}
		command := pulseCommand(kind)
		if command == nil || int(group) >= len(p.n.groups) || json.Unmarshal(body, command) != nil || busy.Add(1) > maxPulses {
			p.n.opt.Logger.Warn("cluster message refused", "remote", c.RemoteAddr().String(), "kind", kind, "shard", group)
			return
		}
		p.tasks.Go(func() {
			defer busy.Add(-1)
			answer, err := json.Marshal(p.handle(p.n.groups[group], command))
			if err != nil {
				return
			}
			b, err := encodePulse(pulseAnswer, id, group, answer)
			if err != nil {
				return
			}
			patience := time.Duration(0)
			if kind == pulseBeat {
				patience = answerPatience
			}
			out.put(b, patience)
		})
	}
}

func pulseCommand(kind byte) any {
	switch kind {
	case pulseAppend, pulseBeat:
		return new(raft.AppendEntriesRequest)
	case pulseVote:
		return new(raft.RequestVoteRequest)
	case pulsePreVote:
		return new(raft.RequestPreVoteRequest)
	case pulseNow:
		return new(raft.TimeoutNowRequest)
	default:
		return nil
	}
}

// handle has a group's main loop answer.
func (p *pulse) handle(g *group, command any) pulseReply {
	ctx, cancel := context.WithTimeout(context.Background(), rpcTimeout)
	defer cancel()
	in, done := g.trans.rpc, make(chan raft.RPCResponse, 1)
	for {
		select {
		case in <- raft.RPC{Command: command, RespChan: done}:
			in = nil
		case r := <-done:
			if r.Error != nil {
				return pulseReply{Error: r.Error.Error()}
			}
			b, err := json.Marshal(r.Response)
			if err != nil {
				return pulseReply{Error: err.Error()}
			}
			return pulseReply{Response: b}
		case <-g.trans.done:
			return pulseReply{Error: "the shard has stopped"}
		case <-p.stop:
			return pulseReply{Error: "the node is stopping"}
		case <-ctx.Done():
			return pulseReply{Error: "the shard is busy"}
		}
	}
}

// hurry sends what waits for company: somebody waits for the answers.
func (p *pulse) hurry() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.ends {
		e.mu.Lock()
		out := e.out
		e.mu.Unlock()
		if out != nil {
			p.tasks.Go(out.flush)
		}
	}
}

func encodePulse(kind byte, id, group uint32, body []byte) ([]byte, error) {
	if len(body) > maxPulse {
		return nil, fmt.Errorf("a message of %d bytes, at most %d", len(body), maxPulse)
	}
	b := make([]byte, 0, pulseHeader+len(body))
	b = binary.LittleEndian.AppendUint32(b, uint32(pulseHeader-4+len(body)))
	b = append(b, kind)
	b = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, id), group)
	return append(b, body...), nil
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
