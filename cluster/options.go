package cluster

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"
)

// Limits.
const (
	// MaxProposalBytes is the largest entry Propose takes. Keep entries far smaller: each is one message to every
	// replica, and everything behind it waits.
	MaxProposalBytes = 8 << 20
	// maxOutstanding proposals of one shard may be on their way at once.
	maxOutstanding = 1024
)

// Peer is one voter of the first start.
type Peer struct {
	ID      string // its NodeID
	Address string // host:port other nodes reach it at
}

// Options of a node. The zero value of a field means its default; NodeID and Dir have none.
type Options struct {
	NodeID    string // this node's name, for ever; 1 to 255 bytes
	ClusterID string // which cluster the data is of; empty: made up at the first start and then kept
	Dir       string // folder of the log file and the snapshots
	Shards    int    // Raft groups, fixed at the first start; 0: 16

	Listen    string       // host:port for other nodes; empty: 127.0.0.1 and any free port
	Listener  net.Listener // instead of Listen: already listening; Start takes it over, also when it fails
	Advertise string       // host:port other nodes reach this one at; empty: where it listens
	// TLS secures the connections between nodes. It must have a certificate and require and verify one from the other
	// side. Without it only a loopback address may be listened on.
	TLS *tls.Config
	// Peers are the voters of the first start, this node among them, the same list on every node; empty: this node
	// alone. Later starts use the list only to find nodes whose address has changed.
	Peers []Peer
	// Join waits to be added by the leaders of a cluster that exists, instead of founding one, when Dir is empty.
	Join bool
	// Seeds are nodes to look for when Dir knows none yet.
	Seeds []Peer
	// Role is what this node may do.
	Role Role
	// Replicas is how many voters a shard should have: 1, 3 or 5; 0: 3. The same on every node.
	Replicas int
	// Routes are addresses by node name that go before what the nodes say of themselves.
	Routes map[string]string
	// DeadAfter is how long a node may be silent before its votes go to others; 0: 10 minutes.
	DeadAfter time.Duration
	// Version of the program, shown to the other nodes.
	Version string
	// Rejoin sets damaged data aside and starts empty, as another incarnation, when other nodes are known. Without it
	// Start fails.
	Rejoin bool

	Logger     *slog.Logger          // nil: silent
	Registerer prometheus.Registerer // nil: no metrics
	// Fatal is called when this node must not go on: a failed or hanging disk, or a damaged entry. It should stop the
	// process, must not call Close, and may be called more than once from any goroutine. nil: panic.
	Fatal func(error)

	// HeartbeatTimeout is how long a follower waits for its leader before it calls an election, and ElectionTimeout
	// how long that may take. Heartbeats wait behind disk flushes, so neither may be less than about ten times the
	// slowest of those. 0: 750 ms each. A node that is the only voter does not wait for either.
	HeartbeatTimeout time.Duration
	ElectionTimeout  time.Duration
	// LeaderLease is how long a leader goes on without hearing of a majority; 0: half of HeartbeatTimeout.
	LeaderLease time.Duration
	// CommitTimeout is how often an idle leader repeats itself to its followers. They hear of commits without it, see
	// news.go; it is for what is lost on the way. 0: 1 s.
	CommitTimeout time.Duration
	// A snapshot is taken when SnapshotEntries (0: 2048) or SnapshotBytes (0: 64 MiB) have been appended since the
	// last one; entries are looked at every SnapshotInterval (0: 30 s) to twice that, bytes every second.
	SnapshotInterval time.Duration
	SnapshotEntries  uint64
	SnapshotBytes    uint64
	// TrailingEntries stay in the log after a snapshot, for followers that are a little late; 0: 512.
	TrailingEntries uint64
	// StallTransfer is how long the disk may hang before leadership is handed over (0: 2 s), StallFatal before Fatal
	// is called (0: 5 s).
	StallTransfer time.Duration
	StallFatal    time.Duration
	// CloseTimeout bounds each step of Close that waits for others; 0: 5 s.
	CloseTimeout time.Duration
	// AllowLostCommit opens a log file of which the last commit may have been lost; see storage.Options.
	AllowLostCommit bool
	// Preallocate is the size of the log file at creation, in bytes; 0: 16 MiB, negative: as small as possible.
	// MaxBytes and Reserve bound it; see storage.Options.
	Preallocate int64
	MaxBytes    int64
	Reserve     int64

	pace pace
}

