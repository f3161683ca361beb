package sandbox

import (
	"errors"
	"slices"
)

// load replays the state file and rewrites it without what is outdated. Before New returns, so without the lock.
func (s *Server) load() error {
	if s.o.StateFile == "" {
		if s.seed == 0 {
			s.seed = drawSeed()
		}
		return nil
	}
	j, err := openJournal(s.o.StateFile, s.take)
	if err != nil {
		return err
	}
	if s.seed == 0 {
		s.seed = drawSeed()
	}
	s.journal = j
	return s.rewrite()
}

// take applies one entry of the state file or of a committed transaction. The caller holds the lock.
func (s *Server) take(e *entry) error {
	if e.Seed != 0 {
		s.seed = e.Seed // ids must go on as they began
	}
	s.sequence = max(s.sequence, e.Sequence)
	for _, in := range e.Intents {
		if in == nil || in.ID == "" {
			return errors.New("intents: an entry has no id")
		}
		if s.intents[in.ID] == nil {
			s.ordered = append(s.ordered, in.ID)
		}
		s.intents[in.ID] = in
		if in.Charge != "" {
			s.charges[in.Charge] = in.ID
		}
	}
	for _, r := range e.Refunds {
		if r == nil || r.ID == "" {
			return errors.New("refunds: an entry has no id")
		}
		if s.refunds[r.ID] == nil {
			s.refundsOf[r.Intent] = append(s.refundsOf[r.Intent], r.ID)
		}
		s.refunds[r.ID] = r
	}
	for _, ev := range e.Events {
		if ev == nil || ev.ID == "" {
			return errors.New("events: an entry has no id")
		}
		s.events = append(s.events, ev)
		s.undone[ev.ID] = true
	}
	for _, id := range e.Settled {
		delete(s.undone, id)
	}
	if e.Answer != nil {
		s.answers[e.Answer.Key] = e.Answer
		s.answerAge = append(s.answerAge, e.Answer)
	}
	s.forget()
	return nil
}

// forget drops what is too old or too much to keep.
func (s *Server) forget() {
	for len(s.events) > maxEvents {
		delete(s.undone, s.events[0].ID)
		s.events[0] = nil
		s.events = s.events[1:]
	}
	horizon := s.o.Now().Add(-answerLife).Unix()
	for len(s.answerAge) > 0 && (s.answerAge[0].At < horizon || len(s.answerAge) > maxAnswers) {
		old := s.answerAge[0]
		if s.answers[old.Key] == old {
			delete(s.answers, old.Key)
		}
		s.answerAge[0] = nil
		s.answerAge = s.answerAge[1:]
	}
}

// rewrite writes the state file anew, shorter. The caller holds the lock.
func (s *Server) rewrite() error {
	err := s.journal.rewrite(func(write func(*entry) error) error {
		if err := write(&entry{Seed: s.seed, Sequence: s.sequence}); err != nil {
			return err
		}
		for _, payment := range s.ordered {
			if err := write(&entry{Intents: []*intent{s.intents[payment]}}); err != nil {
				return err
			}
			for _, id := range s.refundsOf[payment] {
				if err := write(&entry{Refunds: []*refund{s.refunds[id]}}); err != nil {
					return err
				}
			}
		}
		for _, ev := range s.events {
			e := &entry{Events: []*event{ev}}
			if !s.undone[ev.ID] {
				e.Settled = []string{ev.ID}
			}
			if err := write(e); err != nil {
				return err
			}
		}
		for _, a := range s.answerAge {
			if err := write(&entry{Answer: a}); err != nil {
				return err
			}
		}
		return nil
	})
	s.rewriteAt = max(rewriteFloor, 2*s.journal.size)
	return err
}

// resume takes up what the last process left: timers and deliveries.
func (s *Server) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, payment := range s.ordered {
		if in := s.intents[payment]; in.Due != 0 {
			s.due.add(in.Due, in.ID)
		}
		for _, id := range s.refundsOf[payment] {
			if r := s.refunds[id]; r.Due != 0 {
				s.due.add(r.Due, r.ID)
			}
		}
	}
	for _, ev := range s.events {
		if s.undone[ev.ID] {
			s.dispatch(ev)
		}
	}
}

// findEvent looks an event up by its id; nil when it is unknown or forgotten. The caller holds the lock.
func (s *Server) findEvent(id string) *event {
	// A search from the new end: what is asked for is recent.
	for _, ev := range slices.Backward(s.events) {
		if ev.ID == id {
			return ev
		}
	}
	return nil
}
