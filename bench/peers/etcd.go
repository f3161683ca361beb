package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// sharing is how many clients share a connection to etcd, whose client multiplexes.
const sharing = 8

// etcd is a cluster of etcd.
type etcd struct {
	dir     string
	run     []*server
	at      []string
	admin   *clientv3.Client
	clients []*clientv3.Client
	version string
	round   int
	next    atomic.Int64
}

func openEtcd(ctx context.Context, nodes int) (peer, error) {
	binary, err := find("etcd", "etcd-server")
	if err != nil {
		return nil, err
	}
	p := &etcd{}
	if p.dir, err = folder(); err != nil {
		return nil, err
	}
	if err := p.start(ctx, binary, nodes); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

func (p *etcd) start(ctx context.Context, binary string, nodes int) error {
	ports, err := freePorts(2 * nodes)
	if err != nil {
		return err
	}
	for i := range nodes {
		p.at = append(p.at, "http://127.0.0.1:"+strconv.Itoa(ports[2*i]))
		s, err := startServer(p.dir, "e"+strconv.Itoa(i+1), binary, etcdArgs(p.dir, i, ports)...)
		if err != nil {
			return err
		}
		p.run = append(p.run, s)
	}
	if p.admin, err = p.connect(); err != nil {
		return err
	}
	for i, s := range p.run {
		if err := s.until(ctx, "etcd", func(ctx context.Context) error {
			status, err := p.admin.Status(ctx, p.at[i])
			if err == nil {
				p.version = status.Version
				if status.Leader == 0 {
					err = fmt.Errorf("no leader")
				}
			}
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// etcdArgs are the settings of a node; it has two ports, for clients and for the other nodes.
func etcdArgs(dir string, i int, ports []int) []string {
	var all []string
	for n := range len(ports) / 2 {
		all = append(all, fmt.Sprintf("e%d=http://127.0.0.1:%d", n+1, ports[2*n+1]))
	}
	clients, others := fmt.Sprintf("http://127.0.0.1:%d", ports[2*i]), fmt.Sprintf("http://127.0.0.1:%d", ports[2*i+1])
	name := "e" + strconv.Itoa(i+1)
	return []string{
		"--name", name, "--data-dir", filepath.Join(dir, name), "--listen-client-urls", clients, "--advertise-client-urls", clients,
		"--listen-peer-urls", others, "--initial-advertise-peer-urls", others, "--initial-cluster", strings.Join(all, ","),
		"--initial-cluster-state", "new", "--logger", "zap", "--log-level", "error", "--quota-backend-bytes", strconv.Itoa(8 << 30),
	}
}

func (p *etcd) connect() (*clientv3.Client, error) {
	c, err := clientv3.New(clientv3.Config{Endpoints: p.at, DialTimeout: 5 * time.Second, Logger: zap.NewNop()})
	if err != nil {
		return nil, fmt.Errorf("connect to etcd: %w", err)
	}
	return c, nil
}

// Version implements peer.
func (p *etcd) Version() string { return "etcd " + p.version }

// Work implements peer.
func (p *etcd) Work() []Form { return []Form{{"hold", "compare and put"}} }

// Prepare implements peer.
func (p *etcd) Prepare(context.Context, Form, float64) error {
	p.round++
	p.next.Store(0)
	return nil
}

// Client implements peer.
func (p *etcd) Client(_ context.Context, _ Form, number int) (func(context.Context) error, error) {
	for len(p.clients) <= number/sharing {
		c, err := p.connect()
		if err != nil {
			return nil, err
		}
		p.clients = append(p.clients, c)
	}
	c, before := p.clients[number/sharing], "seat/"+strconv.Itoa(p.round)+"/"
	return func(ctx context.Context) error {
		n := strconv.FormatInt(p.next.Add(1), 10)
		res, err := c.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(before+n), "=", 0)).Then(clientv3.OpPut(before+n, n)).Commit()
		if err == nil && !res.Succeeded {
			err = errSoldOut
		}
		return err
	}, nil
}

// Stop implements peer.
func (p *etcd) Stop() {
	for _, c := range append(p.clients, p.admin) {
		if c != nil {
			_ = c.Close() // the servers end anyway
		}
	}
	for _, s := range p.run {
		s.stop()
	}
	_ = os.RemoveAll(p.dir) // a leftover in the temporary folder
}
