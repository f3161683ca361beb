package storage

import (
	"errors"
	"fmt"
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
