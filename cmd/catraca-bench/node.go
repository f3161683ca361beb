package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/relay"
	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/cluster"
)

// nodeOptions say what the parent wants of a node.
type nodeOptions struct {
	Name   string         `json:"name"`
	Dir    string         `json:"dir"`
	Peers  []cluster.Peer `json:"peers"` // the voters, this node among them
	Shards int            `json:"shards"`
}

// engine is a node without anything that speaks to people: sales, Raft, the disk, and the way to the leader.
type engine struct {
	system *actor.ActorSystem
	sales  *event.Service
	node   *cluster.Node
	way    *relay.Relay
}

// idle consumes shard 0, where a whole server keeps accounts.
type idle struct{}

func (idle) Apply(uint64, uint64, []byte)        {}
func (idle) Snapshot() (cluster.Snapshot, error) { return nothing{}, nil }
func (idle) Restore(r io.Reader) error           { _, err := io.Copy(io.Discard, r); return err }
func (idle) LeaderReady(uint64)                  {}
func (idle) LeaderLost()                         {}

type nothing struct{}

func (nothing) WriteTo(io.Writer) (int64, error) { return 0, nil }
func (nothing) Release()                         {}

// openEngine starts a node and returns before it has a leader.
func openEngine(o nodeOptions, log *slog.Logger, fatal func(error)) (*engine, error) {
	e := &engine{system: actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return log.With(slog.String("part", "actors")) }),
		actor.WithDeadLetterRequestLogging(false),
	)}
	var err error
	if e.way, err = newWay(o, log); err != nil {
		return nil, err
	}
	e.sales = event.New(event.Options{
		System: e.system, Shards: o.Shards, Now: func() int64 { return time.Now().UnixMilli() }, Logger: log,
		Metrics: sequencer.NewMetrics(prometheus.NewRegistry(), "event"), Fatal: fatal, Patience: 20 * time.Second, Forward: e.way,
	})
	co := cluster.Options{
		NodeID: o.Name, ClusterID: "bench", Dir: filepath.Join(o.Dir, o.Name), Shards: o.Shards, Logger: log, Fatal: fatal,
	}
	if len(o.Peers) > 1 {
		co.Peers = o.Peers
	}
	for _, p := range o.Peers {
		if p.ID == o.Name {
			co.Listen = p.Address
		}
	}
	e.node, err = cluster.Start(co, func(shard int) cluster.Pump {
		if shard == 0 {
			return idle{}
		}
		return e.sales.Pump(shard)
	})
	if err != nil {
		return nil, fmt.Errorf("start node %s: %w", o.Name, err)
	}
	e.sales.Use(sequencer.Over(e.node))
	if err := openWay(e.way, e.node); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (e *engine) ready(ctx context.Context) error {
	for !e.node.Ready() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the shards: %w", ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

func (e *engine) close() error {
	e.way.Close()
	err := e.node.Close()
	e.sales.Close()
	e.system.Shutdown()
	return err
}
