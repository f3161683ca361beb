package sequencer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// maxCommitted entries may wait in one machine's mailbox before raft's goroutine has to wait.
const maxCommitted = 64

// Shard is the consumer of one shard's committed entries: it hands each to the machine it names. It
// implements the cluster's Pump.
type Shard[M Machine[R], R any] struct {
	o Options[M, R]

	mu       sync.RWMutex
	machines map[uint32]*Handle[M, R]
	leading  bool
	term     uint64
	closed   bool

	fatal     sync.Once
	broken    atomic.Bool // an entry could not be applied: nothing after it may be
	ctx       context.Context
	cancel    context.CancelFunc
	proposers sync.WaitGroup
}

// NewShard returns a shard without machines; they come with the log.
func NewShard[M Machine[R], R any](o Options[M, R]) *Shard[M, R] {
	if o.MaxPending == 0 {
		o.MaxPending = 16384
	}
	if o.CommitTimeout == 0 {
		o.CommitTimeout = 10 * time.Second
	}
	s := &Shard[M, R]{o: o, machines: make(map[uint32]*Handle[M, R])}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Get returns the machine's handle, from any goroutine.
func (s *Shard[M, R]) Get(id uint32) (*Handle[M, R], bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	h, ok := s.machines[id]
	return h, ok
}

// Create proposes a new machine and waits until it is committed. Creating one that exists does nothing, also when
// it was made from another blob. Any goroutine but the actors'.
func (s *Shard[M, R]) Create(ctx context.Context, id uint32, blob []byte) error {
	if len(blob) > MaxCommandBytes {
		return fmt.Errorf("create machine %d from %d bytes, at most %d: %w", id, len(blob), MaxCommandBytes, ErrTooLarge)
	}
	data := EncodeEntry(Header{Kind: KindCreate, Machine: id, At: s.o.Now()}, blob)
	p, err := s.o.Proposer.Propose(s.o.Shard, data, s.o.CommitTimeout)
	if err != nil {
		return fmt.Errorf("create machine %d: %w", id, err)
	}
	if err := p.Wait(ctx); err != nil {
		return fmt.Errorf("create machine %d: %w", id, err)
	}
	return nil
}

// fail stops the process, once, whatever else breaks before it is gone.
func (s *Shard[M, R]) fail(err error) {
	s.broken.Store(true)
	s.fatal.Do(func() { s.o.Fatal(err) })
}

// Apply hands one committed entry on. Raft's goroutine.
func (s *Shard[M, R]) Apply(index, _ uint64, data []byte) {
	if s.broken.Load() {
		return
	}
	h, body, err := DecodeHeader(data)
	if err != nil {
		s.fail(fmt.Errorf("apply entry %d of shard %d: %w", index, s.o.Shard, err))
		return
	}
	if h.Kind == KindCreate {
		s.create(index, h, body)
		return
	}
	m, ok := s.Get(h.Machine)
	if !ok {
		if !s.stopping() {
			s.fail(fmt.Errorf("apply entry %d of shard %d: machine %d: %w", index, s.o.Shard, h.Machine, ErrNoMachine))
		}
		return
	}
	select {
	case m.credits <- struct{}{}:
		// The bytes belong to raft; the machine reads its own copy.
		m.send(&committed{index: index, header: h, body: slices.Clone(body)})
	case <-m.dead:
	}
}

func (s *Shard[M, R]) stopping() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.closed
}

func (s *Shard[M, R]) create(index uint64, h Header, body []byte) {
	if _, exists := s.Get(h.Machine); exists {
		return
	}
	blob, _, err := NextCommand(body)
	if err != nil {
		s.fail(fmt.Errorf("create at entry %d of shard %d: %w", index, s.o.Shard, err))
		return
	}
	m, err := s.o.Create(h.Machine, slices.Clone(blob))
	if err != nil {
		s.fail(fmt.Errorf("create machine %d at entry %d: %w", h.Machine, index, err))
		return
	}
	if err := s.spawn(h.Machine, m, index); err != nil && !errors.Is(err, ErrStopped) {
		s.fail(err)
	}
}

