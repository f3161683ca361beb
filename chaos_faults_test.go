package catraca

import (
	"os"
	"syscall"
	"time"
)

// fault is a kind of trouble. bring returns when it has healed.
type fault struct {
	name   string
	mayEnd bool // a node may end by itself because of it
	bring  func(n *nemesis, victim *member)
}

// faults that a cluster of so many nodes can have.
func faults(nodes int) []fault {
	all := []fault{
		{"kill", false, (*nemesis).killOne},
		{"stop", true, (*nemesis).stopOne},
		{"one-way partition", false, (*nemesis).deafen},
		{"partition", false, (*nemesis).isolate},
		{"slow cable", false, (*nemesis).slow},
		{"leader transfer", false, (*nemesis).transfer},
		{"drain", false, (*nemesis).drain},
		{"leave and rejoin", false, (*nemesis).rejoin},
	}
	if nodes == 1 {
		return all[:2]
	}
	return all
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

// transfer hands every shard to a node.
func (n *nemesis) transfer(victim *member) {
	n.catraca(0, "cluster", "transfer", "--config", n.config, "--to", victim.name())
	n.linger(200*time.Millisecond, time.Second)
}

// drain takes a node's leaderships and fans away, and gives it back to them.
func (n *nemesis) drain(victim *member) {
	n.catraca(0, "cluster", "drain", "--config", n.config, victim.name())
	n.linger(time.Second, 2*time.Second)
	n.catraca(0, "cluster", "drain", "--config", n.config, "--undo", victim.name())
}

// rejoin lets a node leave for good, and takes it in again as a new one with nothing on its disk.
func (n *nemesis) rejoin(victim *member) {
	n.t.Helper()
	helper := n.other(victim)
	n.catraca(0, "cluster", "leave", "--config", helper.config, "--yes", victim.name())
	victim.signal(syscall.SIGTERM)
	victim.gone(30 * time.Second)
	if err := os.RemoveAll(victim.data); err != nil {
		n.t.Fatal(err)
	}
	victim.comings++ // the old name is refused from now on
	victim.config = n.file(victim.id+".yaml", victim.settings())
	victim.enrol(helper)
	victim.start()
	victim.ready(time.Minute)
}
