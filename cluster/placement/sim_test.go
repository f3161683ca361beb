package placement

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// apply does a step as a leader would.
func apply(s *Shard, ms []Member, c Change) error {
	at := slices.IndexFunc(s.Servers, func(v Server) bool { return v.ID == c.ServerID })
	if (c.Kind == AddLearner) != (at < 0) {
		return fmt.Errorf("%s %s: it is at %d", c.Kind, c.ServerID, at)
	}
	switch c.Kind {
	case AddLearner:
		i := slices.IndexFunc(ms, func(m Member) bool { return m.ServerID == c.ServerID })
		s.Servers = append(s.Servers, Server{ID: c.ServerID, Name: ms[i].Name})
	case Promote:
		if s.Servers[at].Vote || !s.Servers[at].CaughtUp {
			return fmt.Errorf("promote %+v", s.Servers[at])
		}
		s.Servers[at].Vote = true
	case Demote:
		if !s.Servers[at].Vote || c.ServerID == s.Leader {
			return fmt.Errorf("demote %+v", s.Servers[at])
		}
		s.Servers[at].Vote = false
	case Remove:
		if c.ServerID == s.Leader {
			return fmt.Errorf("remove the leader %s", c.ServerID)
		}
		s.Servers = slices.Delete(s.Servers, at, at+1)
	case Transfer:
		if !s.Servers[at].Vote || c.ServerID == s.Leader {
			return fmt.Errorf("transfer to %+v", s.Servers[at])
		}
		s.Leader = c.ServerID
	default:
		return fmt.Errorf("unknown kind %d", c.Kind)
	}
	return nil
}

func count(s Shard, ms []Member) (all, live int) { return voters(join(s, ms)) }

func genMembers(t *rapid.T) []Member {
	n := rapid.IntRange(1, 7).Draw(t, "members")
	ms := make([]Member, n)
	for i := range ms {
		name := string(rune('a' + i))
		state := rapid.SampledFrom([]string{"alive", "alive", "alive", "silent", "dead"}).Draw(t, "state")
		m := Member{Name: name, ServerID: name, Alive: state == "alive", Dead: state == "dead"}
		if rapid.IntRange(0, 4).Draw(t, "incarnation") == 0 {
			m.ServerID = name + "~2"
		}
		m.Gateway = rapid.IntRange(0, 5).Draw(t, "gateway") == 0
		m.Draining = rapid.IntRange(0, 5).Draw(t, "draining") == 0
		m.Leaving = rapid.IntRange(0, 5).Draw(t, "leaving") == 0
		ms[i] = m
	}
	return ms
}

// genShard has a live leader.
func genShard(t *rapid.T, id int, ms []Member) Shard {
	s := Shard{ID: id}
	for _, m := range ms {
		for _, sid := range slices.Compact([]string{m.Name, m.ServerID}) {
			switch rapid.SampledFrom([]string{"absent", "learner", "late", "voter", "voter"}).Draw(t, "replica") {
			case "learner":
				s.Servers = append(s.Servers, Server{ID: sid, Name: m.Name, CaughtUp: true})
			case "late":
				s.Servers = append(s.Servers, Server{ID: sid, Name: m.Name})
			case "voter":
				s.Servers = append(s.Servers, Server{ID: sid, Name: m.Name, Vote: true, CaughtUp: true})
			}
		}
	}
	for _, r := range join(s, ms) {
		if r.Vote && r.live() && (s.Leader == "" || rapid.Bool().Draw(t, "leads")) {
			s.Leader = r.ID
		}
	}
	return s
}

// TestConverges: whatever the state, steps end, each keeps a live majority, and what is left is as promised.
func TestConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := genMembers(t)
		s := genShard(t, rapid.IntRange(0, 31).Draw(t, "shard"), ms)
		want := rapid.SampledFrom([]int{1, 3, 5}).Draw(t, "want")
		all, live := count(s, ms)
		if s.Leader == "" || live < majority(all) {
			if c, ok := Next(s, ms, want); ok && live < majority(all) {
				t.Fatalf("%v without a majority", c)
			}
			return
		}
		for step := 0; ; step++ {
			c, ok := Next(s, ms, want)
			if !ok {
				if late := slices.IndexFunc(s.Servers, func(v Server) bool { return !v.CaughtUp }); late >= 0 {
					s.Servers[late].CaughtUp = true // time passes
					continue
				}
				break
			}
			before := fmt.Sprintf("%+v", s)
			if err := apply(&s, ms, c); err != nil {
				t.Fatalf("%s: %v", before, err)
			}
			if all, live := count(s, ms); live < majority(all) {
				t.Fatalf("%s %s leaves %d of %d voters alive\n%s", c.Kind, c.ServerID, live, all, before)
			}
			if step > 60 {
				t.Fatalf("no end: %s", before)
			}
		}
		settled(t, s, ms, want)
	})
}

