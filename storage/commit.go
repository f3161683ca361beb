package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	maxBatchOps   = 256
	maxBatchBytes = 8 << 20
	fillPercent   = 0.95 // logs grow at their end only
	idleSweep     = 64   // keys erased at once when nobody writes
	idleWait      = 200 * time.Millisecond
)

type opKind uint8

const (
	opAppend opKind = iota
	opDelete
	opStable
)

// op is one request to the committer. done gets exactly one value.
type op struct {
	kind     opKind
	shard    *Shard
	logs     []*raft.Log // append
	buf      []byte      // their encoded values, cut at ends
	ends     []int
	min, max uint64 // delete
	pairs    []pair // stable
	bytes    int
	full     bool  // refused for lack of room
	err      error // refused, though the transaction went well
	done     chan error
}

func newOp(kind opKind, sh *Shard) *op {
	o, ok := sh.s.free.Get().(*op)
	if !ok {
		o = &op{done: make(chan error, 1)}
	}
	o.kind, o.shard = kind, sh
	return o
}

// free gives the op back; large buffers are left to the collector.
func (o *op) free() {
	if cap(o.buf) > 1<<20 {
		o.buf = nil
	}
	pool := &o.shard.s.free
	*o = op{buf: o.buf[:0], ends: o.ends[:0], done: o.done}
	pool.Put(o)
}

// do hands o to whoever commits next and waits for its commit. When nobody is committing it does so itself: two
// changes of goroutine less for a lone writer.
func (s *Store) do(o *op) error {
	s.closing.RLock()
	if s.closed {
		s.closing.RUnlock()
		o.free()
		return ErrClosed
	}
	if len(s.ops) == 0 && s.writing.TryLock() {
		err := s.commitOwn(o)
		s.writing.Unlock()
		s.closing.RUnlock()
		o.free()
		return err
	}
	s.ops <- o
	s.closing.RUnlock()
	err := <-o.done
	o.free()
	return err
}

func (s *Store) commitOwn(o *op) error {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	batch := [1]*op{o}
	s.commit(batch[:])
	if s.hasWork() && !s.awake.Swap(true) {
		select {
		case s.poke <- struct{}{}:
		default: // one is on its way
		}
	}
	return <-o.done
}

// hasWork says whether there is something to do when nobody writes.
func (s *Store) hasWork() bool {
	if s.failure != nil {
		return false
	}
	if s.readOnly.Load() {
		return true
	}
	for _, sh := range s.shards {
		if sh.ext.garbage != 0 {
			return true
		}
	}
	return false
}

// commitLoop commits what several callers want at once, and what can wait until nobody writes. Whatever has gathered
// while the last commit was on its way to the disk goes into the next one; there is no timer to wait for company.
func (s *Store) commitLoop() {
	defer close(s.stopped)
	debug.SetPanicOnFault(true) // this goroutine's: a damaged page may lead outside the file
	idle := time.NewTimer(idleWait)
	defer idle.Stop()
	s.awake.Store(true) // the timer runs
	batch := make([]*op, 0, maxBatchOps)
	for {
		select {
		case o, ok := <-s.ops:
			if !ok {
				return
			}
			s.writing.Lock()
			batch = s.commitAll(append(batch[:0], o))
			s.writing.Unlock()
			if s.readOnly.Load() { // refusals must not keep it from ever being idle
				if !s.awake.Swap(true) {
					idle.Reset(fullWait)
				}
				continue
			}
			s.awake.Store(true)
			idle.Reset(idleWait)
		case <-s.poke:
			idle.Reset(fullWait)
		case <-idle.C:
			s.writing.Lock()
			s.sweepIdle()
			s.recover()
			more := s.hasWork()
			s.awake.Store(more)
			s.writing.Unlock()
			switch {
			case more && s.readOnly.Load():
				idle.Reset(fullWait)
			case more:
				idle.Reset(idleWait)
			}
		}
	}
}

