package sequencer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/catraca/catraca/cluster"
)

// maxCommitted entries may wait in one machine's mailbox before raft's goroutine has to wait.
const maxCommitted = 64

// Shard is the consumer of one shard's committed entries: it hands each to the machine it names. It
// implements [cluster.Pump].
type Shard[M Machine[R], R any] struct {
	o Options[M, R]

	mu       sync.RWMutex
	machines map[uint32]*Handle[M, R]
	leading  bool
	term     uint64
	closed   bool

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
	return &Shard[M, R]{o: o, machines: make(map[uint32]*Handle[M, R])}
}

// Get returns the machine's handle, from any goroutine.
func (s *Shard[M, R]) Get(id uint32) (*Handle[M, R], bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	h, ok := s.machines[id]
	return h, ok
}

// Create proposes a new machine and waits until it is committed. Creating one that exists does nothing.
// Any goroutine but the actors'.
func (s *Shard[M, R]) Create(ctx context.Context, id uint32, blob []byte) error {
	if len(blob) > MaxCommandBytes {
		return fmt.Errorf("create machine %d: %d bytes, at most %d", id, len(blob), MaxCommandBytes)
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

// Apply hands one committed entry on. Raft's goroutine.
func (s *Shard[M, R]) Apply(index, _ uint64, data []byte) {
	h, body, err := DecodeHeader(data)
	if err != nil {
		s.o.Fatal(fmt.Errorf("apply entry %d of shard %d: %w", index, s.o.Shard, err))
		return
	}
	if h.Kind == KindCreate {
		s.create(index, h, body)
		return
	}
	m, ok := s.Get(h.Machine)
	if !ok {
		s.o.Fatal(fmt.Errorf("apply entry %d of shard %d: machine %d: %w", index, s.o.Shard, h.Machine, ErrNoMachine))
		return
	}
	// The bytes belong to raft; the machine reads its own copy.
	select {
	case m.credits <- struct{}{}:
		m.send(&committed{index: index, header: h, body: slices.Clone(body)})
	case <-m.dead:
	}
}

func (s *Shard[M, R]) create(index uint64, h Header, body []byte) {
	if _, exists := s.Get(h.Machine); exists {
		return
	}
	blob, _, err := NextCommand(body)
	if err != nil {
		s.o.Fatal(fmt.Errorf("create at entry %d of shard %d: %w", index, s.o.Shard, err))
		return
	}
	m, err := s.o.Create(h.Machine, slices.Clone(blob))
	if err != nil {
		s.o.Fatal(fmt.Errorf("create machine %d at entry %d: %w", h.Machine, index, err))
		return
	}
	s.spawn(h.Machine, m)
}

func (s *Shard[M, R]) spawn(id uint32, m M) {
	a := &owner[M, R]{o: &s.o, m: m, propose: make(chan proposal, maxInFlight)}
	h := &Handle[M, R]{
		id: id, root: s.o.System.Root, max: int64(s.o.MaxPending), metrics: s.o.Metrics,
		credits: make(chan struct{}, maxCommitted), dead: make(chan struct{}),
	}
	a.h = h
	props := actor.PropsFromProducer(func() actor.Actor { return a })
	pid, err := s.o.System.Root.SpawnNamed(props, s.o.Name+"/"+strconv.Itoa(int(id)))
	if err != nil {
		s.o.Fatal(fmt.Errorf("spawn machine %d: %w", id, err))
		return
	}
	h.pid = pid
	s.proposers.Go(func() { s.run(h, a.propose) })
	if s.o.Added != nil {
		s.o.Added(h)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.machines[id] = h
	if s.leading {
		h.send(ready{s.term})
	}
}

// run is a machine's proposer: raft may block it while the disk is busy, the actor it never blocks.
func (s *Shard[M, R]) run(h *Handle[M, R], in <-chan proposal) {
	for p := range in {
		pending, err := s.o.Proposer.Propose(s.o.Shard, p.data, s.o.CommitTimeout)
		if err != nil {
			h.send(&failed{term: p.term, seq: p.seq, err: err})
			continue
		}
		s.proposers.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), s.o.CommitTimeout)
			defer cancel()
			if err := pending.Wait(ctx); err != nil {
				if errors.Is(err, context.DeadlineExceeded) {
					err = errors.Join(ErrUnknown, err)
				}
				h.send(&failed{term: p.term, seq: p.seq, err: err})
			}
		})
	}
}

