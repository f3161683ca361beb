package storagetest

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Faults are what a disk can do to a store. Its methods OpenFile and AroundCommit go into the options of the same
// names; it may be used from any goroutine. The zero value is a good disk.
type Faults struct {
	mu      sync.Mutex
	before  error // instead of a commit
	after   error // after a commit
	stall   chan struct{}
	commits int
	file    *os.File // the newest one opened
	kept    *os.File // holds the lock of a file that has been broken
}

// Refuse makes every commit fail without doing anything; nil ends it.
func (f *Faults) Refuse(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = err
}

// Doubt makes every commit fail after it was done, as a flush does that reports an error for what it has written; nil
// ends it.
func (f *Faults) Doubt(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.after = err
}

// Stall makes commits wait until the function it returns is called; calling it twice is harmless.
func (f *Faults) Stall() (goOn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	wait := make(chan struct{})
	f.stall = wait
	return sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.stall == wait {
			f.stall = nil
		}
		close(wait)
	})
}

// StallFor makes commits wait until so much time has gone by from now on.
func (f *Faults) StallFor(d time.Duration) {
	time.AfterFunc(d, f.Stall())
}

// Commits is how many commits have been tried.
func (f *Faults) Commits() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.commits
}

// AroundCommit is for the option of this name.
func (f *Faults) AroundCommit(commit func() error) error {
	f.mu.Lock()
	f.commits++
	stall := f.stall
	f.mu.Unlock()
	if stall != nil {
		<-stall
	}
	f.mu.Lock()
	before, after := f.before, f.after
	f.mu.Unlock()
	if before != nil {
		return before
	}
	return errors.Join(commit(), after)
}

// OpenFile is for the option of this name.
func (f *Faults) OpenFile(name string, flag int, perm os.FileMode) (*os.File, error) {
	file, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, fmt.Errorf("storagetest: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.file = file
	return file, nil
}
