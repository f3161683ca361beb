package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"

	"go.etcd.io/bbolt"
)

// bbolt keeps two heads, in the first two pages, and writes them in turn; each has a checksum. When one does not pass,
// bbolt goes back to the other, and with it to the transaction before: an acknowledged entry or vote could be gone
// without a word. A write of a head that power failed in looks the same, but a head is 64 bytes within one sector, and
// disks write sectors whole.
const (
	headAt    = 16 // behind the page's own header
	headSum   = headAt + 56
	headBytes = headSum + 8
)

// checkHeads says whether both heads are as they were written.
func checkHeads(db *bbolt.DB, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { _ = f.Close() }() // read only
	for i := range int64(2) {
		var b [headBytes]byte
		if _, err := f.ReadAt(b[:], i*int64(db.Info().PageSize)); err != nil {
			return fmt.Errorf("read head %d of %s: %w", i, path, err)
		}
		sum := fnv.New64a()
		sum.Write(b[headAt:headSum])
		if binary.NativeEndian.Uint64(b[headSum:]) != sum.Sum64() {
			return errLastCommit
		}
	}
	return nil
}

var errLastCommit = errors.New("one of its two heads does not pass its checksum, so the last commit may be lost")