// LeaderReady lets the machines take commands. The cluster's goroutine.
func (s *Shard[M, R]) LeaderReady(term uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leading, s.term = true, term
	for _, h := range s.machines {
		h.send(ready{term})
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

const snapshotVersion = 1

// Snapshot asks every machine for its bytes; their mailboxes make the cut exact. Raft's goroutine.
func (s *Shard[M, R]) Snapshot() (cluster.Snapshot, error) {
	hs := s.handles()
	out := &parts{}
	for _, h := range hs {
		reply := make(chan []byte, 1)
		h.send(&snapshot{reply: reply})
		select {
		case blob, ok := <-reply:
			if !ok {
				return nil, fmt.Errorf("snapshot machine %d: %w", h.id, ErrStopped)
			}
			out.ids, out.blobs = append(out.ids, h.id), append(out.blobs, blob)
		case <-h.dead:
			return nil, fmt.Errorf("snapshot machine %d: %w", h.id, ErrStopped)
		}
	}
	return out, nil
}

// parts is a snapshot: version u32, count u32, count × (id u32, length u64, bytes), little endian.
type parts struct {
	ids   []uint32
	blobs [][]byte
}

func (p *parts) WriteTo(w io.Writer) (int64, error) {
	var total int64
	write := func(b []byte) error {
		n, err := w.Write(b)
		total += int64(n)
		return err
	}
	head := binary.LittleEndian.AppendUint32(nil, snapshotVersion)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(p.ids)))
	if err := write(head); err != nil {
		return total, err
	}
	for i, id := range p.ids {
		head = binary.LittleEndian.AppendUint32(head[:0], id)
		head = binary.LittleEndian.AppendUint64(head, uint64(len(p.blobs[i])))
		if err := write(head); err != nil {
			return total, err
		}
		if err := write(p.blobs[i]); err != nil {
			return total, err
		}
	}
	return total, nil
}

func (p *parts) Release() { p.blobs = nil }

// maxSnapshotPart bounds what a damaged length can make Restore allocate.
const maxSnapshotPart = 4 << 30

// Restore replaces the machines by those of a snapshot. Raft's goroutine.
func (s *Shard[M, R]) Restore(r io.Reader) error {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:8]); err != nil {
		return fmt.Errorf("restore shard %d: %w", s.o.Shard, err)
	}
	if v := binary.LittleEndian.Uint32(head[:]); v != snapshotVersion {
		return fmt.Errorf("restore shard %d: snapshot version %d is not known to this binary", s.o.Shard, v)
	}
	for range binary.LittleEndian.Uint32(head[4:]) {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return fmt.Errorf("restore shard %d: %w", s.o.Shard, err)
		}
		id, size := binary.LittleEndian.Uint32(head[:]), binary.LittleEndian.Uint64(head[4:])
		if size > maxSnapshotPart {
			return fmt.Errorf("restore machine %d: %d bytes, at most %d", id, size, int64(maxSnapshotPart))
		}
		blob := make([]byte, size)
		if _, err := io.ReadFull(r, blob); err != nil {
			return fmt.Errorf("restore machine %d: %w", id, err)
		}
		m, err := s.o.Restore(id, blob)
		if err != nil {
			return fmt.Errorf("restore machine %d: %w", id, err)
		}
		if h, ok := s.Get(id); ok {
			done := make(chan struct{})
			h.send(&install[M]{machine: m, done: done})
			<-done
			continue
		}
		s.spawn(id, m)
	}
	return nil
}

// Close stops the machines and waits for their proposers. Call it when the cluster node has been closed.
func (s *Shard[M, R]) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	s.mu.Unlock()
	for _, h := range s.handles() {
		_ = s.o.System.Root.StopFuture(h.pid).Wait() // the actor answers nothing more either way
	}
	s.proposers.Wait()
}
