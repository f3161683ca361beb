// Package durable writes small files so that a crash leaves them whole or as they were, and names so that they stay.
// Deliberately absent: the log and its snapshots, which have formats of their own.
package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteFile replaces a file, for this user alone: written beside as path.new, flushed, renamed, and its folder flushed.
// When it returns nil all of data is on the disk; after a crash the file has all of data or what it had. The folder must
// be there.
func WriteFile(path string, data []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := Finish(f, data); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return SyncDir(filepath.Dir(path))
}

// Finish writes data to an open file, flushes and closes it. Each is done also after an error of the one before.
func Finish(f *os.File, data []byte) error {
	_, errWrite := f.Write(data)
	errSync := f.Sync()
	return errors.Join(errWrite, errSync, f.Close())
}

// SyncDir flushes a folder: names made, changed or removed in it before stay so after a crash.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("flush folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("flush folder: %w", err)
	}
	return nil
}
