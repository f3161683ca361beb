package storagetest

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// LoseWrites breaks the file opened last: what is written to it vanishes, and flushing it fails. What had been written
// before stays readable and is in the file when it is opened again.
func (f *Faults) LoseWrites() error { return f.replace(os.DevNull) }

// FillDisk makes every write to the file opened last fail with ENOSPC.
func (f *Faults) FillDisk() error { return f.replace("/dev/full") }

// replace puts a device under the descriptor of the file.
func (f *Faults) replace(device string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return errors.New("storagetest: no file has been opened")
	}
	dev, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("storagetest: %w", err)
	}
	defer func() { _ = dev.Close() }() // its copy stays
	kept, err := syscall.Dup(int(f.file.Fd()))
	if err != nil {
		return fmt.Errorf("storagetest: keep lock: %w", err)
	}
	f.kept = os.NewFile(uintptr(kept), f.file.Name())
	if err := syscall.Dup3(int(dev.Fd()), int(f.file.Fd()), syscall.O_CLOEXEC); err != nil {
		return fmt.Errorf("storagetest: replace descriptor: %w", err)
	}
	return nil
}

// Close lets go of what a broken file has kept, its lock.
func (f *Faults) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kept == nil {
		return nil
	}
	kept := f.kept
	f.kept = nil
	if err := kept.Close(); err != nil {
		return fmt.Errorf("storagetest: let go of the lock: %w", err)
	}
	return nil
}
