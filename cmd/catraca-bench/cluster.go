package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// What is done to nodes of our own is done as operators do it: by the program's own commands, at a node that is there.

// operate runs an operator's command at one node after the other until one does it.
func (s *servers) operate(ctx context.Context, args ...string) (string, error) {
	var errs []error
	for _, n := range s.nodes {
		out, err := once(ctx, s.o.binary, append(slices.Clone(args), "--config", n.file)...)
		if err == nil {
			return out, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return "", errors.Join(errs...)
}

func (s *servers) status(ctx context.Context) (c wire.Cluster, err error) {
	out, err := s.operate(ctx, "cluster", "status", "--output", "json")
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal([]byte(out), &c); err != nil {
		return c, fmt.Errorf("read the status of the cluster: %w", err)
	}
	return c, nil
}

// whole waits until every node votes in every shard, and spreads what they lead.
func (s *servers) whole(ctx context.Context) error {
	if len(s.nodes) == 1 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		c, err := s.status(ctx)
		missing := func(sh wire.ClusterShard) bool { return len(sh.Voters) < len(s.nodes) || sh.Leader == "" }
		if err == nil && len(c.Shards) > 0 && !slices.ContainsFunc(c.Shards, missing) {
			break
		}
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("the nodes do not share the shards among themselves in time"), err)
		case <-time.After(200 * time.Millisecond):
		}
	}
	_, err := s.operate(ctx, "cluster", "rebalance")
	return err
}

// Leader is the node that leads the busiest shard of sales.
func (s *servers) Leader(ctx context.Context) (string, error) {
	c, err := s.status(ctx)
	if err != nil {
		return "", err
	}
	var busiest wire.ClusterShard
	for _, sh := range c.Shards {
		if sh.Shard > 0 && sh.Commit >= busiest.Commit {
			busiest = sh
		}
	}
	if busiest.Leader == "" {
		return "", errors.New("find out who leads: nobody does")
	}
	return busiest.Leader, nil
}

// Drain takes a node out of service in good order, and lets it back.
func (s *servers) Drain(ctx context.Context, node string, on bool) error {
	args := []string{"cluster", "drain", node}
	if !on {
		args = append(args, "--undo")
	}
	_, err := s.operate(ctx, args...)
	return err
}

func (s *servers) node(name string) (*serverNode, error) {
	for _, n := range s.nodes {
		if n.name == name {
			return n, nil
		}
	}
	return nil, fmt.Errorf("there is no node %.60q", name)
}

// Kill ends a node as a power switch would.
func (s *servers) Kill(ctx context.Context, name string) error {
	n, err := s.node(name)
	if err != nil {
		return err
	}
	n.signal(syscall.SIGKILL)
	return n.gone(ctx)
}

// Start brings a node back and waits until it serves.
func (s *servers) Start(ctx context.Context, name string) error {
	n, err := s.node(name)
	if err != nil {
		return err
	}
	if err := n.start(nil); err != nil {
		return err
	}
	return n.ready(ctx)
}

// Freeze stops a node without ending it, or lets it go on.
func (s *servers) Freeze(_ context.Context, name string, on bool) error {
	n, err := s.node(name)
	if err != nil {
		return err
	}
	n.signal(map[bool]syscall.Signal{true: syscall.SIGSTOP, false: syscall.SIGCONT}[on])
	return nil
}
