package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/catraca/catraca/cluster"
	"github.com/catraca/catraca/storage/durable"
)

const (
	// stoppingName says that this node drains because it stops, and not because an operator wants it: the next start
	// takes that back.
	stoppingName = "stopping"
	// drainLook is how often a node looks whether it shall drain.
	drainLook = 250 * time.Millisecond
	// handAwayTime is how long leaderships may take to go before the fans are sent away all the same.
	handAwayTime = 5 * time.Second
)

// self is this node as the cluster sees it.
func (n *node) self() cluster.Member {
	for _, m := range n.cluster.Members() {
		if m.Self {
			return m
		}
	}
	return cluster.Member{}
}

// watchDrain does to the fans what an operator wants of the node: while it drains it is not ready, and sends them to
// other nodes once it leads nothing more; when that is undone it takes fans again.
func (n *node) watchDrain(ctx context.Context) {
	t := time.NewTicker(drainLook)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		state := n.self().State
		on := state == cluster.StateDraining || state == cluster.StateLeaving
		switch {
		case on && !n.draining.Load() && n.serving.Load():
			n.draining.Store(true)
			n.log.Info("draining", slog.String("why", "an operator wants it"))
			n.background.Go(func() { n.sendFansAway(ctx) })
		case !on && n.draining.Load() && n.serving.Load():
			n.live.Resume()
			n.draining.Store(false)
			n.log.Info("serving again")
		}
	}
}

// sendFansAway waits until this node leads nothing, and then moves the fans in waves.
func (n *node) sendFansAway(ctx context.Context) {
	limit := time.NewTimer(handAwayTime)
	defer limit.Stop()
	t := time.NewTicker(drainLook)
	defer t.Stop()
	for waiting := true; waiting && n.self().Leads > 0; {
		select {
		case <-ctx.Done():
			return
		case <-limit.C:
			waiting = false
		case <-t.C:
		}
	}
	if err := n.live.Drain(ctx, drainTime); err != nil {
		n.log.Info("fans not all sent away", slog.Any("error", err))
		return
	}
	n.log.Info("drained", slog.Int("leads", n.self().Leads))
}

// handAway gives all leaderships to others before the fans are sent away, so that their next node finds leaders at
// once. It does nothing where nobody else could lead.
func (n *node) handAway(ctx context.Context) {
	others := false
	for _, m := range n.cluster.Members() {
		others = others || !m.Self && m.State == cluster.StateAlive && m.Votes > 0
	}
	if !others || n.self().State == cluster.StateDraining {
		return
	}
	if err := durable.WriteFile(filepath.Join(n.cfg.Node.Data, stoppingName), []byte("draining until the next start\n")); err != nil {
		n.log.Warn("leaderships not handed away", slog.Any("error", err))
		return
	}
	n.parting = true
	ctx, cancel := context.WithTimeout(ctx, handAwayTime)
	defer cancel()
	if err := n.cluster.Drain(ctx, n.cfg.Node.ID, true); err != nil {
		n.log.Warn("leaderships not all handed away", slog.Any("error", err))
	}
}

// endParting takes back that this node drains, if it did so by itself.
func (n *node) endParting(ctx context.Context) error {
	path := filepath.Join(n.cfg.Node.Data, stoppingName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := n.cluster.Drain(ctx, n.cfg.Node.ID, false); err != nil {
		return fmt.Errorf("stop draining: %w", err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("stop draining: %w", err)
	}
	return nil
}

// standing is what readiness depends on.
type standing struct {
	left     bool // for good: what it has is as of then, and its process may be stopped
	opened   bool // has been ready for fans
	serving  bool // and does not stop
	draining bool // an operator wants it
	shards   bool // have leaders and are up to date here
}

func (n *node) standing() standing {
	return standing{
		left: n.self().State == cluster.StateLeaving, opened: n.opened.Load(), serving: n.serving.Load(),
		draining: n.draining.Load(), shards: n.cluster.Ready(),
	}
}

// why says in a word or two why a node is not ready; nothing when it is.
func (s standing) why() string {
	switch {
	case s.left:
		return "has left the cluster"
	case !s.opened:
		return "waits for the others"
	case !s.serving || s.draining:
		return "draining"
	case !s.shards:
		return "waiting for the shards"
	default:
		return ""
	}
}

func (n *node) why() string { return n.standing().why() }

// ready says whether fans may come.
func (n *node) ready() bool { return n.why() == "" }
