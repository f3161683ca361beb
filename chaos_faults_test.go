package catraca

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// fault is a kind of trouble. bring returns when it has healed.
type fault struct {
	name   string
	mayEnd bool // a node may end by itself because of it
	bring  func(n *nemesis, victim *member)
}

// faults that a cluster of so many nodes can have; only those named, if any are.
func faults(nodes int, only string) []fault {
	all := []fault{
		{name: "kill", bring: (*nemesis).killOne},
		{name: "stop", mayEnd: true, bring: (*nemesis).stopOne},
		{name: "one-way partition", bring: (*nemesis).deafen},
		{name: "partition", bring: (*nemesis).isolate},
		{name: "slow cable", bring: (*nemesis).slow},
		{name: "leader transfer", bring: (*nemesis).transfer},
		{name: "drain", bring: (*nemesis).drain},
		{name: "leave and rejoin", bring: (*nemesis).leave},
		{name: "lost disk", bring: (*nemesis).lose},
	}
	if nodes == 1 {
		all = all[:2]
	}
	return slices.DeleteFunc(all, func(f fault) bool {
		return only != "" && !slices.Contains(strings.Split(only, ","), f.name)
	})
}

// killOne kills a node and starts it again, half of the time while the others have not noticed yet.
func (n *nemesis) killOne(victim *member) {
	victim.kill()
	if n.random.IntN(2) == 0 {
		n.linger(time.Second, 2500*time.Millisecond)
	}
	victim.start()
	victim.ready(time.Minute)
}

// stopOne stops a process as a hung machine would, and lets it go on where it was.
func (n *nemesis) stopOne(victim *member) {
	most := 4 * time.Second
	if n.long && n.random.IntN(3) == 0 {
		most = 30 * time.Second
	}
	victim.signal(syscall.SIGSTOP)
	n.linger(200*time.Millisecond, most)
	victim.signal(syscall.SIGCONT)
}

// deafen cuts one direction: between two nodes, or of everything that a node sends, or that it is sent.
func (n *nemesis) deafen(victim *member) {
	how := []traffic{dropped, stalled}[n.random.IntN(2)]
	switch other := n.other(victim); n.random.IntN(3) {
	case 0:
		n.between(victim, other, how, flows, 0)
	case 1:
		for _, m := range n.nodes {
			n.between(victim, m, how, flows, 0)
		}
	default:
		for _, m := range n.nodes {
			n.between(victim, m, flows, how, 0)
		}
	}
	n.linger(1500*time.Millisecond, 3500*time.Millisecond)
	n.heal()
}

// isolate cuts a node off from all others.
func (n *nemesis) isolate(victim *member) {
	n.alone(victim, []traffic{dropped, stalled, refused}[n.random.IntN(3)])
	n.linger(1500*time.Millisecond, 4*time.Second)
	n.heal()
}

// slow makes everything to and from a node late.
func (n *nemesis) slow(victim *member) {
	for _, m := range n.nodes {
		n.between(victim, m, flows, flows, 20*time.Millisecond+time.Duration(n.random.Int64N(int64(60*time.Millisecond))))
	}
	n.linger(1500*time.Millisecond, 3*time.Second)
	n.heal()
}

// transfer hands the sale to a node, or to another one when it leads already.
func (n *nemesis) transfer(victim *member) {
	leader, shard := n.leader()
	if leader == victim {
		victim = n.other(victim)
	}
	n.catraca(0, "cluster", "transfer", "--config", n.config, strconv.Itoa(shard), victim.name())
	n.linger(200*time.Millisecond, time.Second)
}

// drain takes a node's leaderships and fans away, and gives it back to them.
func (n *nemesis) drain(victim *member) {
	n.catraca(0, "cluster", "drain", "--config", n.config, victim.name())
	n.linger(time.Second, 2*time.Second)
	n.catraca(0, "cluster", "drain", "--config", n.config, "--undo", victim.name())
}

// leave lets a node go for good, and takes another one in at its addresses.
func (n *nemesis) leave(victim *member) {
	helper := n.other(victim)
	n.catraca(0, "cluster", "leave", "--config", helper.config, "--yes", victim.name())
	victim.signal(syscall.SIGTERM)
	victim.gone(30 * time.Second)
	victim.comings++ // the old name is refused from now on
	victim.config = n.file(victim.id+".yaml", victim.settings())
	victim.anew(helper)
}

// lose takes a node's disk away; it comes back under its old name, with nothing.
func (n *nemesis) lose(victim *member) {
	victim.kill()
	time.Sleep(6 * time.Second) // until the others miss it: nobody is let in under the name of one who is there
	victim.anew(n.other(victim))
}

// anew lets a node without data in.
func (m *member) anew(helper *member) {
	m.f.t.Helper()
	if err := os.RemoveAll(m.data); err != nil {
		m.f.t.Fatal(err)
	}
	m.enrol(helper)
	m.start()
	m.ready(time.Minute)
}
