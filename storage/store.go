package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"

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

	fatal   sync.Once
	failure error // only the committer
}

// Open opens or creates the file, checks whose it is, reads the end of every shard's log and compares it with what
// the last commit recorded. It fails with ErrInUse, ErrForeign or a *DamageError where one of them is the reason.
func Open(o Options) (*Store, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	db, err := openFile(&o)
	if err != nil {
		return nil, err
	}
	s := &Store{opt: o, db: db, ops: make(chan *op, maxBatchOps), stopped: make(chan struct{})}
	if err := s.load(); err != nil {
		_ = db.Close()
		return nil, err
	}
	if s.m, err = newCollectors(s); err != nil {
		_ = db.Close()
		return nil, err
	}
	go s.commitLoop()
	return s, nil
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
	<-s.stopped
	s.m.unregister()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close %s: %w", s.opt.path(), err)
	}
	return nil
}

// Scrub reads every entry of every shard and compares the checksums. It returns how many entries it read, and all
// damage it found, joined. It may run beside everything else; it does not call Fatal.
func (s *Store) Scrub(ctx context.Context) (entries int, err error) {
	var found []error
	for _, sh := range s.shards {
		n, errs := sh.scrub(ctx)
		entries += n
		found = append(found, errs...)
		if ctx.Err() != nil {
			return entries, errors.Join(append(found, fmt.Errorf("scrub: %w", ctx.Err()))...)
		}
	}
	return entries, errors.Join(found...)
}

// fail reports the reason why this node must not go on, once.
func (s *Store) fail(err error) {
	s.fatal.Do(func() {
		s.opt.Logger.Error("storage failed", "path", s.opt.path(), "error", err)
		s.opt.Fatal(err)
	})
}
