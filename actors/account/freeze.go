package account

import "slices"

// Frozen is a state as it was at a [State.Freeze]; it changes no more. One goroutine may read it beside the machine.
type Frozen struct {
	s        State // without what is derived
	sessions int
}

// Freeze returns the state as it is now, in a time that hardly depends on its size: records are shared, and the
// machine copies those it writes to later, a chunk at a time. What is erased is wiped from the machine at once, and
// from a frozen state when that is let go.
func (s *State) Freeze() *Frozen {
	f := &Frozen{sessions: len(s.expiry)}
	f.s = State{
		shards: s.shards, index: s.index, at: s.at, swept: s.swept, epoch: s.epoch,
		accounts: s.accounts.freeze(), texts: s.texts.freeze(), sessions: s.sessions.freeze(),
		// Only appended to, or copied before anything else is done to them.
		events: slices.Clip(s.events),
		keys:   slices.Clip(s.keys),
		audit:  slices.Clip(s.audit),

		auditBase: s.auditBase, auditCount: s.auditCount, done: s.done.freeze(),
	}
	s.eventsShared = true
	return f
}

// AppendSnapshot appends the bytes that [State.AppendSnapshot] would have appended at the freeze.
func (f *Frozen) AppendSnapshot(b []byte) []byte { return f.s.appendSnapshot(b, f.sessions) }

// EachPart hands over the same bytes in pieces of about 64 KiB, each valid during the call, and ends with the first
// error of fn.
func (f *Frozen) EachPart(fn func(piece []byte) error) error {
	w := writer{flush: fn}
	f.s.write(&w)
	return w.end()
}
