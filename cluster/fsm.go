package cluster

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// Pump consumes one shard's committed entries. The node calls Apply, Snapshot and Restore never at the same time;
// LeaderReady and LeaderLost come in turn from another goroutine of the shard, beside them.
type Pump interface {
	// Apply gets one committed entry, in order, on every replica. It may block, which holds up only this shard; it
	// must not wait for a Future of this shard. data must not be kept or changed. A panic stops the process.
	Apply(index, term uint64, data []byte)
	// Snapshot fixes the state as it is after the last Apply. Applying goes on while the Snapshot is written.
	Snapshot() (Snapshot, error)
	// Restore replaces the state by what Snapshot.WriteTo wrote, and must read all of it. It is called during Start,
	// and later when this node was too late for the log. After an error the state is not used.
	Restore(r io.Reader) error
	// LeaderReady says that this node leads the shard in term and that everything older has been applied.
	LeaderReady(term uint64)
	// LeaderLost ends what the last LeaderReady began. Close calls it too.
	LeaderLost()
}

// Snapshot is a fixed state. WriteTo runs beside Apply; Release is called exactly once, when it is done with.
type Snapshot interface {
	WriteTo(w io.Writer) (int64, error)
	Release()
}

// fsm is raft's view of a Pump.
type fsm struct {
	shard uint32
	pump  Pump
	log   *watchedLog
	took  func(time.Duration) // a snapshot was written

	index   atomic.Uint64 // last entry the pump has, or need not have
	term    atomic.Uint64
	command atomic.Uint64 // last entry the pump has
	config  atomic.Pointer[configuration]

	restored, refused atomic.Bool // a snapshot was taken in; a good one was not
	none              []any
}

var _ raft.BatchingFSM = (*fsm)(nil)

// Apply implements raft.FSM.
func (f *fsm) Apply(l *raft.Log) any {
	switch l.Type {
	case raft.LogCommand:
		f.pump.Apply(l.Index, l.Term, l.Data)
		f.command.Store(l.Index)
	case raft.LogConfiguration:
		f.config.Store(&configuration{l.Index, raft.DecodeConfiguration(l.Data).Servers})
	default: // raft keeps the others to itself
	}
	f.term.Store(l.Term)
	f.index.Store(l.Index)
	return nil
}

// ApplyBatch implements raft.BatchingFSM. Configurations come too and are none of the pump's business.
func (f *fsm) ApplyBatch(logs []*raft.Log) []any {
	for _, l := range logs {
		f.Apply(l)
	}
	for len(f.none) < len(logs) {
		f.none = append(f.none, nil)
	}
	return f.none[:len(logs)]
}

// Snapshot implements raft.FSM.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	s, err := f.pump.Snapshot()
	if err != nil {
		return nil, fmt.Errorf("snapshot shard %d: %w", f.shard, err)
	}
	return &fsmSnapshot{f: f, s: s, cut: cut{f.shard, f.index.Load(), f.term.Load()}, logged: f.log.appended.Load()}, nil
}

// Restore implements raft.FSM.
func (f *fsm) Restore(rc io.ReadCloser) error {
	c, err := readCut(rc)
	if err != nil {
		return err
	}
	if c.shard != f.shard {
		return fmt.Errorf("%w: it is of shard %d, not of %d", ErrSnapshot, c.shard, f.shard)
	}
	r := &frameReader{r: rc}
	if err := f.pump.Restore(r); err != nil {
		f.refused.Store(!errors.Is(err, ErrSnapshot))
		return fmt.Errorf("restore shard %d: %w", f.shard, err)
	}
	switch n, err := io.Copy(io.Discard, r); {
	case err != nil: // the pump did not mind, or did not read so far
		return err
	case n > 0:
		return fmt.Errorf("restore shard %d: %d bytes were not read", f.shard, n)
	}
	f.index.Store(c.index)
	f.term.Store(c.term)
	f.command.Store(c.index)
	f.config.Store(nil) // the snapshot has it
	f.restored.Store(true)
	return nil
}

// configuration is a committed list of servers.
type configuration struct {
	index   uint64
	servers []raft.Server
}

type fsmSnapshot struct {
	f      *fsm
	s      Snapshot
	cut    cut
	logged uint64 // bytes appended to the log when it was taken
}

// Persist implements raft.FSMSnapshot.
func (s *fsmSnapshot) Persist(sink raft.SnapshotSink) error {
	start := time.Now()
	err := s.write(sink)
	if err == nil {
		err = sink.Close()
	}
	if err != nil {
		_ = sink.Cancel()
		return fmt.Errorf("write snapshot of shard %d: %w", s.f.shard, err)
	}
	s.f.log.snapshotted.Store(s.logged)
	s.f.took(time.Since(start))
	return nil
}

func (s *fsmSnapshot) write(w io.Writer) error {
	fw, err := newFrameWriter(w, s.cut)
	if err != nil {
		return err
	}
	if _, err := s.s.WriteTo(fw); err != nil {
		return err
	}
	return fw.Close()
}

// Release implements raft.FSMSnapshot.
func (s *fsmSnapshot) Release() { s.s.Release() }