// spawn gives a machine its actor. It holds the lock all the while, so that Close misses none.
func (s *Shard[M, R]) spawn(id uint32, m M, index uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("spawn machine %d: %w", id, ErrStopped)
	}
	a := &owner[M, R]{o: &s.o, m: m, fatal: s.fail, propose: make(chan proposal, maxInFlight)}
	h := &Handle[M, R]{
		id: id, root: s.o.System.Root, born: time.Now(), metrics: s.o.Metrics,
		credits: make(chan struct{}, maxCommitted), dead: make(chan struct{}),
	}
	h.in.max, h.in.dry = int64(s.o.MaxPending), true
	a.h, a.beside, a.check.next = h, s.proposers.Go, checkpointEvery
	h.applied.set(index)
	// A restart, should it ever come to one, gets the same instance: dead, never blank.
	props := actor.PropsFromProducer(func() actor.Actor { return a })
	pid, err := s.o.System.Root.SpawnNamed(props, s.o.Name+"/"+strconv.Itoa(int(id)))
	if err != nil {
		return fmt.Errorf("spawn machine %d: %w", id, err)
	}
	h.pid = pid
	s.proposers.Go(func() { s.run(h, a.propose) })
	if s.o.Added != nil {
		s.o.Added(h)
	}
	s.machines[id] = h
	if s.leading {
		h.send(ready{term: s.term})
	}
	return nil
}

// run is a machine's proposer: raft may block it while the disk is busy, the actor it never blocks. Every proposal
// is followed by a message to the actor: its entry, or why there is none.
func (s *Shard[M, R]) run(h *Handle[M, R], in <-chan proposal) {
	for p := range in {
		if p.term != h.term.Load() {
			// Those who waited have been told that nobody knows; it is not in the log, and it is better left out.
			h.send(&failed{term: p.term, seq: p.seq, err: ErrNotLeader})
			continue
		}
		pending, err := s.o.Proposer.Propose(s.o.Shard, p.data, s.o.CommitTimeout)
		if err != nil {
			h.send(&failed{term: p.term, seq: p.seq, err: err})
			continue
		}
		s.proposers.Go(func() {
			ctx, cancel := context.WithTimeout(s.ctx, s.o.CommitTimeout)
			defer cancel()
			err := pending.Wait(ctx)
			if err == nil {
				return
			}
			if ctx.Err() != nil && !errors.Is(err, ErrUnknown) {
				err = errors.Join(ErrUnknown, err)
			}
			h.send(&failed{term: p.term, seq: p.seq, err: err})
		})
	}
}

// LeaderReady lets the machines take commands. The cluster's goroutine.
func (s *Shard[M, R]) LeaderReady(term uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leading, s.term = true, term
	for _, h := range s.machines {
		h.send(ready{term: term})
	}
}

// LeaderLost lets the machines refuse commands.
func (s *Shard[M, R]) LeaderLost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leading = false
	for _, h := range s.machines {
		h.send(lost{})
	}
}

// Leading reports whether the shard's machines on this node take commands.
func (s *Shard[M, R]) Leading() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.leading
}

func (s *Shard[M, R]) handles() []*Handle[M, R] {
	s.mu.RLock()
	defer s.mu.RUnlock()
	hs := make([]*Handle[M, R], 0, len(s.machines))
	for _, h := range s.machines {
		hs = append(hs, h)
	}
	slices.SortFunc(hs, func(a, b *Handle[M, R]) int { return int(int64(a.id) - int64(b.id)) })
	return hs
}

// Close stops the machines, tells everybody who still waits, and waits for their proposers. Call it when the cluster
// node has been closed; before that it is safe too, and what is committed meanwhile is left to the next start.
func (s *Shard[M, R]) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	s.mu.Unlock()
	for _, h := range s.handles() {
		h.stop()
	}
	s.cancel()
	s.proposers.Wait()
}
