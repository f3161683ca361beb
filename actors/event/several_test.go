package event_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/event/eventtest"
	"github.com/catraca/catraca/actors/relay"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/cluster"
)

// place is one node of several.
type place struct {
	*event.Service

	name   string
	node   *cluster.Node
	relay  *relay.Relay
	system *actor.ActorSystem
	closed bool
}

// openTown starts three nodes with a real cluster and real relays between them.
func openTown(t testing.TB) []*place {
	t.Helper()
	if raceDetector {
		t.Skip("proto.actor's remote writes a variable at each start that gRPC reads: three in one process are a race of their own")
	}
	var peers []cluster.Peer
	var lns []net.Listener
	for i := range 3 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		lns, peers = append(lns, ln), append(peers, cluster.Peer{ID: fmt.Sprint("n", i+1), Address: ln.Addr().String()})
	}
	var town []*place
	for i, p := range peers {
		h := &place{name: p.ID, system: eventtest.System()}
		town = append(town, h)
		t.Cleanup(h.stop)
		h.start(t, cluster.Options{
			NodeID: p.ID, ClusterID: "town", Dir: t.TempDir(), Shards: 2, Preallocate: -1, Peers: peers, Listener: lns[i],
		})
	}
	for _, h := range town {
		for !h.node.Ready() {
			time.Sleep(time.Millisecond)
		}
	}
	return town
}

