package directory

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/relay"
	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/cluster"
)

// openTown starts a directory on three nodes with a real cluster and real relays between them.
func openTown(t *testing.T) []*house {
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
	var town []*house
	for i, p := range peers {
		quiet := slog.New(slog.DiscardHandler)
		h := &house{system: actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))}
		fatal := func(err error) { t.Errorf("the process must stop: %v", err) }
		r, err := relay.New(relay.Options{Name: p.ID, Shards: 2, Logger: quiet, Metrics: relay.NewMetrics(prometheus.NewRegistry())})
		if err != nil {
			t.Fatal(err)
		}
		h.Service = New(Options{
			System: h.system, Shards: 2, Now: func() int64 { return time.Now().UnixMilli() }, Logger: quiet, Fatal: fatal,
			Metrics: sequencer.NewMetrics(prometheus.NewRegistry(), "directory"), Forward: r, Patience: 20 * time.Second,
		})
		h.node, err = cluster.Start(cluster.Options{
			NodeID: p.ID, ClusterID: "town", Dir: t.TempDir(), Shards: 2, Preallocate: -1, Peers: peers, Listener: lns[i], Fatal: fatal,
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
		if err := r.Start(h.node); err != nil {
			t.Fatal(err)
		}
		h.node.ServeActors(r.Address())
		t.Cleanup(func() {
			_ = h.node.Close()
			r.Close()
			h.Close()
			h.system.Shutdown()
		})
		town = append(town, h)
	}
	for _, h := range town {
		if err := h.Ensure(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return town
}

// TestSignedInAnywhere signs up and in at one node and is known at the next at once.
func TestSignedInAnywhere(t *testing.T) {
	town := openTown(t)
	for i, h := range town {
		next := town[(i+1)%3]
		res, err := h.Submit(t.Context(), &account.Command{
			Op: account.OpCreate, Email: fmt.Sprintf("a%d@example.org", i), Name: "a", Lang: "en", Hash: phc, Key: account.Key{1, byte(i)},
		})
		if err != nil || res.Refusal != account.Done {
			t.Fatalf("refusal %d, %v", res.Refusal, err)
		}
		token, hash := NewToken()
		if _, err := next.Submit(t.Context(), &account.Command{
			Op: account.OpSessionOpen, Account: res.Account, TokenHash: hash, Expires: time.Now().Add(time.Hour).UnixMilli(), Key: account.Key{2, byte(i)},
		}); err != nil {
			t.Fatal(err)
		}
		for _, x := range town {
			if p, err := x.Authenticate(t.Context(), token); err != nil || p.Account != res.Account {
				t.Errorf("signed in elsewhere: account %d, %v", p.Account, err)
			}
			if err := x.ReadStrict(t.Context(), func(s *account.State) {
				if a, ok := s.ByEmail(fmt.Sprintf("a%d@example.org", i)); !ok || a.ID != res.Account {
					t.Error("the account is unknown")
				}
			}); err != nil {
				t.Error(err)
			}
		}
		if _, err := next.Authenticate(t.Context(), EncodeToken(make([]byte, 32))); !errors.Is(err, ErrNoSession) {
			t.Errorf("a made-up token: %v", err)
		}
		slug := fmt.Sprint("e", i)
		if _, err := h.Submit(t.Context(), &account.Command{Op: account.OpEventPut, Slug: slug, Name: slug, State: account.EventListed, Key: account.Key{3, byte(i)}}); err != nil {
			t.Fatal(err)
		}
		if e, ok, err := next.EventBySlugStrict(t.Context(), slug); err != nil || !ok || e.Name != slug {
			t.Errorf("%s at the next node: %+v, %t, %v", slug, e, ok, err)
		}
		if _, ok, err := next.EventBySlugStrict(t.Context(), "none"); ok || err != nil {
			t.Errorf("what is not there: %t, %v", ok, err)
		}
	}
}
