package cluster

import (
	"bufio"
	"net"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

const (
	// maxPulseBatch requests are answered together.
	maxPulseBatch = 256
	// pulseYields is how often the answers of a batch are looked for before each is waited for by itself. A main loop that
	// does not wait for the disk has its answer ready the first time.
	pulseYields = 3
)

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
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	_ = p.l.Close()
	p.tasks.Wait()
}

// pulseIn is a request of another node.
type pulseIn struct {
	id    uint32
	g     *group
	rpc   raft.RPC
	done  chan raft.RPCResponse
	taken bool // by the main loop
}

// serve works on the requests of one connection. What comes together is answered together, but a group whose disk is
// slow holds up no other.
func (p *pulse) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	var busy atomic.Int32
	out := &outlet{conn: c}
	r := bufio.NewReader(c)
	var batch []*pulseIn
	for {
		kind, id, group, body, err := readPulse(r)
		if err != nil {
			return
		}
		command := pulseCommand(kind)
		if command == nil || int(group) >= len(p.n.groups) || decodePulse(body, command) != nil || int(busy.Load()) > maxPulses {
			p.n.opt.Logger.Warn("cluster message refused", "remote", c.RemoteAddr().String(), "kind", kind, "shard", group)
			return
		}
		done := make(chan raft.RPCResponse, 1)
		in := &pulseIn{id: id, g: p.n.groups[group], rpc: raft.RPC{Command: command, RespChan: done}, done: done}
		select {
		case in.g.trans.rpc <- in.rpc:
			in.taken = true
		default:
		}
		batch = append(batch, in)
		if r.Buffered() < pulseHeader || len(batch) == maxPulseBatch {
			p.answer(out, batch, &busy)
			clear(batch)
			batch = batch[:0]
		}
	}
}

func pulseCommand(kind byte) any {
	switch kind {
	case pulseAppend:
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

// answer sends what the main loops answer at once in one message, and has somebody wait for the rest.
func (p *pulse) answer(out *outlet, batch []*pulseIn, busy *atomic.Int32) {
	for range pulseYields {
		runtime.Gosched()
		missing := batch[:0]
		for _, in := range batch {
			select {
			case got := <-in.done:
				in.put(out, got.Response, got.Error)
			default:
				missing = append(missing, in)
			}
		}
		if batch = missing; len(batch) == 0 {
			break
		}
	}
	out.flush()
	for _, in := range batch {
		busy.Add(1)
		p.tasks.Go(func() {
			defer busy.Add(-1)
			p.await(out, in)
			out.flush()
		})
	}
}

// put queues the answer.
func (in *pulseIn) put(out *outlet, resp any, err error) {
	b := []byte{pulseResponse}
	if err == nil {
		b, err = appendPulse(b, resp)
	}
	if err == nil && len(b) > maxPulse {
		err = errPulseBody
	}
	if err != nil {
		why := err.Error()
		b = append([]byte{pulseFailure}, why[:min(len(why), maxPulse-1)]...)
	}
	out.put(pulseAnswer, in.id, in.g.trans.group, b)
}

// await has a group's main loop answer, however long it is busy.
func (p *pulse) await(out *outlet, in *pulseIn) {
	timer := time.NewTimer(rpcTimeout)
	defer timer.Stop()
	to := in.g.trans.rpc
	if in.taken {
		to = nil
	}
	for {
		select {
		case to <- in.rpc:
			to = nil
		case got := <-in.done:
			in.put(out, got.Response, got.Error)
			return
		case <-in.g.trans.done:
			in.put(out, nil, errPulseStopped)
			return
		case <-p.stop:
			in.put(out, nil, errPulseStopping)
			return
		case <-timer.C:
			in.put(out, nil, errPulseBusy)
			return
		}
	}
}
