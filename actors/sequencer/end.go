package sequencer

// die stops the process: the state can no longer be trusted, and nobody is told that anything succeeded. Only where
// Fatal returns, in tests, those who wait are told that nobody knows.
func (a *owner[M, R]) die(err error) {
	a.markDead()
	a.fatal(err)
	a.leader = false
	a.abandon(ErrStopped)
}

// end stops the machine in an orderly way.
func (a *owner[M, R]) end() {
	a.step(ErrStopped)
	a.markDead()
	a.refuseAll(ErrStopped)
}

// markDead lets nothing more in: whoever waits for the actor may give up, and its proposer ends.
func (a *owner[M, R]) markDead() {
	if a.dead {
		return
	}
	a.dead = true
	a.clock.stop()
	a.check.clock.stop()
	a.patient.stop()
	a.h.leading.Store(false)
	a.h.term.Store(0)
	close(a.propose)
	close(a.h.dead)
	a.h.in.close()
	a.h.applied.stop()
}

// bury answers what still arrives at a dead actor, so that nobody waits for ever.
func (a *owner[M, R]) bury(msg any) {
	switch msg := msg.(type) {
	case wake:
		a.refuseAll(ErrStopped)
	case *reading[M]:
		if !msg.free {
			a.h.in.leave(1)
		}
	case *install[M]:
		close(msg.done)
	case *snapshot:
		close(msg.reply)
	}
}