func settled(t *rapid.T, s Shard, ms []Member, want int) {
	rs := join(s, ms)
	usable := 0
	silent := false
	for _, m := range ms {
		has := slices.ContainsFunc(rs, func(r replica) bool { return r.ID == m.ServerID })
		if m.live() && !m.Leaving && !has {
			t.Fatalf("%s has no replica in %+v", m.ServerID, s)
		}
		if m.live() && !m.Gateway && !m.Leaving && !m.Draining {
			usable++
		}
		silent = silent || !m.live() || m.Draining || m.Leaving || m.Gateway
	}
	all, _ := count(s, ms)
	if silent || usable == 0 {
		return
	}
	// Everybody is well: exactly the voters that should be, and nobody's old incarnations.
	if all != odd(min(want, usable)) {
		t.Fatalf("%d voters of %d usable: %+v", all, usable, s)
	}
	for _, r := range rs {
		if !r.present || r.Vote && (r.member.Gateway || r.member.Leaving) {
			t.Fatalf("%s is left in %+v", r.ID, s)
		}
	}
	if len(rs) != len(ms) {
		t.Fatalf("%d replicas of %d members: %+v", len(rs), len(ms), s)
	}
}

// TestOneMemberMoves: when a member comes or goes, the votes of a shard change by one exchange at most.
func TestOneMemberMoves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(4, 8).Draw(t, "members")
		var ms []Member
		for i := range n {
			name := string(rune('a' + i))
			ms = append(ms, Member{Name: name, ServerID: name, Alive: true})
		}
		id := rapid.IntRange(0, 63).Draw(t, "shard")
		run := func(s Shard, ms []Member) (Shard, int) {
			moves := 0
			for {
				c, ok := Next(s, ms, 3)
				if !ok {
					return s, moves
				}
				if err := apply(&s, ms, c); err != nil {
					t.Fatal(err)
				}
				for i := range s.Servers {
					s.Servers[i].CaughtUp = true
				}
				if c.Kind == Promote {
					moves++
				}
			}
		}
		few := ms[:n-1]
		s, _ := run(Shard{ID: id, Servers: []Server{{ID: "a", Name: "a", Vote: true, CaughtUp: true}}, Leader: "a"}, few)
		s, moves := run(s, ms)
		if moves > 1 {
			t.Fatalf("a new member moved %d votes", moves)
		}
		gone := slices.Clone(ms)
		at := rapid.IntRange(0, n-1).Draw(t, "gone")
		if gone[at].Name == s.Leader {
			return
		}
		gone[at].Alive, gone[at].Dead = false, true
		if _, moves = run(s, gone); moves > 1 {
			t.Fatalf("a dead member moved %d votes", moves)
		}
	})
}

// TestBalanceSettles: hand-overs end, evict those that should lead nothing, and leave nothing a single one could improve.
func TestBalanceSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := genMembers(t)
		var shards []Shard
		for i := range rapid.IntRange(1, 20).Draw(t, "shards") {
			shards = append(shards, genShard(t, i, ms))
		}
		for step := 0; ; step++ {
			m, ok := Balance(shards, ms)
			if !ok {
				break
			}
			s := &shards[m.Shard]
			at := slices.IndexFunc(s.Servers, func(v Server) bool { return v.ID == m.To })
			if at < 0 || !s.Servers[at].Vote || !s.Servers[at].CaughtUp || s.Leader == m.To || s.Leader == "" {
				t.Fatalf("%+v to %s", s, m.To)
			}
			r := join(*s, ms)[at]
			if !r.live() || r.member.Draining || r.member.Leaving || r.member.Gateway {
				t.Fatalf("%s shall lead: %+v", m.To, r.member)
			}
			s.Leader = m.To
			if step > 200 {
				t.Fatal("no end")
			}
		}
		b := newBoard(shards, ms)
		for _, l := range b.led {
			for _, c := range l.can {
				if l.by < 0 || b.loads[l.by] > b.loads[c]+1 {
					t.Fatalf("shard %d should move: loads %v of %v", l.shard, b.loads, b.names)
				}
			}
		}
	})
}

func TestBalance(t *testing.T) {
	three := "aV bV cV"
	lead := func(id int, servers, leader string) Shard {
		s := readShard(t, servers)
		s.ID, s.Leader = id, leader
		return s
	}
	for _, c := range []struct {
		why     string
		shards  []Shard
		members string
		want    string
	}{
		{"even already", []Shard{lead(0, three, "a"), lead(1, three, "b"), lead(2, three, "c"), lead(3, three, "a")}, "a b c", "none"},
		{"one leads two more", []Shard{lead(0, three, "a"), lead(1, three, "a"), lead(2, three, "b")}, "a b c", "0 to c"},
		{"who drains leads nothing", []Shard{lead(0, three, "a"), lead(1, three, "b")}, "a:draining b c", "0 to c"},
		{"nobody else could", []Shard{lead(0, "aV bl", "a")}, "a:draining b", "none"},
		{"not to one that is late", []Shard{lead(0, "aV bV- cV", "a"), lead(1, "aV bV- cV", "c")}, "a:draining b c", "0 to c"},
		{"a shard without a leader is left alone", []Shard{lead(0, three, ""), lead(1, three, "a")}, "a b c", "none"},
		{"by way of another", []Shard{
			lead(0, "aV bV", "a"), lead(1, "aV bV", "a"), lead(2, "bV cV", "b"), lead(3, "dV", "d"),
		}, "a b c d", "2 to c"},
	} {
		t.Run(c.why, func(t *testing.T) {
			got := "none"
			if m, ok := Balance(c.shards, readMembers(t, c.members)); ok {
				got = fmt.Sprintf("%d to %s", m.Shard, m.To)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
