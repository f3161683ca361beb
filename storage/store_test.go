package storage

import (
	"log/slog"
	"os"
	"testing"

	"github.com/catraca/catraca/storage/storagetest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if child() {
		return
	}
	if dir := os.Getenv(envFlip); dir != "" {
		flipped(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

func options(t testing.TB, dir string) Options {
	return Options{Dir: dir, NodeID: "n1", Shards: 3, Preallocate: -1, RingBytes: 4 << 10,
		Logger: slog.New(slog.DiscardHandler),
		Fatal:  func(err error) { t.Errorf("fatal: %v", err) }}
}

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

type harness struct{ open map[string]*Store }

func (h *harness) Open(t *testing.T, dir string) []storagetest.Store {
	s, err := Open(options(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	h.open[dir] = s
	var all []storagetest.Store
	for i := range s.opt.Shards {
		all = append(all, s.Shard(i))
	}
	return all
}

func (h *harness) Close(t *testing.T, dir string) {
	if err := h.open[dir].Close(); err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	storagetest.Run(t, &harness{open: make(map[string]*Store)})
}
