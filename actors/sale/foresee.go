package sale

// Foresee fetches what the next commands are about to touch: the cells of their keys and accounts, and their seats. It
// changes nothing. What a sale knows is larger than the caches of a processor, and a command that waits for one thing
// after the other is mostly waiting; when some dozens are foreseen before the first of them is done, and one kind of
// thing after the other, their waits run side by side. (The pipeline of Kocberber and others, "Asynchronous memory access
// chaining", 2015, in its plainest form.)
func (s *State) Foresee(cmds []Command) {
	seen := uint64(0)
	for i := range cmds {
		if keys := s.keysOf(&cmds[i]); keys != nil {
			seen ^= keys.foresee(cmds[i].Key.hash())
		}
	}
	for i := range cmds {
		seen ^= s.line.Foresee(uint64(cmds[i].Account))
	}
	for i := range cmds {
		if len(cmds[i].Lines) > 0 {
			seen ^= s.accountAt.foresee(uint64(cmds[i].Account))
		}
	}
	for i := range cmds {
		for _, l := range cmds[i].Lines {
			seen ^= s.inventory.Foresee(l.Unit)
		}
	}
	s.seen ^= seen // so that no compiler leaves the reading out
}
