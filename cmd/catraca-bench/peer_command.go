package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/bench/record"
)

// peerOptions are the flags of a comparison with a peer.
type peerOptions struct {
	works                  []string
	length                 time.Duration
	rounds, clients, nodes int
	fans, waiting          int
	binary, peers, results string
}

// peerNames are the peers that Catraca is compared with.
func peerNames() []string { return []string{"postgres", "redis", "etcd"} }

// peerCommand compares Catraca with a peer. missed is set when a ratio is lower than promised.
func peerCommand(env environment, missed *bool, peer string) *cobra.Command {
	var o peerOptions
	c := &cobra.Command{
		Use: peer, Short: "Compare Catraca with what one would build a ticket sale with otherwise", Args: needs(),
		Long: "Starts the peer from Debian's packages on loopback, with data in a temporary folder and durable settings, and a Catraca\n" +
			"beside it; lets both do the same work in turns, each while the other rests, and prints rates, latencies and ratios.\n" +
			"A peer that can do a work in several ways is held by its best. Where data goes: TMPDIR, the same for both.\n" +
			"`bench/peers/prepare` installs the peers. etcd is compared with one node and with three unless --nodes says.\n" +
			"Exit codes: 0 done, 1 failed, 99 a ratio is lower than promised, 104 nothing was done because a flag is wrong.",
		Example: "  catraca-bench compare postgres --results bench/results\n  catraca-bench compare etcd --nodes 3 --for 10s",
		RunE: func(c *cobra.Command, _ []string) error {
			held, err := comparePeer(c.Context(), env, peer, o)
			*missed = *missed || err == nil && !held
			return err
		},
	}
	o.flags(c)
	return c
}

func (o *peerOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringSliceVar(&o.works, "work", peerWorks(), "what is done: hold, best, join")
	f.DurationVar(&o.length, "for", 5*time.Second, "time of each piece of work")
	f.IntVar(&o.rounds, "rounds", 3, "how often each side has its turn")
	f.IntVar(&o.clients, "clients", 64, "clients, with one request in flight each")
	f.IntVar(&o.nodes, "nodes", 0, "nodes on either side: 1, or 3 for etcd; 0: all there are")
	f.IntVar(&o.fans, "fans", 4096, "fans with live sockets that Catraca's clients take turns with")
	f.IntVar(&o.waiting, "waiting", 100_000, "fans in the queue that is joined; the peers always have 100,000")
	f.StringVar(&o.binary, "binary", "", "the catraca to start; empty: the one beside this program, or in PATH")
	f.StringVar(&o.peers, "peers-binary", "", "the catraca-bench-peers to start; empty: the one beside this program, or in PATH")
	f.StringVar(&o.results, "results", "", "also write the report into this folder, as JSON and text")
}

// check refuses what cannot be done.
func (o *peerOptions) check(peer string) error {
	if !slices.Contains(peerNames(), peer) {
		return wrong("no peer is called %.40q; there are %s", peer, strings.Join(peerNames(), ", "))
	}
	for _, w := range o.works {
		if !slices.Contains(peerWorks(), w) {
			return wrong("--work %.40q: there are %s", w, strings.Join(peerWorks(), ", "))
		}
	}
	if o.nodes != 0 && o.nodes != 1 && (o.nodes != 3 || peer != "etcd") {
		return wrong("--nodes %d: %s is compared with 1 node%s", o.nodes, peer, map[bool]string{true: " or 3"}[peer == "etcd"])
	}
	for _, n := range []struct {
		flag             string
		is, least, atTop int
	}{{"rounds", o.rounds, 1, 99}, {"clients", o.clients, 1, 160}, {"fans", o.fans, o.clients, 8_000}, {"waiting", o.waiting, 0, 1_000_000}} {
		if n.is < n.least || n.is > n.atTop {
			return wrong("--%s %d: allowed are %d to %d", n.flag, n.is, n.least, n.atTop)
		}
	}
	if o.length < 50*time.Millisecond || o.length > 5*time.Minute {
		return wrong("--for %v: allowed are 50ms to 5m", o.length)
	}
	return nil
}

