package directory

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/cluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a directory over a real cluster node. Its clock may be put forward.
type house struct {
	*Service

	node   *cluster.Node
	system *actor.ActorSystem
	skew   *atomic.Int64 // ms
	closed bool
}

// nobody consumes the other shard.
type nobody struct{}

func (nobody) Apply(uint64, uint64, []byte)        {}
func (nobody) Snapshot() (cluster.Snapshot, error) { return nothing{}, nil }
func (nobody) Restore(r io.Reader) error           { _, err := io.Copy(io.Discard, r); return err }
func (nobody) LeaderReady(uint64)                  {}
func (nobody) LeaderLost()                         {}

type nothing struct{}

func (nothing) WriteTo(io.Writer) (int64, error) { return 0, nil }
func (nothing) Release()                         {}

func openHouse(t testing.TB, dir string) *house {
	t.Helper()
	h := &house{skew: new(atomic.Int64), system: actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))}
	fatal := func(err error) { t.Errorf("the process must stop: %v", err) }
	h.Service = New(Options{
		System: h.system, Shards: 2, Now: func() int64 { return time.Now().UnixMilli() + h.skew.Load() },
		Logger: slog.New(slog.DiscardHandler), Metrics: sequencer.NewMetrics(prometheus.NewRegistry(), "directory"), Fatal: fatal,
	})
	var err error
	h.node, err = cluster.Start(cluster.Options{
		NodeID: "n1", Dir: dir, Shards: 2, Preallocate: -1, Fatal: fatal,
	}, func(shard int) cluster.Pump {
		if shard == Shard {
			return h.Pump()
		}
		return nobody{}
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Use(sequencer.Over(h.node))
	t.Cleanup(h.stop)
	return h
}

// ready opens a house whose directory is there.
func ready(t testing.TB, dir string) *house {
	t.Helper()
	h := openHouse(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := h.Ensure(ctx); err != nil {
		t.Fatal(err)
	}
	for !h.node.Ready() {
		time.Sleep(time.Millisecond)
	}
	return h
}

func (h *house) stop() {
	if h.closed {
		return
	}
	h.closed = true
	_ = h.node.Close()
	h.Close()
	h.system.Shutdown()
}

// do submits a command that must be done.
func (h *house) do(t testing.TB, c account.Command) account.Result {
	t.Helper()
	res, err := h.Submit(context.Background(), &c)
	if err != nil || res.Refusal != account.Done {
		t.Fatalf("op %d: refusal %v, %v", c.Op, res.Refusal, err)
	}
	return res
}

func (h *house) now() int64 { return h.o.Now() }

func (h *house) hash(t testing.TB) (hash [32]byte) {
	t.Helper()
	if err := h.Read(context.Background(), func(s *account.State) { hash = sha256.Sum256(s.AppendSnapshot(nil)) }); err != nil {
		t.Fatal(err)
	}
	return hash
}
