package account

import "slices"

// Event as read by the outside. Summary is shared with the machine: read it only.
type Event struct {
	ID        EventID
	Slug      string
	Name      string
	Summary   []byte // opaque here
	State     EventState
	Rehearsal bool
	Shard     int    // where its sale lives
	Fans      uint32 // virtual fans made for it
	Created   int64  // unix milliseconds
	Changed   int64
}

// Event reads one.
func (s *State) Event(id EventID) (Event, bool) {
	if id == 0 || int(id) > len(s.events) {
		return Event{}, false
	}
	e := &s.events[id-1]
	return Event{
		ID: id, Slug: e.slug, Name: e.name, Summary: e.summary, State: e.state, Rehearsal: e.rehearsal,
		Shard: int(e.shard), Fans: e.fans, Created: e.created, Changed: e.changed,
	}, true
}

// EventBySlug finds an event by its slug.
func (s *State) EventBySlug(slug string) (Event, bool) {
	return s.Event(EventID(s.bySlug(slug)))
}

// Events lists the whole catalogue by id.
func (s *State) Events() []Event {
	all := make([]Event, len(s.events))
	for i := range all {
		all[i], _ = s.Event(EventID(i + 1))
	}
	return all
}

func (s *State) bySlug(slug string) uint32 {
	if len(slug) > MaxSlug {
		return 0
	}
	return s.slugs.find(hashText(slug), func(n uint32) bool { return s.events[n-1].slug == slug })
}

func (s *State) putEvent(c *Command) Result {
	if r := s.may(c.Actor, RoleOperator); r != Done {
		return refused(r)
	}
	if n := s.bySlug(c.Slug); n != 0 {
		return s.updateEvent(c, EventID(n))
	}
	shard, ok := s.chooseShard(c)
	if !ok {
		return refused(RefusedInvalid)
	}
	if len(s.events) >= MaxEvents {
		return refused(RefusedFull)
	}
	s.events = append(s.events, event{
		slug: c.Slug, name: c.Name, summary: append([]byte(nil), c.Summary...), state: c.State,
		rehearsal: c.Rehearsal, shard: shard, created: s.at, changed: s.at,
	})
	id := EventID(len(s.events))
	s.slugs.insert(hashText(c.Slug), uint32(id))
	s.changes = append(s.changes, Change{Kind: ChangeEvent, Event: id})
	s.book(c, "event.create", id.String(), [32]byte{}, s.digestEvent(id))
	return Result{Event: id, Shard: int(shard)}
}

// updateEvent never moves an event to another shard, where its sale is not, and never turns a rehearsal into a
// real sale or back: virtual fans would come along.
func (s *State) updateEvent(c *Command, id EventID) Result {
	e := &s.events[id-1]
	if c.Pinned && c.Shard != e.shard || c.Rehearsal != e.rehearsal || !mayFollow(e.state, c.State) {
		return Result{Refusal: RefusedState, Event: id, Shard: int(e.shard)}
	}
	before := s.digestEvent(id)
	e = s.editEvent(id)
	e.name, e.state, e.changed = c.Name, c.State, s.at
	e.summary = append([]byte(nil), c.Summary...) // a new slice: readers hold the old one
	s.changes = append(s.changes, Change{Kind: ChangeEvent, Event: id})
	s.book(c, "event.update", id.String(), before, s.digestEvent(id))
	return Result{Event: id, Shard: int(e.shard)}
}

func (s *State) setEventState(c *Command) Result {
	if c.Event == 0 || int(c.Event) > len(s.events) {
		return refused(RefusedUnknown)
	}
	if r := s.may(c.Actor, RoleOperator); r != Done {
		return refused(r)
	}
	e := &s.events[c.Event-1]
	if !mayFollow(e.state, c.State) {
		return Result{Refusal: RefusedState, Event: c.Event, Shard: int(e.shard)}
	}
	before := s.digestEvent(c.Event)
	e = s.editEvent(c.Event)
	e.state, e.changed = c.State, s.at
	s.changes = append(s.changes, Change{Kind: ChangeEvent, Event: c.Event})
	s.book(c, "event.state", c.Event.String(), before, s.digestEvent(c.Event))
	return Result{Event: c.Event, Shard: int(e.shard)}
}

// editEvent returns an event to write to until the next freeze.
func (s *State) editEvent(id EventID) *event {
	if s.eventsShared {
		s.events, s.eventsShared = slices.Clone(s.events), false
	}
	return &s.events[id-1]
}

// mayFollow: forward, staying, or a listed event taken back to draft.
func mayFollow(from, to EventState) bool {
	return to >= from || from == EventListed && to == EventDraft
}

// chooseShard takes the pinned shard, or the one with the fewest events that are not over, lowest number first.
// Shard 0 has the accounts and gets events only when it is the only one or is asked for.
func (s *State) chooseShard(c *Command) (uint16, bool) {
	if c.Pinned {
		return c.Shard, int(c.Shard) < s.shards
	}
	if s.shards == 1 {
		return 0, true
	}
	var load [MaxShards]uint32
	for i := range s.events {
		if e := &s.events[i]; e.state < EventClosed {
			load[e.shard]++
		}
	}
	best := 1
	for i := 2; i < s.shards; i++ {
		if load[i] < load[best] {
			best = i
		}
	}
	return uint16(best), true
}