// comparePeer compares Catraca with a peer, prints the tables and keeps them. It returns false when a ratio is lower
// than promised.
func comparePeer(ctx context.Context, env environment, peer string, o peerOptions) (held bool, err error) {
	if err := o.check(peer); err != nil {
		return false, err
	}
	if o.peers, err = findPeers(o.peers); err != nil {
		return false, err
	}
	sizes := []int{o.nodes}
	if o.nodes == 0 {
		sizes = map[string][]int{"etcd": {1, 3}}[peer]
		if sizes == nil {
			sizes = []int{1}
		}
	}
	held = true
	for _, n := range sizes {
		r, err := o.compare(ctx, env, peer, n)
		if err != nil {
			return false, err
		}
		held = r.settle() && held
		if _, err := fmt.Fprintln(env.stdout, r.text()); err != nil {
			return false, err
		}
		if err := r.keep(o.results); err != nil {
			return false, err
		}
	}
	return held, nil
}

// compare starts both sides and lets them work in turns.
func (o *peerOptions) compare(ctx context.Context, env environment, peer string, nodes int) (*peerReport, error) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(env.stderr, format+"\n", args...) } // nowhere else to tell it
	say("starting %s", peer)
	p, err := startPeer(ctx, o.peers, peer, nodes)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	var forms []peerForm
	joins := false
	for _, f := range p.ready.Work {
		if slices.Contains(o.works, f.Work) {
			forms, joins = append(forms, f), joins || f.Work == "join"
		}
	}
	if len(forms) == 0 {
		return nil, wrong("--work: %w", errNoWork)
	}
	own, err := startServers(ctx, serverOptions{binary: o.binary, nodes: nodes, say: say})
	if err != nil {
		return nil, err
	}
	defer own.stop()
	var bases []string
	for _, n := range own.nodes {
		bases = append(bases, "http://"+n.fan)
	}
	say("letting %d fans into the shop", o.fans)
	s, err := openShop(ctx, bases, own.token, o.fans)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if joins {
		say("letting %d fans queue up", o.waiting)
		if err := s.queueUp(ctx, o.waiting, o.fans); err != nil {
			return nil, err
		}
	}
	r := &peerReport{
		report: *newReport(ctx), Peer: peer, Version: p.ready.Version, Catraca: own.version, Nodes: nodes, Clients: o.clients,
		Fans: o.fans, Waiting: o.waiting, For: o.round(),
	}
	if r.Commit == "" { // not run in its repository
		r.Commit = record.Here().Commit
	}
	if err := o.turns(ctx, say, p, s, forms, r); err != nil {
		return nil, errors.Join(err, fallenError(own.fallen()))
	}
	return r, nil
}

// turns does every work in every round, the peer's forms first and then Catraca.
func (o *peerOptions) turns(ctx context.Context, say func(string, ...any), p *peerProcess, s *peerShop, forms []peerForm, r *peerReport) error {
	tell := func(round int, who string, f peerFigure) {
		say("round %d  %-4s  %10.0f/s  p50 %7.2f ms  p99 %7.2f ms  %s", round, f.Work, f.PerSecond, float64(f.P50)/1000, float64(f.P99)/1000, who)
	}
	for round := 1; round <= o.rounds; round++ {
		for _, work := range peerWorks() {
			can := false
			for _, f := range forms {
				if f.Work != work {
					continue
				}
				can = true
				got, err := p.work(ctx, f, o.clients, o.length)
				if err != nil {
					return err
				}
				tell(round, p.ready.Version+", "+f.Form, got)
				r.add(p.ready.Version, got)
			}
			if !can {
				continue
			}
			got, err := s.work(ctx, work, o.clients, o.length)
			if err != nil {
				return fmt.Errorf("%s of Catraca: %w", work, err)
			}
			tell(round, ours, got)
			r.add(ours, got)
		}
	}
	return nil
}

// fallenError is an error of servers that ended by themselves; nil: none did.
func fallenError(list []string) error {
	if len(list) == 0 {
		return nil
	}
	return errors.New(strings.Join(list, "\n"))
}
