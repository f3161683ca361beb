package placement

import (
	"cmp"
	"slices"
)

// Kind of a change.
type Kind int

// The kinds of a change.
const (
	AddLearner Kind = iota + 1 // a new replica without a vote
	Promote                    // a replica without a vote gets one
	Demote                     // a voter becomes a replica without a vote
	Remove                     // a replica, voting or not, is one no more
	Transfer                   // lead no more: hand the shard to this voter, because the leader's own vote is to go
)

// String implements fmt.Stringer.
func (k Kind) String() string {
	switch k {
	case AddLearner:
		return "add learner"
	case Promote:
		return "promote"
	case Demote:
		return "demote"
	case Remove:
		return "remove"
	case Transfer:
		return "transfer"
	default:
		return "none"
	}
}

// Change is one step.
type Change struct {
	Kind     Kind
	ServerID string // whom it is about; for AddLearner a Member.ServerID that is not in the shard yet
}

// Next is the next step for a shard that should have want voters, false when there is nothing to do or nothing that
// can be done now. Only the shard's leader should carry it out, and must look again afterwards: a step is right for
// the state it was decided on. An even number of voters exists only between two steps.
func Next(s Shard, ms []Member, want int) (Change, bool) {
	rs := join(s, ms)
	all, live := voters(rs)
	if live < majority(all) {
		return Change{}, false // nothing could be committed
	}
	if id, ok := newcomer(rs, ms); ok {
		return Change{AddLearner, id}, true
	}
	p := plan{leader: s.Leader, rs: rs, all: all, live: live}
	p.aim(s.ID, ms, want)
	if c, ok := p.vote(); ok {
		return c, true
	}
	if id, ok := leftover(rs); ok {
		return Change{Remove, id}, true
	}
	return Change{}, false
}

// newcomer is a live member without a replica.
func newcomer(rs []replica, ms []Member) (id string, ok bool) {
	for _, m := range ms {
		if m.live() && !m.Leaving && !slices.ContainsFunc(rs, func(r replica) bool { return r.ID == m.ServerID }) {
			return m.ServerID, true
		}
	}
	return "", false
}

// leftover is a replica without a vote that nobody needs: of a member that leaves, or an old incarnation whose
// successor is here.
func leftover(rs []replica) (id string, ok bool) {
	for i := range rs {
		r := &rs[i]
		if r.Vote {
			continue
		}
		if r.member.Leaving || !r.present && slices.ContainsFunc(rs, func(o replica) bool { return o.ID == r.member.ServerID }) {
			return r.ID, true
		}
	}
	return "", false
}

// plan compares the voters of a shard with who should vote.
type plan struct {
	leader    string
	rs        []replica
	all, live int

	size    int        // how many should vote; odd
	missing []*replica // those that should vote, do not, and could now; best first
	extra   []*replica // those that vote and should not; worst first
}

