package event_test

import (
	"context"
	"crypto/sha256"
	"io"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/event/eventtest"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/cluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a service over a real cluster node.
type house struct {
	*event.Service

	node   *cluster.Node
	system *actor.ActorSystem
	closed bool
}

// nobody consumes shard 0 here.
type nobody struct{}

func (nobody) Apply(uint64, uint64, []byte)        {}
func (nobody) Snapshot() (cluster.Snapshot, error) { return nothing{}, nil }
func (nobody) Restore(r io.Reader) error           { _, err := io.Copy(io.Discard, r); return err }
func (nobody) LeaderReady(uint64)                  {}
func (nobody) LeaderLost()                         {}

type nothing struct{}

func (nothing) WriteTo(io.Writer) (int64, error) { return 0, nil }
func (nothing) Release()                         {}

func openHouse(t testing.TB, dir string, change func(*event.Options)) *house {
	t.Helper()
	h := &house{system: eventtest.System()}
	fatal := func(err error) { t.Errorf("the process must stop: %v", err) }
	o := eventtest.Options(t, h.system)
	if change != nil {
		change(&o)
	}
	h.Service = event.New(o)
	var err error
	h.node, err = cluster.Start(cluster.Options{
		NodeID: "n1", Dir: dir, Shards: 2, Preallocate: -1, Fatal: fatal,
	}, func(shard int) cluster.Pump {
		if shard == 0 {
			return nobody{}
		}
		return h.Pump(shard)
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Use(sequencer.Over(h.node))
	t.Cleanup(h.stop)
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
func (h *house) do(t testing.TB, id sale.EventID, c sale.Command) sale.Result {
	t.Helper()
	res, err := h.Submit(context.Background(), id, &c)
	if err != nil || res.Refusal != sale.Done {
		t.Fatalf("op %d: refusal %d, %v", c.Op, res.Refusal, err)
	}
	return res
}

// state is where the sale is and what its state hashes to.
func (h *house) state(t testing.TB, id sale.EventID) (index uint64, hash [32]byte) {
	t.Helper()
	err := h.Read(context.Background(), id, func(s *sale.State) {
		index, hash = s.Index(), sha256.Sum256(s.AppendSnapshot(nil))
	})
	if err != nil {
		t.Fatal(err)
	}
	return index, hash
}

// hall has 200 seats, and a lawn that is unit 200.
func hall(id sale.EventID) *sale.Config { return eventtest.Config(id, 200, 30, time.Now()) }
