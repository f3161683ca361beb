package storage

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// Errors a caller can take a decision on.
var (
	// ErrClosed is returned by every write after Close.
	ErrClosed = errors.New("storage: closed")
	// ErrInUse is returned by Open when another process has the file.
	ErrInUse = errors.New("storage: already in use by another process")
	// ErrForeign is returned by Open when the file belongs to another node, cluster, number of shards or format.
	ErrForeign = errors.New("storage: file belongs to something else")
)

// DamageError names what was read back different from what was written. Nothing of the damaged value is handed out.
type DamageError struct {
	Path  string
	Shard int
	Index uint64 // log index; 0 when Key names the value instead
	Key   string
	What  string
}

// Error says which value it is, in which file, and what is wrong.
func (e *DamageError) Error() string {
	if e.Key != "" {
		return fmt.Sprintf("storage: %s: shard %d: %s is damaged: %s", e.Path, e.Shard, e.Key, e.What)
	}
	return fmt.Sprintf("storage: %s: shard %d: entry %d is damaged: %s", e.Path, e.Shard, e.Index, e.What)
}

// damagedFile is damage of which nobody can say what it hit.
func (s *Store) damagedFile(what string) error {
	return &DamageError{Path: s.opt.path(), Key: "file", What: what}
}

// stumbled is deferred by whoever lets bbolt walk over pages that may be damaged: it may panic there, or follow a page
// number out of the file, which debug.SetPanicOnFault makes a panic too. old is what that was before.
func stumbled(old bool, err *error, damage func(what string) error) {
	debug.SetPanicOnFault(old)
	if r := recover(); r != nil {
		*err = damage(fmt.Sprint(r))
	}
}
