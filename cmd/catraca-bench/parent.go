package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"time"

	"github.com/catraca/catraca/cluster"
)

// remote is a node in a process of its own.
type remote struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	enc  *json.Encoder
	dec  *json.Decoder
}

// fleet is the nodes of one measurement.
type fleet struct {
	dir    string
	shards int
	peers  []cluster.Peer
	nodes  []*remote
}

// launch starts nodes over an empty folder and waits until every shard has a leader.
func launch(ctx context.Context, dir string, nodes, shards int) (*fleet, error) {
	f := &fleet{dir: dir, shards: shards}
	for i := range nodes {
		address, err := freeAddress(ctx)
		if err != nil {
			return nil, err
		}
		f.peers = append(f.peers, cluster.Peer{ID: fmt.Sprint("n", i+1), Address: address})
	}
	for range nodes {
		f.nodes = append(f.nodes, nil)
	}
	for i := range nodes {
		if err := f.start(ctx, i); err != nil {
			return nil, errors.Join(err, f.close())
		}
	}
	for i := range nodes {
		if _, err := f.nodes[i].answer(); err != nil {
			return nil, errors.Join(err, f.close())
		}
	}
	return f, nil
}

// freeAddress is one nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// start starts one node; its first answer says that it is ready.
func (f *fleet) start(ctx context.Context, i int) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	o, err := json.Marshal(nodeOptions{Name: f.peers[i].ID, Dir: f.dir, Peers: f.peers, Shards: f.shards})
	if err != nil {
		return fmt.Errorf("write options: %w", err)
	}
	r := &remote{name: f.peers[i].ID, cmd: exec.CommandContext(ctx, self, "engine-node", string(o))} //nolint:gosec // this program
	r.cmd.Stderr = os.Stderr
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start node: %w", err)
	}
	if r.in, err = r.cmd.StdinPipe(); err != nil {
		return fmt.Errorf("start node: %w", err)
	}
	if err := r.cmd.Start(); err != nil {
		return fmt.Errorf("start node: %w", err)
	}
	r.enc, r.dec = json.NewEncoder(r.in), json.NewDecoder(out)
	f.nodes[i] = r
	return nil
}

func (r *remote) answer() (reply, error) {
	var got reply
	if err := r.dec.Decode(&got); err != nil {
		return got, fmt.Errorf("node %s has gone: %w", r.name, err)
	}
	if got.Error != "" {
		return got, fmt.Errorf("node %s: %s", r.name, got.Error)
	}
	return got, nil
}

func (r *remote) tell(o order) error {
	if err := r.enc.Encode(o); err != nil {
		return fmt.Errorf("tell node %s: %w", r.name, err)
	}
	return nil
}

func (r *remote) ask(o order) (reply, error) {
	if err := r.tell(o); err != nil {
		return reply{}, err
	}
	return r.answer()
}

// kill ends a node as a power switch would.
func (r *remote) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

// leader of a shard, as the nodes see it.
func (f *fleet) leader(shard int) (int, error) {
	for range 200 {
		got, err := f.nodes[0].ask(order{Do: "leaders"})
		if err != nil {
			return 0, err
		}
		for i, p := range f.peers {
			if got.Leaders[shard] == p.ID {
				return i, nil
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	return 0, fmt.Errorf("nobody leads shard %d", shard)
}

// close lets the nodes end in good order.
func (f *fleet) close() error {
	var errs []error
	for _, r := range f.nodes {
		if r != nil {
			errs = append(errs, r.in.Close())
		}
	}
	for _, r := range f.nodes {
		if r == nil {
			continue
		}
		late := time.AfterFunc(20*time.Second, func() { _ = r.cmd.Process.Kill() })
		errs = append(errs, r.cmd.Wait())
		late.Stop()
	}
	return errors.Join(errs...)
}
