package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
)

// Store is the file of one node. Its shards may be used from any goroutine.
type Store struct {
	opt    Options
	id     Identity
	db     *bbolt.DB
	shards []*Shard
	m      *collectors

	ops     chan *op // closed by Close; closing guards sending on it
	closing sync.RWMutex
	closed  bool
	stopped chan struct{} // the committer has gone
	free    sync.Pool     // ops to be used again
	writing sync.Mutex    // who commits, and what is only the committer's
	awake   atomic.Bool   // the committer's timer runs, or is about to
	poke    chan struct{} // starts it

	fatal   sync.Once
	failure error                 // only who commits
	broken  atomic.Pointer[error] // what another goroutine found; the committer stops at it

	pageSize int
	grow     *grower
	used     atomic.Int64 // bytes of the file that have ever been used
	readOnly atomic.Bool
	full     fullness // only who commits

	stop   context.CancelFunc // ends the scrubber
	scrubs sync.WaitGroup
}

// Open opens or creates the file, checks whose it is, reads the end of every shard's log and compares it with what
// the last commit recorded. It fails with ErrInUse, ErrForeign, ErrMarked or a *DamageError where one of them is the
// reason; damage leaves a mark. A file of more than 1 GiB that is mostly empty is written anew before it is used.
func Open(o Options) (*Store, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create data folder: %w", err)
	}
	if reason, ok := Marked(o.Dir); ok && !o.AllowLostCommit {
		return nil, fmt.Errorf("%w: %s: %s", ErrMarked, o.Dir, reason)
	}
	s, err := openStore(o)
	if bad, ok := errors.AsType[*DamageError](err); ok {
		s.mark(bad)
	}
	if err != nil {
		return nil, err
	}
	warnFastCommit(&s.opt)
	go s.commitLoop()
	go s.grow.run(s.breakDown)
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	if o.ScrubBytes >= 0 {
		s.scrubs.Go(func() { s.scrubLoop(ctx) })
	}
	return s, nil
}

// openStore is Open without its goroutines. The store is given even with an error, then closed.
func openStore(o Options) (*Store, error) {
	s := &Store{opt: o, ops: make(chan *op, maxBatchOps), stopped: make(chan struct{}), poke: make(chan struct{}, 1)}
	var err error
	if s.db, err = openFile(&o); err != nil {
		return s, err
	}
	err = s.load()
	if err == nil {
		err = s.compact()
	}
	if err == nil && o.AllowLostCommit {
		err = unmark(o.Dir)
	}
	if err == nil {
		s.grow, err = newGrower(&s.opt)
	}
	if err == nil {
		if s.m, err = newCollectors(s); err != nil {
			_ = s.grow.f.Close()
		}
	}
	if err != nil {
		_ = s.db.Close()
	}
	return s, err
}

// Identity says whose file it is.
func (s *Store) Identity() Identity { return s.id }

// Shard returns the log and stable store of one shard, 0 to Shards-1. Another number is a mistake of the caller.
func (s *Store) Shard(i int) *Shard { return s.shards[i] }

// Close writes what is waiting, then closes the file. Later writes return ErrClosed. Closing twice is harmless.
func (s *Store) Close() error {
	s.closing.Lock()
	if s.closed {
		s.closing.Unlock()
		<-s.stopped
		return nil
	}
	s.closed = true
	close(s.ops)
	s.closing.Unlock()
	s.stop()
	<-s.stopped
	s.grow.close()
	s.scrubs.Wait()
	s.m.unregister()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close %s: %w", s.opt.path(), err)
	}
	return nil
}

// fail reports the reason why this node must not go on, once. Damage leaves a mark first, so that the next start does
// not go on either.
func (s *Store) fail(err error) {
	s.fatal.Do(func() {
		s.opt.Logger.Error("storage failed", "path", s.opt.path(), "error", err)
		if bad, ok := errors.AsType[*DamageError](err); ok {
			s.mark(bad)
		}
		s.opt.Fatal(err)
	})
}

// breakDown is fail for a goroutine that is not the committer, which must stop, too.
func (s *Store) breakDown(err error) {
	s.broken.Store(&err)
	s.fail(err)
}

// mark leaves a mark, and does not wait for ever for a disk that hangs: stopping is more important.
func (s *Store) mark(bad *DamageError) {
	marked := make(chan error, 1)
	go func() { marked <- Mark(s.opt.Dir, bad.Error()) }()
	select {
	case err := <-marked:
		if err != nil {
			s.opt.Logger.Error("storage cannot mark its damage", "path", s.opt.path(), "error", err)
		}
	case <-time.After(markTimeout):
		s.opt.Logger.Error("storage cannot mark its damage", "path", s.opt.path(), "error", "the disk does not answer")
	}
}
