package cluster

import (
	"crypto/tls"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
)

func TestOptionsRefuse(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"no name", func(o *Options) { o.NodeID = "" }, "node id"},
		{"long name", func(o *Options) { o.NodeID = strings.Repeat("x", 256) }, "node id"},
		{"no folder", func(o *Options) { o.Dir = "" }, "dir is empty"},
		{"negative shards", func(o *Options) { o.Shards = -1 }, "shards is -1"},
		{"too many shards", func(o *Options) { o.Shards = 5000 }, "allowed are 1 to 1024"},
		{"peer without address", func(o *Options) { o.Peers = []Peer{{"n1", ""}} }, "peers[0]"},
		{"peer twice", func(o *Options) { o.Peers = []Peer{{"n1", "a:1"}, {"n1", "b:1"}} }, "peers[1] repeats"},
		{"address twice", func(o *Options) { o.Peers = []Peer{{"n1", "a:1"}, {"n2", "a:1"}} }, "peers[1] repeats"},
		{"not among the peers", func(o *Options) { o.Peers = []Peer{{"n2", "a:1"}} }, "do not name this node"},
		{"tls without certificate", func(o *Options) { o.TLS = &tls.Config{} }, "no certificate"},
		{"tls without client check", func(o *Options) {
			o.TLS = &tls.Config{Certificates: make([]tls.Certificate, 1)}
		}, "require and verify"},
		{"stall limits", func(o *Options) { o.StallTransfer = time.Minute }, "stall fatal"},
		{"lease longer than heartbeat", func(o *Options) { o.LeaderLease = time.Hour }, "LeaderLeaseTimeout"},
		{"no such address", func(o *Options) { o.Listen = "256.0.0.1:0" }, "listen"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t, t.TempDir())
			c.change(&o)
			n, err := Start(o, func(int) Pump { return newTape() })
			if err == nil {
				n.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("start: %v, want something about %q", err, c.want)
			}
		})
	}
}

func TestForeignData(t *testing.T) {
	o := options(t, t.TempDir())
	n, _ := start(t, o)
	id := n.ClusterID()
	stop(t, n)
	for name, change := range map[string]func(*Options){
		"node":    func(o *Options) { o.NodeID = "n2" },
		"cluster": func(o *Options) { o.ClusterID = "another" },
		"shards":  func(o *Options) { o.Shards = 3 },
	} {
		bad := o
		change(&bad)
		if _, err := Start(bad, newTapes(3).pump); err == nil || !strings.Contains(err.Error(), "belongs to something else") {
			t.Errorf("other %s: %v", name, err)
		}
	}
	o.ClusterID = id
	n, ts := start(t, o)
	ts.ready(t)
	if !n.Ready() || n.Shards() != 2 || n.ClusterID() != id {
		t.Errorf("ready %v, %d shards, cluster %q", n.Ready(), n.Shards(), n.ClusterID())
	}
	for i, s := range n.Status() {
		if s.Shard != i || s.State != "leader" || !s.Ready || s.Leader != "n1" || s.Term == 0 || s.Commit == 0 {
			t.Errorf("status: %+v", s)
		}
		if id, term, self := n.Leader(i); id != "n1" || term != s.Term || !self {
			t.Errorf("leader of %d: %q in %d, self %v", i, id, term, self)
		}
	}
	if id, _, _ := n.Leader(99); id != "" {
		t.Errorf("leader of a shard that does not exist: %q", id)
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	o := options(t, t.TempDir())
	o.Registerer = reg
	n, ts := start(t, o)
	ts.ready(t)
	propose(t, n, 1, "x")
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]int)
	for _, f := range families {
		got[f.GetName()] = len(f.GetMetric())
	}
	for _, name := range []string{"state", "leader_ready", "term", "last_index", "commit_index", "applied_index",
		"snapshot_index", "commit_seconds", "leadership_changes_total"} {
		if got["catraca_raft_"+name] != 2 {
			t.Errorf("catraca_raft_%s has %d series, want one for each of 2 shards", name, got["catraca_raft_"+name])
		}
	}
	if got["catraca_storage_commit_seconds"] != 1 {
		t.Error("no metrics of the storage")
	}
	if _, err := Start(o, newTapes(2).pump); err == nil {
		t.Error("the same names registered twice")
	}
	stop(t, n)
	if families, err = reg.Gather(); err != nil || len(families) != 0 {
		t.Errorf("%d families stay registered, %v", len(families), err)
	}
}

func TestLogger(t *testing.T) {
	var out strings.Builder
	l := hclog.Logger(&raftLogger{out: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))})
	l = l.With("group-id", 3).Named("raft")
	l.Info("entering follower state")
	l.Warn("heartbeat timeout reached, starting election")
	l.Error("failed to decode incoming command", "error", &net.OpError{Op: "read", Err: net.ErrClosed})
	if out.Len() > 0 {
		t.Errorf("daily work at info: %s", out.String())
	}
	l.Warn("failed to take snapshot", "server-id", hclog.Fmt("%s!", "n2"), "odd")
	l.Error("failed", "error", tls.AlertError(0))
	for _, want := range []string{"level=WARN msg=\"raft said\" group_id=3 text=\"failed to take snapshot\" server_id=n2!", "level=ERROR"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in %s", want, out.String())
		}
	}
	if l.IsDebug() || !l.IsWarn() || l.GetLevel() != hclog.Warn || l.Name() != "raft" {
		t.Errorf("levels: debug %v, warn %v, %v, name %q", l.IsDebug(), l.IsWarn(), l.GetLevel(), l.Name())
	}
}