func (o *Options) complete() error {
	if o.NodeID == "" || len(o.NodeID) > 255 {
		return fmt.Errorf("cluster: node id %q must have 1 to 255 bytes", o.NodeID)
	}
	if o.Dir == "" {
		return errors.New("cluster: dir is empty")
	}
	def(&o.Shards, 16)
	def(&o.Listen, "127.0.0.1:0")
	def(&o.HeartbeatTimeout, 750*time.Millisecond)
	def(&o.ElectionTimeout, max(750*time.Millisecond, o.HeartbeatTimeout))
	def(&o.LeaderLease, o.HeartbeatTimeout/2)
	def(&o.CommitTimeout, time.Second)
	def(&o.Replicas, 3)
	def(&o.DeadAfter, 10*time.Minute)
	def(&o.SnapshotInterval, 30*time.Second)
	def(&o.SnapshotEntries, 2048)
	def(&o.SnapshotBytes, 64<<20)
	def(&o.TrailingEntries, 512)
	def(&o.StallTransfer, 2*time.Second)
	def(&o.StallFatal, 5*time.Second)
	def(&o.CloseTimeout, 5*time.Second)
	if o.StallFatal < o.StallTransfer {
		return fmt.Errorf("cluster: stall fatal %s is shorter than stall transfer %s", o.StallFatal, o.StallTransfer)
	}
	o.pace.complete()
	if strings.Contains(o.NodeID, incarnationMark) {
		return fmt.Errorf("cluster: node id %q has a %s, which is for incarnations", o.NodeID, incarnationMark)
	}
	if o.Replicas != 1 && o.Replicas != 3 && o.Replicas != 5 {
		return fmt.Errorf("cluster: replicas is %d, allowed are 1, 3 and 5", o.Replicas)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Fatal == nil {
		o.Fatal = func(err error) { panic(err) }
	}
	return o.checkPeers()
}

func (o *Options) checkPeers() error {
	for i, p := range o.Seeds {
		if p.ID == "" || p.Address == "" {
			return fmt.Errorf("cluster: seeds[%d] needs an id and an address", i)
		}
	}
	if o.Join && len(o.Peers) > 0 {
		return errors.New("cluster: peers found a cluster, and join joins one")
	}
	o.Seeds = slices.DeleteFunc(slices.Clone(o.Seeds), func(p Peer) bool { return p.ID == o.NodeID })
	seen := make(map[string]bool)
	for i, p := range o.Peers {
		if p.ID == "" || p.Address == "" {
			return fmt.Errorf("cluster: peers[%d] needs an id and an address", i)
		}
		if seen[p.ID] || seen["@"+p.Address] {
			return fmt.Errorf("cluster: peers[%d] repeats the id %q or the address %q", i, p.ID, p.Address)
		}
		seen[p.ID], seen["@"+p.Address] = true, true
	}
	if len(o.Peers) > 0 && !seen[o.NodeID] {
		return fmt.Errorf("cluster: peers do not name this node, %q", o.NodeID)
	}
	if t := o.TLS; t != nil {
		if len(t.Certificates) == 0 && (t.GetCertificate == nil || t.GetClientCertificate == nil) {
			return errors.New("cluster: tls has no certificate to show")
		}
		if t.ClientAuth != tls.RequireAndVerifyClientCert {
			return errors.New("cluster: tls must require and verify client certificates")
		}
	}
	return nil
}

// raftConfig is what raft is told for one shard. What is not set here has its reason in the package comment.
func (o *Options) raftConfig(id string, notify chan<- bool, logger *raftLogger) *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(id)
	c.HeartbeatTimeout, c.ElectionTimeout = o.HeartbeatTimeout, o.ElectionTimeout
	c.LeaderLeaseTimeout = o.LeaderLease
	c.CommitTimeout = o.CommitTimeout
	c.MaxAppendEntries = 64
	c.BatchApplyCh = false // keeps an enqueue timeout meaning "surely not in the log"
	c.ShutdownOnRemove = false
	c.TrailingLogs = o.TrailingEntries
	c.SnapshotInterval, c.SnapshotThreshold = o.SnapshotInterval, o.SnapshotEntries
	c.NotifyCh = notify
	c.Logger = logger
	c.NoLegacyTelemetry = true
	c.RestoreCommittedLogs = false // NewRaft hangs with many entries behind the snapshot
	return c
}

// voters is the configuration of the first start. Addresses in it are server ids: the book knows where those are.
func (o *Options) voters() raft.Configuration {
	if len(o.Peers) == 0 {
		return configurationOf(o.NodeID)
	}
	var ids []string
	for _, p := range o.Peers {
		ids = append(ids, p.ID)
	}
	return configurationOf(ids...)
}

func configurationOf(voters ...string) raft.Configuration {
	var c raft.Configuration
	for _, id := range voters {
		c.Servers = append(c.Servers, raft.Server{ID: raft.ServerID(id), Address: raft.ServerAddress(id)})
	}
	return c
}

func def[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}
