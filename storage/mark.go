package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/catraca/catraca/storage/durable"
)

const (
	markName       = "damaged" // its existence is the mark, its content the reason
	maxMarkBytes   = 2000
	markTimeout    = 5 * time.Second
	unreadableMark = "the mark cannot be read"
)

// ErrMarked is returned by Open for a folder that carries a mark; see Mark.
var ErrMarked = errors.New("storage: marked as damaged")

// Mark puts a note into dir saying that its data must not be served or voted with any more, and why. When it returns
// nil the note is on the disk. The first mark stays: what comes later is usually a consequence. The existence of the
// file is what counts, so a full disk or a flipped bit can lose the reason, but not the mark.
func Mark(dir, reason string) error {
	path := filepath.Join(dir, markName)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return durable.SyncDir(dir) // the process that made it may have died before this
	}
	if err != nil {
		return fmt.Errorf("mark %s: %w", dir, err)
	}
	reason = strings.ToValidUTF8(strings.Join(strings.Fields(reason), " "), "?")
	if len(reason) > maxMarkBytes {
		reason = strings.ToValidUTF8(reason[:maxMarkBytes], "")
	}
	if err := errors.Join(durable.Finish(f, []byte(reason+"\n")), durable.SyncDir(dir)); err != nil {
		return fmt.Errorf("mark %s: %w", dir, err)
	}
	return nil
}

// Marked says whether dir carries a mark, and the reason given with it. A mark that cannot be read counts.
func Marked(dir string) (reason string, ok bool) {
	b, err := os.ReadFile(filepath.Join(dir, markName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false
	case err != nil:
		return unreadableMark + ": " + err.Error(), true
	}
	if len(b) > maxMarkBytes+1 {
		b = b[:maxMarkBytes]
	}
	reason = strings.ToValidUTF8(strings.TrimSpace(string(b)), "?")
	if reason == "" {
		reason = "no reason was given"
	}
	return reason, true
}

// unmark takes the mark away, for an operator who has decided to go on.
func unmark(dir string) error {
	switch err := os.Remove(filepath.Join(dir, markName)); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("remove mark: %w", err)
	}
	return durable.SyncDir(dir)
}