// aim fills in who should vote: the highest ranks among those that can. Dead voters have no say in a shard that has
// three others; below that they are not given up without a replacement.
func (p *plan) aim(shard int, ms []Member, want int) {
	var usable, lost []ranked
	for _, m := range everybody(p.rs, ms) {
		if m.Gateway || m.Leaving {
			continue
		}
		r := ranked{m.Name, rank(shard, m.Name)}
		if !m.Dead {
			usable = append(usable, r)
		} else if p.votes(m.ServerID) {
			lost = append(lost, r)
		}
	}
	byRank(usable)
	byRank(lost)
	p.size = odd(min(want, len(usable)))
	if p.size < 3 {
		p.size = odd(min(want, 3, len(usable)+len(lost)))
	}
	if p.size == 1 {
		p.stay(usable)
	}
	chosen := append(usable, lost...)[:p.size]
	if p.size == 0 {
		return // nobody may vote: leave what there is
	}
	for i := range p.rs {
		r := &p.rs[i]
		at := slices.IndexFunc(chosen, func(c ranked) bool { return r.present && c.name == r.Name })
		switch {
		case at < 0 && r.Vote:
			p.extra = append(p.extra, r)
		case at >= 0 && !r.Vote && r.live() && r.CaughtUp && !r.member.Draining:
			p.missing = append(p.missing, r)
		}
	}
	slices.SortFunc(p.missing, func(a, b *replica) int { return higher(shard, a.Name, b.Name) })
	slices.SortFunc(p.extra, func(a, b *replica) int {
		return cmp.Or(cmp.Compare(worth(a), worth(b)), -higher(shard, a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

// stay puts a live member that votes already first: where there is one voter only, moving its vote gains nothing.
func (p *plan) stay(usable []ranked) {
	for i, u := range usable {
		if slices.ContainsFunc(p.rs, func(r replica) bool { return r.Vote && r.live() && r.Name == u.name }) {
			usable[0], usable[i] = usable[i], usable[0]
			return
		}
	}
}

// worth orders voters that should go: the dead first, then the silent, then those that leave.
func worth(r *replica) int {
	switch {
	case !r.present || r.member.Dead:
		return 0
	case !r.live():
		return 1
	case r.member.Leaving:
		return 2
	default:
		return 3
	}
}

func (p *plan) votes(id string) bool {
	return slices.ContainsFunc(p.rs, func(r replica) bool { return r.Vote && r.ID == id })
}

// everybody is the members that can be seen or have a replica.
func everybody(rs []replica, ms []Member) []Member {
	var out []Member
	for _, m := range ms {
		if m.live() || slices.ContainsFunc(rs, func(r replica) bool { return r.Name == m.Name }) {
			out = append(out, m)
		}
	}
	for i := range rs {
		if !slices.ContainsFunc(out, func(m Member) bool { return m.Name == rs[i].Name }) {
			out = append(out, rs[i].member)
		}
	}
	return out
}

// vote is the next change of who votes. Each brings the voters one nearer to those that should: that is why it ends.
func (p *plan) vote() (Change, bool) {
	even := p.all%2 == 0
	if p.all > p.size || even {
		if c, ok := p.demote(false); ok {
			return c, true
		}
	}
	if p.all > p.size {
		return p.demote(true)
	}
	if n := len(p.missing); n > 0 && (even || n > 1 && p.all < p.size || len(p.extra) > 0) {
		if p.live+1 >= majority(p.all+1) {
			return Change{Promote, p.missing[0].ID}, true
		}
	}
	if even {
		return p.demote(true)
	}
	return Change{}, false
}

// demote takes the vote of the first that can be spared, of those that are alive only when alive is set.
func (p *plan) demote(alive bool) (Change, bool) {
	for _, r := range p.extra {
		if r.live() && !alive {
			continue
		}
		left := p.live
		if r.live() {
			left--
		}
		if left < majority(p.all-1) {
			continue
		}
		if r.ID == p.leader {
			if to, ok := p.heir(r); ok {
				return Change{Transfer, to}, true
			}
			continue
		}
		if !r.present {
			return Change{Remove, r.ID}, true
		}
		return Change{Demote, r.ID}, true
	}
	return Change{}, false
}

// heir is the voter that should lead instead of one whose vote is to go: best one that stays.
func (p *plan) heir(of *replica) (id string, ok bool) {
	best := -1
	for i := range p.rs {
		r := &p.rs[i]
		if r.ID == of.ID || !r.Vote || !r.live() || !r.CaughtUp {
			continue
		}
		score := 0
		if !slices.Contains(p.extra, r) {
			score += 2
		}
		if !r.member.Draining {
			score++
		}
		if score > best {
			id, best = r.ID, score
		}
	}
	return id, best >= 0
}

// odd is the largest odd number up to n, 0 for none.
func odd(n int) int {
	if n <= 0 {
		return 0
	}
	return n - 1 + n%2
}
