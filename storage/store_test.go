package storage

import (
	"log/slog"
	"os"
	"testing"

	"github.com/catraca/catraca/storage/storagetest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if storagetest.Child("TestConformance", factory(3)) {
		return
	}
	for env, run := range map[string]func(string){envFlip: flipped, envCheck: checked} {
		if arg := os.Getenv(env); arg != "" {
			run(arg)
			return
		}
	}
	goleak.VerifyTestMain(m)
}

func options(t testing.TB, dir string) Options {
	return Options{Dir: dir, NodeID: "n1", Shards: 3, Preallocate: -1, RingBytes: 4 << 10, ScrubBytes: -1,
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

// factory is the store as the suite wants it.
func factory(shards int) storagetest.Factory {
	return storagetest.Factory{Open: func(dir string) ([]storagetest.Store, func() error, error) {
		s, err := Open(Options{Dir: dir, NodeID: "n1", Shards: shards, RingBytes: 4 << 10, Fatal: func(err error) { panic(err) }})
		if err != nil {
			return nil, nil, err
		}
		var all []storagetest.Store
		for i := range shards {
			all = append(all, s.Shard(i))
		}
		return all, s.Close, nil
	}}
}

func TestConformance(t *testing.T) { storagetest.Run(t, factory(3)) }

func BenchmarkStore(b *testing.B) { storagetest.Bench(b, factory(8)) }
