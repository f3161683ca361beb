package account

import (
	"crypto/sha256"
	"slices"

	"pgregory.net/rapid"
)

func (m *model) event(c *Command) Result {
	var e *Event
	for i := range m.events {
		if m.events[i].ID == c.Event && c.Op != OpEventPut || m.events[i].Slug == c.Slug && c.Op == OpEventPut {
			e = &m.events[i]
		}
	}
	if e == nil && c.Op != OpEventPut {
		return refused(RefusedUnknown)
	}
	if r := m.may(c.Actor, RoleOperator); r != Done {
		return refused(r)
	}
	if e == nil {
		return m.newEvent(c)
	}
	r := Result{Event: e.ID, Shard: e.Shard}
	if c.Op == OpMintFans {
		return m.mint(c, e)
	}
	back := c.State < e.State && (e.State != EventListed || c.State != EventDraft)
	if back || c.Op == OpEventPut && (c.Rehearsal != e.Rehearsal || c.Pinned && int(c.Shard) != e.Shard) {
		r.Refusal = RefusedState
		return r
	}
	e.State, e.Changed = c.State, m.at
	if c.Op == OpEventPut {
		e.Name, e.Summary = c.Name, c.Summary
	}
	m.audits++
	return r
}

func (m *model) newEvent(c *Command) Result {
	e := Event{
		ID: EventID(len(m.events) + 1), Slug: c.Slug, Name: c.Name, Summary: c.Summary, State: c.State,
		Rehearsal: c.Rehearsal, Shard: int(c.Shard), Created: m.at, Changed: m.at,
	}
	if c.Pinned && c.Shard > 3 {
		return refused(RefusedInvalid)
	}
	if !c.Pinned {
		load := map[int]int{}
		for _, o := range m.events {
			if o.State == EventDraft || o.State == EventListed {
				load[o.Shard]++
			}
		}
		e.Shard = slices.MinFunc([]int{1, 2, 3}, func(a, b int) int { return load[a] - load[b] })
	}
	m.events = append(m.events, e)
	m.audits++
	return Result{Event: e.ID, Shard: e.Shard}
}

func (m *model) mint(c *Command, e *Event) Result {
	switch {
	case !e.Rehearsal:
		return refused(RefusedNotRehearsal)
	case e.State >= EventClosed:
		return refused(RefusedState)
	case c.Expires <= m.at:
		return refused(RefusedExpired)
	case c.Expires-m.at > MaxSessionLife:
		return refused(RefusedInvalid)
	}
	r := Result{Account: ID(len(m.accounts) + 1), Event: e.ID, Shard: e.Shard, Number: uint64(e.Fans) + 1}
	var fresh []modelSession
	for i := range c.Count {
		token := FanToken(c.Seed, i)
		hash := sha256.Sum256(token[:])
		if slices.ContainsFunc(m.sessions, func(s modelSession) bool { return s.token == hash }) {
			return refused(RefusedTokenTaken)
		}
		fresh = append(fresh, modelSession{Session{r.Account + ID(i), m.at, c.Expires}, hash})
	}
	for range c.Count {
		e.Fans++
		id := ID(len(m.accounts) + 1)
		m.accounts = append(m.accounts, Account{
			ID: id, Email: FanEmail(e.ID, uint64(e.Fans)), Name: fanName(uint64(e.Fans)), Lang: c.Lang, Virtual: true,
			Event: e.ID, Created: m.at, Changed: m.at,
		})
	}
	m.sessions = append(m.sessions, fresh...)
	e.Changed = m.at
	m.audits++
	return r
}

func allOps() []Op {
	var ops []Op
	for op := OpTick; op <= OpEpoch; op++ {
		ops = append(ops, op)
	}
	return append(ops, OpSessionOpen, OpSessionOpen, OpMintFans)
}

// anyCommand draws commands from small pools, so that they meet one another; some are malformed.
func anyCommand(s *State, at int64) *rapid.Generator[Command] {
	return rapid.Custom(func(t *rapid.T) Command {
		n := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
		pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
		id := func(name string) ID { return ID(n(name, min(s.Accounts(), 12)+1)) }
		c := Command{Op: rapid.SampledFrom(allOps()).Draw(t, "op")}
		if n("known", 4) == 0 {
			c.Key = Key{1: byte(n("key", 6) + 1)}
		}
		switch pick("actor", "house", "owner", "any") {
		case "owner":
			c.Actor = 1
		case "any":
			c.Actor = id("actor")
		}
		expires := func() int64 {
			return at + rapid.SampledFrom([]int64{90_000, day, 1000, 1, 0, -1, MaxSessionLife + day}).Draw(t, "expires")
		}
		switch c.Op {
		case OpCreate:
			c.Email = pick("email", "a@x.org", "b@x.org", "c@x.org", "d@x.org", "e@x.org", "B@x.org", "fan-1-1@rehearsal.invalid", "@")
			c.Name, c.Hash = pick("name", "Ana", "Bia Souza", ""), testHash[:n("cut", 1)*3+60]
			c.Lang, c.Role = pick("lang", "en", "es", "pt-BR", "xx"), Role(n("role", 5))
		case OpSessionOpen:
			c.Account, c.TokenHash, c.Expires = id("account"), token(n("token", 40)), expires()
		case OpSessionRevoke:
			c.TokenHash = token(n("token", 40))
		case OpSessionRevokeAll, OpDisable, OpEnable, OpErase:
			c.Account = id("account")
			if c.Op == OpSessionRevokeAll && n("keep", 1) == 1 {
				c.TokenHash = token(n("token", 40))
			}
		case OpPasswordSet:
			c.Account, c.Hash, c.TokenHash = id("account"), testHash[:50+n("cut", 30)], token(n("token", 40))
		case OpLangSet:
			c.Account, c.Lang = id("account"), pick("lang", "en", "es", "pt-BR", "EN")
		case OpRoleSet:
			c.Account, c.Role = id("account"), Role(n("role", 5))
		case OpEventPut, OpEventState:
			c.Slug, c.Name = pick("slug", "one", "two", "ensaio", "show", "Four"), pick("name", "One", "Two")
			c.State, c.Rehearsal = EventState(n("state", 4)), n("rehearsal", 1) == 1
			c.Event = EventID(n("event", 4))
			c.Summary = []byte(pick("summary", "x", "yy"))
			if c.Pinned = n("pinned", 3) == 0; c.Pinned {
				c.Shard = uint16(n("shard", 4))
			}
		case OpMintFans:
			c.Event, c.Count, c.Expires, c.Lang = EventID(n("event", 4)), rapid.SampledFrom([]uint32{1, 2, 3, 30, 0, MaxMint + 1}).Draw(t, "count"), expires(), "en"
			c.Seed = token(n("seed", 6))
		case OpAudit:
			c.Action, c.Target, c.Reason = pick("action", "sale.pause", "Sale", ""), "event/1", pick("reason", "rain", "a\nb")
		case OpKeyPut:
			c.Slug, c.Public = pick("slug", "k-1", "k-2"), []byte(pick("public", "abc", "abd"))
		case OpEpoch:
			c.Count = rapid.SampledFrom([]uint32{1, 0, 2, 3, 62, MaxEpoch, MaxEpoch + 1, 1 << 31}).Draw(t, "epoch")
		}
		return c
	})
}
