package storage

import (
	"errors"
	"time"
)

// ErrFull is returned by StoreLogs when the file would have to grow beyond Options.MaxBytes, or into the part of the
// disk that Options.Reserve keeps free. Nothing of the call was written, and the store goes on: votes are stored,
// entries are deleted, and appends are taken again as soon as there is room.
var ErrFull = errors.New("storage: no space left for new entries")

const (
	lowRoom      = 16 << 20         // Space.Low below this, or an eighth of MaxBytes
	writerRoom   = 256 << 10        // pages a transaction may need beside its entries
	recoverRoom  = 1 << 20          // room at which a full store takes appends again
	fullPause    = 10 * time.Second // between tries that have little hope
	fullSweep    = 256              // keys erased at once while full
	fullWait     = idleWait / 20    // between such sweeps
	lowPart      = 8                // of MaxBytes
	growTries    = 3                // for one transaction
	hopefulPages = 64
	megabyte     = float64(1 << 20) // for the log
)

// Space is what a store has left, in bytes. Free pages of the file count, although many small holes may not hold one
// large entry: ErrFull can come a little before Room is used up.
type Space struct {
	File     int64 // size of the file
	Used     int64 // of it, what has ever been used
	Free     int64 // of that, pages that can be written again
	Disk     int64 // what the file system leaves to this process; -1: unknown
	Room     int64 // what appends may still take, pages around them included
	Low      bool  // Room is small: stop taking new work, so that what is on its way still fits
	ReadOnly bool  // appends are being refused with ErrFull
}

// Space says how much room there is. It may be called from any goroutine and asks the kernel once.
func (s *Store) Space() Space {
	st := s.db.Stats()
	sp := Space{File: s.grow.size.Load(), Used: s.used.Load(), Free: int64(st.FreePageN+st.PendingPageN) * s.page(),
		Disk: -1, ReadOnly: s.readOnly.Load()}
	if left, _, err := diskSpace(s.opt.Dir); err == nil {
		sp.Disk = left
	}
	sp.Room = max(s.grow.appendLimit()-sp.Used, 0) + sp.Free + s.grow.growable(false)
	low := int64(lowRoom)
	if s.opt.MaxBytes > 0 {
		low = min(low, s.opt.MaxBytes/lowPart)
	}
	sp.Low = sp.ReadOnly || sp.Room < low
	return sp
}

func (s *Store) page() int64 { return int64(s.pageSize) }

// fullness is what the committer remembers about a lack of space.
type fullness struct {
	free  int       // pages that were free when a transaction did not fit
	again time.Time // when to try with no more than these
}

// makeRoom says whether a transaction that adds need bytes, at most, is worth a try, and makes the file larger when it
// must. Whether free pages lie together as needed only bbolt knows, and asking it costs a look at the whole tree when
// the answer is no; so with few more free pages than at the last refusal it is asked once a second.
func (s *Store) makeRoom(used, need int64) (bool, error) {
	left := s.grow.appendLimit() - used
	if left >= need {
		return true, nil
	}
	all, err := s.grow.extend(max(s.grow.step(), need-left), false)
	if err != nil || all {
		return all, err
	}
	left = s.grow.appendLimit() - used
	st := s.db.Stats()
	free := st.FreePageN + st.PendingPageN
	if left+int64(free)*s.page() < need {
		return false, nil
	}
	return s.full.hopeful(free), nil
}

// hopeful says whether it is worth asking bbolt again, with so many pages free.
func (f *fullness) hopeful(free int) bool {
	return time.Now().After(f.again) || free > f.free+hopefulPages
}

// tooFull remembers that free pages were of no use.
func (s *Store) tooFull() {
	st := s.db.Stats()
	s.full = fullness{free: st.FreePageN + st.PendingPageN, again: time.Now().Add(fullPause)}
}

// setReadOnly notes whether appends are refused. Only the committer calls it.
func (s *Store) setReadOnly(on bool) {
	if s.readOnly.Swap(on) == on {
		return
	}
	if !on {
		s.full = fullness{}
	}
	sp := s.Space()
	args := []any{"path", s.opt.path(), "file_mb", float64(sp.File) / megabyte, "free_mb", float64(sp.Free) / megabyte,
		"disk_mb", float64(sp.Disk) / megabyte, "max_mb", float64(s.opt.MaxBytes) / megabyte}
	if on {
		s.opt.Logger.Error("storage is full and refuses new entries", args...)
	} else {
		s.opt.Logger.Info("storage takes new entries again", args...)
	}
}

// recover ends a refusal of appends when there is room again, though nobody may be trying.
func (s *Store) recover() {
	if !s.readOnly.Load() {
		return
	}
	sp, st := s.Space(), s.db.Stats()
	if fresh := sp.Room - sp.Free; fresh >= recoverRoom || sp.Room >= recoverRoom && s.full.hopeful(st.FreePageN+st.PendingPageN) {
		s.setReadOnly(false)
	}
}
