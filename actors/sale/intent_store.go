package sale

import "github.com/catraca/catraca/actors/sale/slab"

// intentStore keeps the open intents in the order of their ids; closed ones are forgotten.
type intentStore struct {
	slots       slab.Slab[intentSlot]
	free        []uint32
	at          lookup // id -> slot
	first, last uint32 // slot + 1
	next        uint64 // id of the next intent
}

// intentSlot is an open intent. Its Ref and Method are those of the payment, filled in when read.
type intentSlot struct {
	Intent

	payment    uint32 // record + 1, 0 for mails
	prev, more uint32 // slot + 1 of the neighbours by id
}

// get finds an open intent, or nil. It is only to be read, and before the next change of the intent.
func (t *intentStore) get(id uint64) *intentSlot {
	slot, ok := t.at.get(id)
	if !ok {
		return nil
	}
	return t.slots.Read(int(slot))
}

// mut finds an open intent to be written, or nil. The pointer is good until the next intent is opened.
func (t *intentStore) mut(id uint64) *intentSlot {
	slot, ok := t.at.get(id)
	if !ok {
		return nil
	}
	return t.slots.Mut(int(slot))
}

// add appends an intent, whose id must be larger than all before.
func (t *intentStore) add(x intentSlot) {
	var slot uint32
	if n := len(t.free); n > 0 {
		slot = t.free[n-1]
		t.free = t.free[:n-1]
	} else {
		slot = uint32(t.slots.Append(intentSlot{}))
	}
	x.prev, x.more = t.last, 0
	*t.slots.Mut(int(slot)) = x
	if t.last != 0 {
		t.slots.Mut(int(t.last - 1)).more = slot + 1
	} else {
		t.first = slot + 1
	}
	t.last = slot + 1
	t.at.put(x.ID, slot)
}

func (t *intentStore) remove(id uint64) {
	slot, ok := t.at.get(id)
	if !ok {
		return
	}
	x := t.slots.Mut(int(slot))
	if x.prev != 0 {
		t.slots.Mut(int(x.prev - 1)).more = x.more
	} else {
		t.first = x.more
	}
	if x.more != 0 {
		t.slots.Mut(int(x.more - 1)).prev = x.prev
	} else {
		t.last = x.prev
	}
	*x = intentSlot{}
	t.free = append(t.free, slot)
	t.at.remove(id)
}

// openIntent records a side effect that has to happen. record is the payment's record + 1, 0 for mails.
func (s *State) openIntent(kind IntentKind, id OrderID, record uint32, amount, due int64, reason string) uint64 {
	x := intentSlot{payment: record}
	x.Intent = Intent{ID: s.intents.next, Kind: kind, Order: id, Amount: amount, Due: due, Reason: clip(reason, maxText)}
	if record != 0 {
		x.Attempt = s.payment(record).attempt
	}
	s.intents.next++
	s.intents.add(x)
	s.intentChanged(&x)
	return x.ID
}

func (s *State) intentChanged(x *intentSlot) {
	c := s.change()
	c.Kind, c.Account, c.Order, c.Intent, c.At = ChangeIntent, s.orderOf(x.Order).account, x.Order, x.ID, x.Due
}

// closeIntent forgets an intent and clears the field that named it.
func (s *State) closeIntent(field *uint64) {
	x := s.intents.get(*field)
	if x == nil {
		return
	}
	*field = 0
	c := s.change()
	c.Kind, c.Account, c.Order, c.Intent = ChangeIntent, s.orderOf(x.Order).account, x.Order, x.ID
	s.intents.remove(x.ID)
}

// rearm sets when the intent is to run next.
func (s *State) rearm(id uint64, due int64) {
	if x := s.intents.get(id); x != nil && x.Due != due {
		x = s.intents.mut(id)
		x.Due = due
		s.intentChanged(x)
	}
}

// intentDone closes what answers by being done: a mail, or a void.
func (s *State) intentDone(c *Command) Result {
	x := s.intents.get(c.Intent)
	if x == nil {
		return refuse(RefusedUnknown)
	}
	id := x.Order
	switch x.Kind {
	case IntentMail:
		s.mutOrder(id).mailed = true
		s.closeIntent(&s.mutOrder(id).mail)
		s.orderChanged(id)
	case IntentMailRefund:
		done := x.ID
		s.closeIntent(&done)
	case IntentVoid:
		s.voided(id, x.payment)
	default:
		return Result{Refusal: RefusedInvalid, Order: id}
	}
	return Result{Order: id}
}

// intentFailed puts an intent off until At, or gives it up when At is 0.
func (s *State) intentFailed(c *Command) Result {
	x := s.intents.get(c.Intent)
	if x == nil {
		return refuse(RefusedUnknown)
	}
	if c.At < 0 || len(c.Text) > maxText {
		return refuse(RefusedInvalid)
	}
	x = s.intents.mut(c.Intent)
	x.Reason = c.Text
	if x.Tries < 1<<16-1 {
		x.Tries++
	}
	id := x.Order
	if c.At > 0 {
		due := max(c.At, s.clock)
		if x.Kind == IntentPayQuery && s.orderOf(id).settling {
			due = min(due, s.clock+settlePause)
		}
		x.Due = due
		s.intentChanged(x)
		return Result{Order: id, At: due}
	}
	s.giveUp(x)
	return Result{Order: id}
}

// giveUp decides what follows from a side effect that could not be had.
func (s *State) giveUp(x *intentSlot) {
	id, record, reason := x.Order, x.payment, x.Reason
	switch x.Kind {
	case IntentMail:
		s.closeIntent(&s.mutOrder(id).mail)
		s.needsPerson(id, "tickets not mailed: "+reason)
	case IntentMailRefund:
		done := x.ID
		s.closeIntent(&done)
		s.needsPerson(id, "refund not mailed: "+reason)
	case IntentPayStart:
		s.startGivenUp(id, record)
	case IntentPayQuery:
		s.mutPayment(record).hints = 0
		s.askAgain(id, record, true)
	case IntentCapture:
		s.captureGivenUp(id, record, reason)
	case IntentVoid:
		s.voidGivenUp(id, record, reason)
	case IntentRefund:
		// It may have been made all the same: only asking again under the same id cannot pay twice.
		s.rearm(x.ID, s.clock+hour)
		s.needsPerson(id, "refund not confirmed: "+reason)
	}
}