func (h *place) start(t testing.TB, co cluster.Options) {
	var err error
	h.relay, err = relay.New(relay.Options{
		Name: h.name, Shards: 2, Logger: slog.New(slog.DiscardHandler), Metrics: relay.NewMetrics(prometheus.NewRegistry()),
	})
	if err != nil {
		t.Fatal(err)
	}
	o := eventtest.Options(t, h.system)
	o.Forward, o.Patience = h.relay, 20*time.Second
	h.Service = event.New(o)
	co.Fatal = o.Fatal
	h.node, err = cluster.Start(co, func(shard int) cluster.Pump {
		if shard == 0 {
			return nobody{}
		}
		return h.Pump(shard)
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Use(sequencer.Over(h.node))
	if err := h.relay.Start(h.node); err != nil {
		t.Fatal(err)
	}
	h.node.ServeActors(h.relay.Address())
}

func (h *place) stop() {
	if h.closed || h.node == nil {
		return
	}
	h.closed = true
	_ = h.node.Close()
	h.relay.Close()
	h.Close()
	h.system.Shutdown()
}

func (h *place) do(c sale.Command) (sale.Result, error) {
	return h.Submit(context.Background(), 1, &c)
}

// create makes event 1 at a node and waits until it is everywhere.
func create(t testing.TB, town []*place, at *place) {
	t.Helper()
	if err := at.Create(context.Background(), 1, hall(1)); err != nil {
		t.Fatal(err)
	}
	for _, h := range town {
		for len(h.Events()) == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

// followers are those who do not lead shard 1, and the leader.
func roles(t testing.TB, town []*place) (leader *place, others []*place) {
	t.Helper()
	for leader == nil {
		others = nil
		for _, h := range town {
			if _, _, self := h.node.Leader(1); self {
				leader = h
			} else {
				others = append(others, h)
			}
		}
	}
	return leader, others
}

// TestEveryNodeSells submits at each node in turn, reads at the same one at once and strictly at the others.
func TestEveryNodeSells(t *testing.T) {
	town := openTown(t)
	_, others := roles(t, town)
	create(t, town, others[0])
	if err := others[1].Create(t.Context(), 1, hall(1)); err != nil {
		t.Errorf("created once more: %v", err)
	}
	for i, h := range town {
		who := sale.AccountID(i + 1)
		for _, op := range []sale.Op{sale.OpJoin, sale.OpClaim} {
			if res, err := h.do(sale.Command{Op: op, Account: who}); err != nil || res.Refusal != sale.Done {
				t.Fatalf("%s: op %d: refusal %d, %v", h.name, op, res.Refusal, err)
			}
		}
		res, err := h.do(sale.Command{Op: sale.OpHold, Account: who, Lines: []sale.Line{{Unit: sale.UnitID(i), Count: 1}}, Key: sale.Key{1, byte(i)}})
		if err != nil || res.Refusal != sale.Done || res.Hold == 0 || len(res.Lines) != 1 {
			t.Fatalf("%s: %+v, %v", h.name, res, err)
		}
		if err := h.Read(t.Context(), 1, func(s *sale.State) {
			if hold, ok := s.HoldOf(who); !ok || hold.ID != res.Hold {
				t.Errorf("%s does not find what it has just done", h.name)
			}
		}); err != nil {
			t.Error(err)
		}
		for _, x := range town {
			if err := x.ReadStrict(t.Context(), 1, func(s *sale.State) {
				if hold, ok := s.HoldOf(who); !ok || hold.ID != res.Hold {
					t.Errorf("%s strictly does not find what %s has done", x.name, h.name)
				}
			}); err != nil {
				t.Error(err)
			}
		}
		// The seat is taken, whoever asks where.
		other := town[(i+1)%3]
		if res, err := other.do(sale.Command{Op: sale.OpHold, Account: who, Lines: []sale.Line{{Unit: sale.UnitID(i), Count: 1}}, Key: sale.Key{1, byte(i)}}); err != nil || !res.Repeated || res.Refusal != sale.Done {
			t.Errorf("repeated at %s: %+v, %v", other.name, res, err)
		}
	}
	if err := town[0].ReadStrict(t.Context(), 9, nil); !errors.Is(err, event.ErrNoEvent) {
		t.Errorf("an event that is not there: %v", err)
	}
}

// TestLeadersComeAndGo holds and gives back seats at every node, each with keys, while leadership is handed on and one
// leader stops in the middle. An answer that was not "done" would mean that a command was lost, or done twice.
func TestLeadersComeAndGo(t *testing.T) {
	town := openTown(t)
	create(t, town, town[0])
	const fans, rounds = 24, 12
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	leader, others := roles(t, town)
	stay := others // these two go on
	var wg sync.WaitGroup
	half := make(chan struct{}, fans)
	for f := range fans {
		wg.Go(func() {
			who := sale.AccountID(f + 1)
			for _, op := range []sale.Op{sale.OpJoin, sale.OpClaim} {
				if _, err := stay[f%2].Submit(ctx, 1, &sale.Command{Op: op, Account: who}); err != nil {
					t.Errorf("fan %d: %v", f, err)
				}
			}
			for r := range rounds {
				if r == rounds/2 {
					half <- struct{}{}
				}
				at := stay[(f+r)%2]
				hold := sale.Command{Op: sale.OpHold, Account: who, Lines: []sale.Line{{Unit: sale.UnitID(f), Count: 1}}, Key: sale.Key{1, byte(f), byte(r)}}
				res, err := at.Submit(ctx, 1, &hold)
				if err != nil || res.Refusal != sale.Done {
					t.Errorf("fan %d, round %d: hold: refusal %d, %v", f, r, res.Refusal, err)
					return
				}
				back := sale.Command{Op: sale.OpHoldRelease, Account: who, Hold: res.Hold, Key: sale.Key{2, byte(f), byte(r)}}
				if res, err = stay[(f+r+1)%2].Submit(ctx, 1, &back); err != nil || res.Refusal != sale.Done {
					t.Errorf("fan %d, round %d: release: refusal %d, %v", f, r, res.Refusal, err)
					return
				}
			}
		})
	}
	<-half
	for range 3 {
		if err := town[0].node.Transfer(ctx, 1, ""); err != nil {
			t.Logf("not handed on: %v", err)
		}
	}
	leader.stop() // wherever it leads by now
	wg.Wait()
	var hashes [2][32]byte
	for i, h := range stay {
		if err := h.ReadStrict(ctx, 1, func(s *sale.State) {
			hashes[i] = sha256.Sum256(s.AppendSnapshot(nil))
			if held := s.QueueView().Counts.Shopping; held != fans {
				t.Errorf("%s: %d shop", h.name, held)
			}
		}); err != nil {
			t.Error(err)
		}
	}
	if hashes[0] != hashes[1] {
		t.Error("the replicas differ")
	}
}

// BenchmarkForwarded is the engine from a node that does not lead, beside the one that does: three nodes in one process,
// and callers that wait for their answer and for their own node to have it.
func BenchmarkForwarded(b *testing.B) {
	for i := range 6 {
		callers, follower := []int{1, 100, 1000}[i/2], i%2 == 1
		b.Run(fmt.Sprintf("callers=%d/follower=%t", callers, follower), func(b *testing.B) {
			town := openTown(b)
			at, others := roles(b, town)
			if err := at.Create(b.Context(), 1, eventtest.Config(1, 2*callers, 0, time.Now())); err != nil {
				b.Fatal(err)
			}
			if follower {
				at = others[0]
			}
			for len(at.Events()) == 0 {
				time.Sleep(time.Millisecond)
			}
			each(callers, func(i int) {
				who := sale.AccountID(i + 1)
				for _, op := range []sale.Op{sale.OpJoin, sale.OpClaim} {
					if res, err := at.do(sale.Command{Op: op, Account: who}); err != nil || res.Refusal != sale.Done {
						b.Errorf("%d, %v", res.Refusal, err)
					}
				}
			})
			b.ResetTimer()
			each(callers, func(i int) {
				who, unit := sale.AccountID(i+1), sale.UnitID(2*i)
				for n := i; n < b.N; n += 2 * callers {
					res, err := at.do(sale.Command{Op: sale.OpHold, Account: who, Lines: []sale.Line{{Unit: unit, Count: 1}}})
					if err == nil && res.Refusal == sale.Done {
						_, err = at.do(sale.Command{Op: sale.OpHoldRelease, Account: who, Hold: res.Hold})
					}
					if err != nil || res.Refusal != sale.Done {
						b.Errorf("%d, %v", res.Refusal, err)
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
		})
	}
}
