package sale

// Bounds of texts, in bytes.
const (
	maxText     = 512
	maxURL      = 2048
	maxLang     = 35 // the longest useful BCP 47 tag
	maxCurrency = 8
)

// phaseByTime moves the phase where the clock says so. What an organiser did by hand is never taken back: time only
// moves it on.
func (s *State) phaseByTime() {
	next := s.phase
	switch {
	case s.clock >= s.cfg.ClosesAt:
		next = PhaseClosed
	case next <= PhaseLobby && s.clock >= s.cfg.OpensAt:
		next = PhaseOpen
	case next == PhaseScheduled && s.clock >= s.cfg.LobbyAt:
		next = PhaseLobby
	}
	s.enterPhase(next)
}

func (s *State) enterPhase(next Phase) {
	if next == s.phase {
		return
	}
	if next != PhasePaused {
		s.pauseReason = ""
	}
	s.phase = next
	s.phaseChanged()
}

func (s *State) phaseChanged() { s.change().Kind = ChangePhase }

// movePhase is an organiser's hand on the sale. A closed sale stays closed.
func (s *State) movePhase(c *Command) Result {
	if len(c.Text) > maxText {
		return refuse(RefusedInvalid)
	}
	if s.phase == PhaseClosed {
		return refuse(RefusedClosed)
	}
	from, to := s.phase, PhaseClosed
	switch {
	case c.Op == OpOpen && from <= PhaseLobby, c.Op == OpResume && from == PhasePaused:
		to = PhaseOpen
	case c.Op == OpPause && from == PhaseOpen:
		to = PhasePaused
	case c.Op == OpClose:
	default:
		return refuse(RefusedState)
	}
	s.enterPhase(to)
	if to == PhasePaused {
		s.pauseReason = c.Text
	}
	return Result{}
}

// setRate changes the pace of admission; a zero leaves its part as it is.
func (s *State) setRate(c *Command) Result {
	p := s.line.Policy()
	if c.Amount != 0 {
		p.RatePerMinute = uint32(min(max(c.Amount, 0), 1<<32-1))
	}
	if c.Limit != 0 {
		p.ActiveCap = uint32(min(max(c.Limit, 0), 1<<32-1))
	}
	if p.RatePerMinute == 0 || p.ActiveCap == 0 || p.Validate() != nil {
		return refuse(RefusedInvalid)
	}
	s.line.SetRate(p.RatePerMinute, p.ActiveCap, s.clock)
	s.phaseChanged()
	return Result{Amount: int64(p.RatePerMinute), Number: p.ActiveCap}
}

// setMessage shows a text to everyone in the queue; an empty one takes it away.
func (s *State) setMessage(c *Command) Result {
	if len(c.Text) > maxText {
		return refuse(RefusedInvalid)
	}
	if s.message != c.Text {
		s.message = c.Text
		s.phaseChanged()
	}
	return Result{}
}
