package cluster

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metricOf collects a counter or gauge that has no labels.
func metricOf(t *testing.T, n *Node, name string) int {
	t.Helper()
	reg := prometheus.NewRegistry()
	for _, c := range n.m.all() {
		if err := reg.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return int(m.GetCounter().GetValue() + m.GetGauge().GetValue())
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// TestReadIndex asks the leader, a follower, and a leader that has been deposed and does not know it yet.
func TestReadIndex(t *testing.T) {
	h := three(t, func(o *Options) {
		o.pace.balance, o.HeartbeatTimeout = time.Hour, 2*time.Second // it shall not lose the lead by itself
	})
	h.propose(0, "one", "a")
	name := h.leader("a", 0)
	leader := h.nodes[name]
	h.until("the leader to be ready", func() bool { return leader.groups[0].leadership.ready.Load() != 0 })
	p := h.tapes[name][0]
	p.mu.Lock()
	last := p.index[len(p.index)-1]
	p.mu.Unlock()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			got, err := leader.ReadIndex(ctx(t), 0)
			if err != nil || got < last {
				t.Errorf("read index %d, %v; the last entry is %d", got, err, last)
			}
		})
	}
	wg.Wait()
	for other, n := range h.nodes {
		if n == leader {
			continue
		}
		if _, err := n.ReadIndex(ctx(t), 0); !errors.Is(err, ErrNotLeader) {
			t.Errorf("%s answered %v", other, err)
		}
		index, err := leader.ReadIndex(ctx(t), 0)
		if err != nil {
			t.Fatal(err)
		}
		h.until("a replica to get so far", func() bool { return n.Applied(0) >= index })
	}
	if _, err := leader.ReadIndex(ctx(t), 9); err == nil {
		t.Error("read a shard that does not exist")
	}

	leader.mux.Close() // cut off; until its lease ends it thinks that it leads
	if got, err := leader.ReadIndex(ctx(t), 0); err == nil {
		t.Errorf("a leader that hears nobody answered %d", got)
	}
	var rest string
	for other := range h.nodes {
		if other != name {
			rest = other
		}
	}
	h.until("another one to lead", func() bool {
		got, _, _ := h.nodes[rest].Leader(0)
		return got != "" && got != name
	})
	h.propose(0, "two", rest)
	if got, err := leader.ReadIndex(ctx(t), 0); !errors.Is(err, ErrNotLeader) {
		t.Errorf("the deposed leader answered %d, %v", got, err)
	}
}

// TestConfirmations counts voters alone, of the term and after the question.
func TestConfirmations(t *testing.T) {
	var c confirmations
	now := time.Now()
	voters := configurationOf("a", "b", "c").Servers
	c.note("b", 7, now.Add(-time.Second))
	c.note("d", 7, now.Add(time.Second)) // has no vote
	c.note("c", 6, now.Add(time.Second)) // another term
	n, news := c.since(voters, "a", 7, now)
	if n != 0 {
		t.Errorf("%d have confirmed, want none", n)
	}
	c.note("b", 7, now.Add(time.Millisecond))
	select {
	case <-news:
	default:
		t.Error("nobody was told")
	}
	if n, _ := c.since(voters, "a", 7, now); n != 1 {
		t.Errorf("%d have confirmed, want b", n)
	}
}

// echo serves one connection after the other until the test ends.
func echo(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() { ln.Close(); wg.Wait() })
	return ln.Addr().String()
}

func TestActors(t *testing.T) {
	addr := echo(t)
	h := newHouse(t)
	h.found("a", nil)
	h.tapes["a"].ready(t)
	h.join("b", "a", nil)
	h.until("b to be known", func() bool { return h.member("a", "b").Seen != time.Time{} })
	talk := func(from, to string) error {
		c, err := h.nodes[from].DialActors(ctx(t), to)
		if err != nil {
			return err
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		want := bytes.Repeat([]byte("to and fro "), 100_000)
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() { _, _ = c.Write(want) })
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); err != nil {
			return err
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s to %s: something else came back", from, to)
		}
		return nil
	}
	if err := talk("a", "b"); err == nil {
		t.Error("b serves no actors and answered")
	}
	h.nodes["a"].ServeActors(addr)
	h.nodes["b"].ServeActors(addr)
	for _, way := range [][2]string{{"a", "b"}, {"b", "a"}, {"a", "a"}} {
		if err := talk(way[0], way[1]); err != nil {
			t.Errorf("%s to %s: %v", way[0], way[1], err)
		}
	}
	if err := talk("a", "nobody"); err == nil {
		t.Error("talked to nobody")
	}
	open, err := h.nodes["a"].DialActors(ctx(t), "b")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	stop(t, h.nodes["b"]) // with a connection open
	expectEnd(t, open)
}