// commitAll commits batch and what has come meanwhile, until there is nothing.
func (s *Store) commitAll(batch []*op) []*op {
	for {
		batch = s.gather(batch)
		s.commit(batch)
		n := len(batch)
		clear(batch)
		if s.readOnly.Load() {
			return batch // making room comes first
		}
		if n > 1 {
			runtime.Gosched() // those just answered are about to come again: let them, or every other batch is of one
		}
		select {
		case o, ok := <-s.ops:
			if !ok {
				return batch // the loop will see it too
			}
			batch = append(batch[:0], o)
		default:
			return batch
		}
	}
}

func (s *Store) gather(batch []*op) []*op {
	bytes := batch[0].bytes
	for len(batch) < maxBatchOps && bytes < maxBatchBytes {
		select {
		case o, ok := <-s.ops:
			if !ok {
				return batch // the loop will see it too
			}
			batch = append(batch, o)
			bytes += o.bytes
		default:
			return batch
		}
	}
	return batch
}

func (s *Store) commit(batch []*op) {
	if broken := s.broken.Load(); broken != nil && s.failure == nil {
		s.failure = *broken
	}
	if s.failure == nil {
		start := time.Now()
		bytes, err := s.writeBatch(batch)
		if err != nil {
			// Nobody knows what the disk holds now, and a second flush may well report success over lost pages. This
			// is so for a full disk, too: the error does not say whether it came from writing pages nobody refers to
			// yet, or from a flush, or from a head. What can be foreseen has been refused before; see makeRoom.
			s.failure = fmt.Errorf("storage: commit: %w", err)
			s.fail(s.failure)
		} else if bytes >= 0 {
			s.m.committed(len(batch), bytes, time.Since(start))
		}
	}
	if s.failure == nil {
		for _, o := range batch {
			o.publish()
		}
	}
	s.untouch()
	for _, o := range batch {
		if s.failure != nil {
			o.err = s.failure
		}
		o.done <- o.err
	}
}

func (s *Store) untouch() {
	for _, sh := range s.shards {
		sh.touched = false
	}
}

// writeBatch writes the requests in one transaction, except appends there is no room for: they get ErrFull. It returns
// how many bytes they had, -1 when nothing was left to write.
func (s *Store) writeBatch(batch []*op) (bytes int, err error) {
	for try := 1; ; try++ {
		bytes, appends := 0, 0
		err := s.update(func(tx *bbolt.Tx) error {
			bytes, appends, err = s.fillTx(tx, batch)
			return err
		}, func() bool { return appends > 0 })
		if errors.Is(err, errNothing) {
			return -1, nil
		}
		if !errors.Is(err, bolterrors.ErrMaxSizeReached) {
			if err == nil && appends > 0 {
				s.setReadOnly(false)
			}
			return bytes, err
		}
		// bbolt found no place for a page while it was still arranging them in memory: nothing has been written.
		s.untouch()
		all, err := s.grow.extend(max(int64(2*bytes), writerRoom, s.grow.step()), appends == 0)
		if err != nil {
			return 0, err
		}
		if all && try < growTries {
			continue
		}
		if appends == 0 {
			return 0, fmt.Errorf("%w, and votes and deletions need some", ErrFull)
		}
		s.tooFull()
		s.refuse(batch)
	}
}

// fillTx writes the requests into tx.
func (s *Store) fillTx(tx *bbolt.Tx, batch []*op) (bytes, appends int, err error) {
	left := 0
	for _, o := range batch {
		if o.full {
			continue
		}
		o.err = nil
		left++
		if o.kind == opAppend {
			appends++
			bytes += o.bytes
		}
	}
	if appends > 0 {
		ok, err := s.makeRoom(tx.Size(), int64(2*bytes)+writerRoom)
		if err != nil {
			return 0, 0, err
		}
		if !ok {
			s.refuse(batch)
			left, appends = left-appends, 0
		}
	}
	if left == 0 {
		return 0, 0, errNothing
	}
	bytes = 0
	for _, o := range batch {
		if o.full {
			continue
		}
		if err := o.write(tx); err != nil {
			return 0, 0, err
		}
		bytes += o.bytes
	}
	return bytes, appends, s.writeMeta(tx)
}

