package cluster

import (
	"fmt"
	"strconv"

	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"
)

// collectors are this package's metrics. Raft's own know no shards and go nowhere: its library's default sink.
type collectors struct {
	commitSeconds   *prometheus.HistogramVec
	snapshotSeconds *prometheus.HistogramVec
	leaderChanges   *prometheus.CounterVec
	transfers       prometheus.Counter
	divergences     prometheus.Counter
	groups          *groupCollector
	reg             prometheus.Registerer
}

func newCollectors(n *Node) *collectors {
	label := []string{"shard"}
	return &collectors{
		commitSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                        "catraca_raft_commit_seconds",
			Help:                        "Time from a proposal until its entry is committed and handed on, on the leader.",
			Buckets:                     prometheus.ExponentialBuckets(0.0002, 2, 16),
			NativeHistogramBucketFactor: 1.1,
		}, label),
		snapshotSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                        "catraca_raft_snapshot_seconds",
			Help:                        "Time to write a snapshot.",
			Buckets:                     prometheus.ExponentialBuckets(0.001, 4, 9),
			NativeHistogramBucketFactor: 1.1,
		}, label),
		leaderChanges: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "catraca_raft_leadership_changes_total",
			Help: "Times this node began or ceased to lead the shard.",
		}, label),
		transfers: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "catraca_cluster_transfers_total",
			Help: "Hand-overs of a shard's leadership that this node has begun.",
		}),
		divergences: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "catraca_cluster_divergences_total",
			Help: "States that were not the same on every node.",
		}),
		groups: newGroupCollector(n),
	}
}

func (m *collectors) all() []prometheus.Collector {
	return []prometheus.Collector{m.commitSeconds, m.snapshotSeconds, m.leaderChanges, m.transfers, m.divergences, m.groups}
}

// register comes last in Start, when there is something to collect.
func (m *collectors) register(reg prometheus.Registerer) error {
	if reg == nil {
		return nil
	}
	for i, c := range m.all() {
		if err := reg.Register(c); err != nil {
			for _, c := range m.all()[:i] {
				reg.Unregister(c)
			}
			return fmt.Errorf("cluster: register metrics: %w", err)
		}
	}
	m.reg = reg
	return nil
}

func (m *collectors) unregister() {
	if m.reg == nil {
		return
	}
	for _, c := range m.all() {
		m.reg.Unregister(c)
	}
}

// groupCollector asks the groups when it is asked.
type groupCollector struct {
	n                                                    *Node
	state, leader, term, last, commit, applied, snapshot *prometheus.Desc
	logBytes, outstanding, votes                         *prometheus.Desc
	readOnly, members                                    *prometheus.Desc
}

func newGroupCollector(n *Node) *groupCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("catraca_raft_"+name, help, []string{"shard"}, nil)
	}
	return &groupCollector{
		n:           n,
		state:       desc("state", "0 follower, 1 candidate, 2 leader, 3 stopped."),
		leader:      desc("leader_ready", "1 when this node leads the shard and takes commands."),
		term:        desc("term", "Current election term."),
		last:        desc("last_index", "Newest entry in the log."),
		commit:      desc("commit_index", "Newest entry known to be committed."),
		applied:     desc("applied_index", "Newest entry handed to the shard's machines."),
		snapshot:    desc("snapshot_index", "Newest entry in the snapshot."),
		logBytes:    desc("log_bytes_since_snapshot", "Bytes appended since the last snapshot or the start."),
		outstanding: desc("outstanding_proposals", "Proposals waiting for their commit."),
		votes:       desc("voters", "Voters of the shard, as this replica has the list."),
		readOnly: prometheus.NewDesc("catraca_cluster_read_only",
			"1 while this node takes no proposals because its disk is nearly full.", nil, nil),
		members: prometheus.NewDesc("catraca_cluster_members", "Nodes by state, as this one sees them.", []string{"state"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *groupCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.state, c.leader, c.term, c.last, c.commit, c.applied, c.snapshot, c.logBytes, c.outstanding,
		c.votes, c.readOnly, c.members} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *groupCollector) Collect(ch chan<- prometheus.Metric) {
	for _, g := range c.n.groups {
		label := strconv.Itoa(g.id)
		gauge := func(d *prometheus.Desc, v uint64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), label)
		}
		ready := uint64(0)
		if g.raft.State() == raft.Leader && g.leadership.ready.Load() != 0 {
			ready = 1
		}
		gauge(c.state, uint64(g.raft.State()))
		gauge(c.leader, ready)
		gauge(c.term, g.raft.CurrentTerm())
		gauge(c.last, g.raft.LastIndex())
		gauge(c.commit, g.raft.CommitIndex())
		gauge(c.applied, g.fsm.index.Load())
		gauge(c.snapshot, g.lastSnapshot())
		gauge(c.logBytes, g.log.appended.Load()-g.log.snapshotted.Load())
		gauge(c.outstanding, uint64(len(g.slots)))
		gauge(c.votes, uint64(len(g.voters())))
	}
	full := 0.0
	if c.n.full.Load() {
		full = 1
	}
	ch <- prometheus.MustNewConstMetric(c.readOnly, prometheus.GaugeValue, full)
	count := make(map[State]int)
	for _, m := range c.n.Members() {
		count[m.State]++
	}
	for _, s := range allStates() {
		ch <- prometheus.MustNewConstMetric(c.members, prometheus.GaugeValue, float64(count[s]), s.String())
	}
}
