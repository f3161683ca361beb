package sale

// Frozen is a sale as it was at one moment. It does not change and may be read on any goroutine, while the sale goes on.
type Frozen struct{ bytes []byte }

// Freeze takes the sale as it is now, between two batches.
func (s *State) Freeze() *Frozen { return &Frozen{s.AppendSnapshot(nil)} }

// AppendSnapshot appends what State.AppendSnapshot would have at the moment of Freeze.
func (f *Frozen) AppendSnapshot(dst []byte) []byte { return append(dst, f.bytes...) }
