package cluster

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// hanging is a disk that answers when it is told to.
type hanging struct {
	logs

	release chan struct{}
}

func (h hanging) StoreLogs([]*raft.Log) error    { <-h.release; return nil }
func (h hanging) Set([]byte, []byte) error       { <-h.release; return nil }
func (h hanging) SetUint64([]byte, uint64) error { <-h.release; return nil }

func TestWatchedLogNotesWaiting(t *testing.T) {
	for name, wait := range map[string]func(*watchedLog) error{
		"append": func(w *watchedLog) error { return w.StoreLog(&raft.Log{Data: make([]byte, 10)}) },
		"value":  func(w *watchedLog) error { return w.Set(nil, nil) },
		"number": func(w *watchedLog) error { return w.SetUint64(nil, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			h := hanging{release: make(chan struct{})}
			w := &watchedLog{logs: h}
			done := make(chan error)
			go func() { done <- wait(w) }()
			for w.busy.Load() == 0 {
				time.Sleep(time.Millisecond)
			}
			close(h.release)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if w.busy.Load() != 0 {
				t.Error("still counts as waiting")
			}
			if name == "append" && !w.due(10) {
				t.Error("ten bytes were not counted")
			}
		})
	}
}

func TestStallIsFatal(t *testing.T) {
	var mu sync.Mutex
	var fatal []string
	o := options(t, t.TempDir())
	o.StallTransfer, o.StallFatal = time.Hour, 2*time.Hour // nobody but this test looks
	o.Fatal = func(err error) {
		mu.Lock()
		defer mu.Unlock()
		fatal = append(fatal, err.Error())
	}
	n, ts := start(t, o)
	ts.ready(t)
	g, now := n.groups[0], time.Now()
	g.checkStall(now) // not waiting
	g.log.busy.Store(now.Add(-90 * time.Minute).UnixNano())
	g.checkStall(now) // nobody to hand over to
	mu.Lock()
	if len(fatal) > 0 {
		t.Errorf("fatal too early: %q", fatal)
	}
	mu.Unlock()
	g.log.busy.Store(now.Add(-3 * time.Hour).UnixNano())
	g.checkStall(now)
	g.log.busy.Store(0)
	mu.Lock()
	defer mu.Unlock()
	if len(fatal) == 0 || !strings.Contains(fatal[0], "the disk has not answered shard 0 for 3h0m0s") {
		t.Errorf("fatal said %q", fatal)
	}
}
