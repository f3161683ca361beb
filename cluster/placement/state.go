package placement

import "slices"

// Server is one replica in the configuration of a shard.
type Server struct {
	ID       string // what the consensus calls it: a member's name with its incarnation
	Name     string // the member it belongs to
	Vote     bool
	CaughtUp bool // it has nearly everything the leader has; false when that is not known
}

// Shard is one group of replicas, as its leader sees it.
type Shard struct {
	ID      int
	Servers []Server
	Leader  string // Server.ID, empty when nobody leads
}

// Member is one node of the cluster. A member that is neither Alive nor Dead has been silent for a while, but not for
// so long that its votes should go to another.
type Member struct {
	Name     string
	ServerID string // of its present incarnation; servers of its name with another id are old ones
	Gateway  bool   // never a voter
	Alive    bool   // heard of lately
	Dead     bool   // silent for so long that it should be replaced
	Draining bool   // about to stop for a while: keeps its votes, leads nothing
	Leaving  bool   // goes for good
}

// live says whether the member can answer.
func (m *Member) live() bool { return m.Alive && !m.Dead }

// replica is a server with what is known of its member.
type replica struct {
	Server

	member  Member // of the present incarnation; for an unknown name silent, but not dead
	present bool   // the server is the member's present incarnation
}

func (r *replica) live() bool { return r.present && r.member.live() }

// join finds the member of every server.
func join(s Shard, ms []Member) []replica {
	out := make([]replica, 0, len(s.Servers))
	for _, v := range s.Servers {
		m, ok := find(ms, v.Name)
		if !ok {
			m = Member{Name: v.Name, ServerID: v.ID}
		}
		out = append(out, replica{Server: v, member: m, present: m.ServerID == v.ID})
	}
	return out
}

func find(ms []Member, name string) (Member, bool) {
	i := slices.IndexFunc(ms, func(m Member) bool { return m.Name == name })
	if i < 0 {
		return Member{}, false
	}
	return ms[i], true
}

// voters counts those that vote, and those of them that are alive.
func voters(rs []replica) (all, live int) {
	for i := range rs {
		if rs[i].Vote {
			all++
			if rs[i].live() {
				live++
			}
		}
	}
	return all, live
}

func majority(voters int) int { return voters/2 + 1 }