// refuse gives up the appends of a batch.
func (s *Store) refuse(batch []*op) {
	for _, o := range batch {
		if o.kind == opAppend && !o.full {
			o.full, o.err = true, ErrFull
			s.m.refused.Inc()
		}
	}
	s.setReadOnly(true)
}

// errNothing undoes a transaction that has nothing to say.
var errNothing = errors.New("nothing to write")

// update is a transaction. appends is asked after fill: they may use less of the file than the rest.
// ErrMaxSizeReached means that nothing was written; after any other error nobody knows. Whoever calls holds s.writing.
func (s *Store) update(fill func(*bbolt.Tx) error, appends func() bool) (err error) {
	tx, err := s.db.Begin(true)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() {
		if r := recover(); r != nil {
			// bbolt stumbled, over a damaged page most likely. That is not certain enough for a mark: the look at the
			// whole file before the next start will tell.
			err = fmt.Errorf("the file may be damaged: %v", r)
		}
		if err != nil {
			_ = tx.Rollback() // does nothing after a commit that failed
		}
	}()
	s.used.Store(tx.Size())
	if err := fill(tx); err != nil {
		return err
	}
	limit := s.grow.size.Load()
	if appends() {
		limit = s.grow.appendLimit()
	}
	s.db.MaxSize = int(limit) + s.db.AllocSize // bbolt compares with what it needs plus AllocSize
	if err := s.opt.AroundCommit(tx.Commit); err != nil {
		return err
	}
	s.grow.soon(s.used.Load())
	return nil
}

// touch starts a shard's part of the transaction.
func (sh *Shard) touch() *extent {
	if !sh.touched {
		sh.touched, sh.next, sh.nextStable = true, sh.ext, nil
	}
	return &sh.next
}

func (o *op) write(tx *bbolt.Tx) error {
	switch o.kind {
	case opStable:
		o.shard.touch().stable++
		if o.shard.nextStable == nil {
			o.shard.nextStable = maps.Clone(o.shard.stable)
		}
		for _, p := range o.pairs {
			o.shard.nextStable[p.key] = p.val
		}
		return nil
	case opDelete:
		return o.writeDelete(tx)
	case opAppend: // below
	}
	b := tx.Bucket(o.shard.bucket)
	b.FillPercent = fillPercent
	ext := o.shard.touch()
	if o.logs[0].Index <= ext.last {
		o.err = fmt.Errorf("storage: shard %d: entry %d does not come after %d", o.shard.id, o.logs[0].Index, ext.last)
		return nil
	}
	if o.logs[0].Index <= ext.garbage { // the whole log was cut off, and it starts anew below its old end
		if err := eraseFrom(b, o.logs[0].Index); err != nil {
			return err
		}
		ext.garbage = o.logs[0].Index - 1
	}
	from := 0
	for i, l := range o.logs {
		if err := putValue(b, l.Index, o.buf[from:o.ends[i]:o.ends[i]]); err != nil {
			return err
		}
		from = o.ends[i]
	}
	if ext.first == 0 {
		ext.first = o.logs[0].Index
	}
	ext.last = o.logs[len(o.logs)-1].Index
	return sweep(b, ext, 2*len(o.logs))
}

