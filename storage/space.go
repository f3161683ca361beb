package storage

import "errors"

// ErrFull is returned by StoreLogs when the file would have to grow beyond Options.MaxBytes, or into the part of the
// disk that Options.Reserve keeps free. Nothing of the call was written, and the store goes on: votes are stored,
// entries are deleted, and appends are taken again as soon as there is room.
var ErrFull = errors.New("storage: no space left for new entries")

// Space is what a store has left, in bytes.
type Space struct {
	File     int64 // size of the file
	Free     int64 // of it, pages that can be written again
	Disk     int64 // what the file system leaves to this process
	Reserve  int64 // of that, what the store keeps its hands off
	Room     int64 // what appends may still take, pages included
	ReadOnly bool  // appends are being refused with ErrFull
}

// Space says how much room there is. It may be called from any goroutine and costs one question to the kernel.
func (s *Store) Space() Space {
	return Space{}
}
