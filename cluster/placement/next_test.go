package placement

import (
	"strings"
	"testing"
)

// A shard is written in one line: servers by their id, with * for the leader, a capital V for a vote and a small l for
// none, and - when it has not caught up: "a*V bV b~2l-".
func readShard(t *testing.T, line string) Shard {
	t.Helper()
	var s Shard
	for word := range strings.FieldsSeq(line) {
		v := Server{CaughtUp: true}
		word, late := strings.CutSuffix(word, "-")
		v.CaughtUp = !late
		v.Vote = strings.HasSuffix(word, "V")
		word = word[:len(word)-1]
		word, leads := strings.CutSuffix(word, "*")
		v.ID = word
		v.Name, _, _ = strings.Cut(word, "~")
		if leads {
			s.Leader = v.ID
		}
		s.Servers = append(s.Servers, v)
	}
	return s
}

// Members are written by the id of their present incarnation, alive unless they say otherwise: "a b~2 c:dead,leaving".
func readMembers(t *testing.T, line string) []Member {
	t.Helper()
	var ms []Member
	for word := range strings.FieldsSeq(line) {
		id, states, _ := strings.Cut(word, ":")
		m := Member{ServerID: id, Alive: true}
		m.Name, _, _ = strings.Cut(id, "~")
		for state := range strings.SplitSeq(states, ",") {
			switch state {
			case "":
			case "dead":
				m.Dead, m.Alive = true, false
			case "silent":
				m.Alive = false
			case "gateway":
				m.Gateway = true
			case "draining":
				m.Draining = true
			case "leaving":
				m.Leaving = true
			default:
				t.Fatalf("unknown state %q", state)
			}
		}
		ms = append(ms, m)
	}
	return ms
}

func TestNext(t *testing.T) {
	// In shard 0 the ranks of these names are what TestRanks says: e, c, d, b, a.
	for _, c := range []struct {
		why, shard, members string
		want                int
		step                string
	}{
		{"alone and content", "a*V", "a", 3, "none"},
		{"a second node gets a replica", "a*V", "a b", 3, "add learner b"},
		{"two nodes have one voter, and it stays", "a*V bl", "a b", 3, "none"},
		{"one voter is enough where one is asked for", "c*V al bl", "a b c", 1, "none"},
		{"no even number while the third is late", "c*V bl al-", "a b c", 3, "none"},
		{"two at a time, the second follows at once", "c*V bl al", "a b c", 3, "promote b"},
		{"the second of the two", "c*V bV al", "a b c", 3, "promote a"},
		{"three nodes, three voters", "a*V bV cV", "a b c", 3, "none"},
		{"five nodes, five voters", "a*V bV cV dl el", "a b c d e", 5, "promote e"},
		{"four nodes and five asked for", "a*V bV cV dl", "a b c d", 5, "promote d"},
		{"a gateway gets a replica", "a*V bV cV", "a b c g:gateway", 3, "add learner g"},
		{"a gateway gets no vote", "a*V bV cV gl", "a b c g:gateway", 3, "none"},
		{"a voter that became a gateway is replaced", "a*V bV cV dl", "a b c:gateway d", 3, "promote d"},
		{"and then loses its vote", "a*V bV cV dV", "a b c:gateway d", 3, "demote c"},
		{"silence moves nothing", "a*V bV cV dl", "a b c:silent d", 3, "promote d"},
		{"the dead wait for a spare that has caught up", "a*V bV cV dl-", "a b c:dead d", 3, "none"},
		{"a spare takes the vote of the dead", "a*V bV cV dl", "a b c:dead d", 3, "promote d"},
		{"the dead lose theirs", "a*V bV cV dV", "a b c:dead d", 3, "demote c"},
		{"the dead stay without a vote", "a*V bV cl dV", "a b c:dead d", 3, "none"},
		{"without a spare the dead keep it", "a*V bV cV", "a b c:dead", 3, "none"},
		{"two dead of five leave three", "a*V bV cV dV eV", "a b c d:dead e:dead", 5, "demote"},
		{"no majority, no step", "a*V bV cV", "a b:dead c:silent d", 3, "none"},
		{"a wiped node comes back", "a*V bV cV", "a b c~2", 3, "add learner c~2"},
		{"its old incarnation keeps the vote meanwhile", "a*V bV cV c~2l-", "a b c~2", 3, "none"},
		{"the new one gets a vote", "a*V bV cV c~2l", "a b c~2", 3, "promote c~2"},
		{"the old one goes", "a*V bV cV c~2V", "a b c~2", 3, "remove c"},
		{"an old one without a vote goes", "a*V bV dV cl c~2l-", "a b c~2 d", 3, "remove c"},
		{"but not before the new one is here", "a*V bV dV cl", "a b c~2:silent d", 3, "none"},
		{"who leaves is replaced first", "a*V bV cV dl-", "a b c:leaving d", 3, "none"},
		{"who leaves is replaced", "a*V bV cV dl", "a b c:leaving d", 3, "promote d"},
		{"who has left is removed", "a*V bV cl dV", "a b c:leaving d", 3, "remove c"},
		{"who leaves gets no replica", "a*V", "a b:leaving", 3, "none"},
		{"one of three leaves: one voter is left", "aV bV c*V", "a b:leaving c", 3, "demote b"},
		{"a leader hands over before its vote goes", "a*V bV cV dV", "a:leaving b c d", 3, "transfer b"},
		{"all leave: nobody is moved", "a*V bV cV", "a:leaving b:leaving c:leaving", 3, "none"},
		{"who drains keeps its vote", "a*V bV cV dl", "a b c:draining d", 3, "promote d"},
		{"who drains gets no new one", "a*V bV eV dl", "a b c:draining d e", 3, "add learner c"},
		{"an unknown server is silent, not dead", "a*V bV zV", "a b", 3, "none"},
		{"a dead one that lost its vote counts no more", "b*V cl", "b c:dead", 3, "none"},
	} {
		t.Run(c.why, func(t *testing.T) {
			got := "none"
			if ch, ok := Next(readShard(t, c.shard), readMembers(t, c.members), c.want); ok {
				got = ch.Kind.String() + " " + ch.ServerID
			}
			if got != c.step && !strings.HasPrefix(got, c.step+" ") {
				t.Errorf("next step for %q with %q is %q, want %q", c.shard, c.members, got, c.step)
			}
		})
	}
}

func TestRanks(t *testing.T) {
	names := []string{"a", "b", "c", "d", "e"}
	var rs []ranked
	for _, n := range names {
		rs = append(rs, ranked{n, rank(0, n)})
	}
	byRank(rs)
	var order strings.Builder
	for _, r := range rs {
		order.WriteString(r.name)
	}
	// Nodes of different versions must agree, so this never changes.
	if order.String() != "ecdba" {
		t.Errorf("the ranks of shard 0 are %s", order.String())
	}
}

func TestVotesAreSpread(t *testing.T) {
	names := []string{"n1", "n2", "n3", "n4", "n5"}
	votes := map[string]int{}
	for shard := range 64 {
		var rs []ranked
		for _, n := range names {
			rs = append(rs, ranked{n, rank(shard, n)})
		}
		byRank(rs)
		for _, r := range rs[:3] {
			votes[r.name]++
		}
	}
	for _, n := range names { // 64*3/5 = 38.4
		if votes[n] < 28 || votes[n] > 48 {
			t.Errorf("%s has %d of 192 votes", n, votes[n])
		}
	}
}