func (o *op) writeDelete(tx *bbolt.Tx) error {
	b := tx.Bucket(o.shard.bucket)
	ext := o.shard.touch()
	switch {
	case ext.first == 0 || o.max < ext.first || o.min > ext.last:
		return nil // nothing of it is there
	case o.min <= ext.first && o.max >= ext.last:
		*ext = extent{garbage: ext.last, stable: ext.stable}
	case o.min <= ext.first:
		k, _ := b.Cursor().Seek(indexKey(o.max + 1)) // not always max+1: a gap may follow
		if k == nil {
			return o.shard.damage(o.max+1, "it is missing")
		}
		ext.first, ext.garbage = binary.BigEndian.Uint64(k), o.max
	case o.max >= ext.last:
		if err := eraseFrom(b, o.min); err != nil {
			return err
		}
		if ext.last = lastBefore(b, ext.first, o.min); ext.last == 0 {
			return o.shard.damage(ext.first, "it is missing")
		}
	default:
		o.err = fmt.Errorf("storage: shard %d: cannot delete %d to %d from the middle of %d to %d",
			o.shard.id, o.min, o.max, ext.first, ext.last)
	}
	return nil
}

// eraseFrom deletes index and everything after it.
func eraseFrom(b *bbolt.Bucket, index uint64) error {
	var d doomed
	c := b.Cursor()
	for k, v := c.Seek(indexKey(index)); k != nil; k, v = c.Next() {
		d.add(k, v)
	}
	return d.erase(b)
}

// lastBefore finds the newest entry before index, 0 when there is none. Only a gap makes it search, forwards.
func lastBefore(b *bbolt.Bucket, first, index uint64) uint64 {
	if getValue(b, index-1) != nil {
		return index - 1
	}
	last := uint64(0)
	c := b.Cursor()
	for k, _ := c.Seek(indexKey(first)); k != nil && binary.BigEndian.Uint64(k) < index; k, _ = c.Next() {
		last = binary.BigEndian.Uint64(k)
	}
	return last
}

// sweep deletes up to limit keys that no log has any more.
func sweep(b *bbolt.Bucket, ext *extent, limit int) error {
	if ext.garbage == 0 {
		return nil
	}
	var d doomed
	c := b.Cursor()
	k, v := c.First()
	for ; k != nil && binary.BigEndian.Uint64(k) <= ext.garbage && len(d.keys) < limit; k, v = c.Next() {
		d.add(k, v)
	}
	if k == nil || binary.BigEndian.Uint64(k) > ext.garbage {
		ext.garbage = 0
	}
	return d.erase(b)
}

// sweepIdle erases a little of one shard while nobody writes.
func (s *Store) sweepIdle() {
	if s.failure != nil {
		return
	}
	keys := idleSweep
	if s.readOnly.Load() {
		keys = fullSweep
	}
	for _, sh := range s.shards {
		if sh.ext.garbage == 0 {
			continue
		}
		if ext, ok := s.sweepShard(sh, keys); ok {
			sh.mu.Lock()
			sh.ext = ext
			sh.mu.Unlock()
		}
		return
	}
}

// sweepShard commits the erasure of some keys. It is not ok when there was no place to write that down.
func (s *Store) sweepShard(sh *Shard, keys int) (ext extent, ok bool) {
	ext = sh.ext
	err := s.update(func(tx *bbolt.Tx) error {
		if err := sweep(tx.Bucket(sh.bucket), &ext, keys); err != nil {
			return err
		}
		return s.writeMeta(tx)
	}, func() bool { return false })
	if errors.Is(err, bolterrors.ErrMaxSizeReached) { // nothing was written
		if _, err = s.grow.extend(writerRoom, true); err == nil {
			return ext, false
		}
	}
	if err != nil {
		s.failure = fmt.Errorf("storage: commit: %w", err)
		s.fail(s.failure)
	}
	return ext, err == nil
}

// publish makes what has been committed visible to readers.
func (o *op) publish() {
	if o.err != nil {
		return
	}
	sh := o.shard
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.touched {
		sh.ext = sh.next
	}
	switch o.kind {
	case opAppend:
		for _, l := range o.logs {
			sh.ring.push(l)
		}
	case opDelete:
		if o.min > sh.next.last || sh.next.first == 0 {
			sh.ring.dropFrom(o.min)
		}
		sh.ring.dropTo(max(sh.next.first, 1) - 1)
	case opStable:
		sh.stable = sh.nextStable
	}
}
