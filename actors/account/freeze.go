package account

// Frozen is a state as it was; it changes no more.
type Frozen struct{ bytes []byte }

// Freeze returns the state as it is now.
func (s *State) Freeze() *Frozen { return &Frozen{s.AppendSnapshot(nil)} }

// AppendSnapshot appends what [State.AppendSnapshot] would have at the freeze.
func (f *Frozen) AppendSnapshot(b []byte) []byte { return append(b, f.bytes...) }