func TestHandleJoin(t *testing.T) {
	h := newHouse(t)
	n := h.found("a", nil)
	h.tapes["a"].ready(t)
	knock := func() net.Conn {
		c, err := net.Dial("tcp", n.Address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := c.Write([]byte("Jhello")); err != nil {
			t.Fatal(err)
		}
		return c
	}
	expectEnd(t, knock())
	n.HandleJoin(func(c net.Conn) {
		defer c.Close()
		b := make([]byte, 5)
		if _, err := io.ReadFull(c, b); err == nil {
			_, _ = c.Write(bytes.ToUpper(b))
		}
	})
	got, err := io.ReadAll(knock())
	if err != nil || string(got) != "HELLO" {
		t.Errorf("answered %q, %v", got, err)
	}
	n.HandleJoin(nil)
	expectEnd(t, knock())
}

// TestLinkRefusesLies introduces itself as what it is not.
func TestLinkRefusesLies(t *testing.T) {
	ca := newAuthority(t)
	h := newHouse(t)
	n := h.found("a", func(o *Options) { o.TLS = ca.config(t, "a") })
	h.tapes["a"].ready(t)
	if err := n.book.bury("gone"); err != nil {
		t.Fatal(err)
	}
	n.book.learn(true, bookNode{Name: "old", ServerID: "old~3", Address: "x:1"})
	try := func(cert string, hello linkHello) (*linkWelcome, error) {
		t.Helper()
		m, _ := testMux(t, "b", ca.config(t, cert))
		m.book.learn(true, bookNode{Name: "a", ServerID: "a", Address: n.Address()})
		c, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		conn, err := m.dial(c, "a", prefaceLink)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		return introduce(conn, &hello)
	}
	id := n.ClusterID()
	if w, err := try("b", linkHello{Cluster: id, From: "b", To: "a"}); err != nil || w.Refused != "" {
		t.Errorf("an honest node: %+v, %v", w, err)
	}
	if w, err := try("b", linkHello{Cluster: id, From: "c", To: "a"}); err == nil {
		t.Errorf("a node that claims another name: %+v", w)
	}
	for name, c := range map[string]struct {
		cert  string
		hello linkHello
	}{
		"has left":        {"gone", linkHello{Cluster: id, From: "gone", To: "a"}},
		"old incarnation": {"old", linkHello{Cluster: id, From: "old~2", To: "a"}},
		"no incarnation":  {"b", linkHello{Cluster: id, From: "b~x", To: "a"}},
		"my own name":     {"a", linkHello{Cluster: id, From: "a", To: "a"}},
		"another cluster": {"b", linkHello{Cluster: "other", From: "b", To: "a"}},
		"another node":    {"b", linkHello{Cluster: id, From: "b", To: "c"}},
		"probe: left":     {"gone", linkHello{From: "gone", To: "a", Probe: true}},
		"probe: my name":  {"a", linkHello{From: "a", To: "a", Probe: true}},
	} {
		if w, err := try(c.cert, c.hello); err != nil || w.Refused == "" {
			t.Errorf("%s: %+v, %v", name, w, err)
		}
	}
	if w, err := try("old", linkHello{From: "old", To: "a", Probe: true}); err != nil || w.Incarnation != 3 || w.Cluster != id {
		t.Errorf("probe: %+v, %v", w, err)
	}
}

// TestSecured is a cluster of three with certificates.
func TestSecured(t *testing.T) {
	ca := newAuthority(t)
	h := newHouse(t)
	with := func(name string) func(*Options) { return func(o *Options) { o.TLS = ca.config(t, name) } }
	h.found("a", with("a"))
	h.tapes["a"].ready(t)
	h.join("b", "a", with("b"))
	h.join("c", "a", with("c"))
	h.voters([]string{"a", "b", "c"}, "a", "b", "c")
	h.propose(0, "secret", "c")
	h.expect(0, []string{"secret"}, "a", "b", "c")
}
