package sale

import (
	"crypto/sha256"
	"slices"
)

const snapshotVersion = 1

// AppendSnapshot appends the whole state. Equal states give equal bytes, whatever way they came about: slabs whose slots are
// reused are written in the order of ids, and what can be derived is left out.
func (s *State) AppendSnapshot(dst []byte) []byte {
	dst = append(dst, snapshotVersion)
	dst = AppendConfig(dst, &s.cfg)
	dst = appendInt(dst, s.clock)
	dst = appendUint(dst, s.index)
	dst = append(dst, byte(s.phase))
	dst = appendText(appendText(dst, s.message), s.pauseReason)
	dst = appendUint(dst, s.seatVersion)
	dst = s.inventory.AppendBinary(dst)
	dst = s.line.AppendBinary(dst)
	dst = s.appendAccounts(dst)
	dst = s.appendHolds(dst)
	dst = s.appendOrders(dst)
	dst = s.appendPayments(dst)
	dst = s.appendTickets(dst)
	dst = s.appendIntents(dst)
	dst = appendBook(dst, &s.book)
	dst = s.fanKeys.append(dst)
	return s.noticeKeys.append(dst)
}

// Hash of the whole state; replicas that applied the same log have the same one.
func (s *State) Hash() [32]byte { return sha256.Sum256(s.AppendSnapshot(nil)) }

func (s *State) appendAccounts(dst []byte) []byte {
	dst = appendUint(dst, uint32(len(s.accounts)))
	for i := range s.accounts {
		dst = appendUint(appendUint(dst, uint64(s.accounts[i].id)), s.accounts[i].taken)
	}
	return dst
}

func (s *State) appendHolds(dst []byte) []byte {
	live := make([]uint32, 0, len(s.holds))
	for slot := range s.holds {
		if s.holds[slot].id != 0 {
			live = append(live, uint32(slot))
		}
	}
	slices.SortFunc(live, func(a, b uint32) int { return int(int64(s.holds[a].id) - int64(s.holds[b].id)) })
	dst = appendUint(dst, uint32(s.nextHold))
	dst = appendUint(dst, uint32(len(live)))
	for _, slot := range live {
		h := &s.holds[slot]
		dst = appendUint(appendUint(dst, uint32(h.id)), uint64(h.account))
		dst = appendInt(appendInt(appendInt(dst, h.expires), h.cap), h.settleBy)
		dst = appendUint(dst, uint32(h.order))
		dst = appendBool(appendBool(appendBool(dst, h.renewed), h.checkout), h.adjacent)
		dst = appendPriced(dst, s.linesOf(h))
	}
	return dst
}

func appendPriced(dst []byte, lines []OrderLine) []byte {
	dst = appendUint(dst, uint32(len(lines)))
	for _, l := range lines {
		dst = appendUint(appendUint(dst, uint32(l.Unit)), l.Count)
		dst = appendUint(appendUint(dst, uint64(l.Price)), uint64(l.Fee))
	}
	return dst
}

func (s *State) appendOrders(dst []byte) []byte {
	dst = appendUint(dst, uint32(len(s.orders)))
	for i := range s.orders {
		o := &s.orders[i]
		dst = appendUint(appendUint(dst, uint64(o.account)), uint32(o.hold))
		dst = append(dst, byte(o.state), o.attempts)
		for _, at := range [...]int64{o.openedAt, o.expires, o.paidAt} {
			dst = appendInt(dst, at)
		}
		dst = appendText(appendText(dst, o.lang), o.reason)
		for _, flag := range [...]bool{o.graced, o.settling, o.mailed, o.freed, o.attention} {
			dst = appendBool(dst, flag)
		}
		dst = appendUint(appendUint(appendUint(dst, o.shown), o.paid), o.mail)
		dst = appendUint(appendUint(dst, uint32(o.firstTicket)), o.issued)
		dst = appendPriced(dst, s.orderLinesOf(o))
	}
	return dst
}

func (s *State) appendPayments(dst []byte) []byte {
	dst = appendUint(dst, uint32(len(s.payments)))
	for i := range s.payments {
		p := &s.payments[i]
		dst = appendUint(dst, uint32(p.order))
		dst = append(dst, byte(p.method), byte(p.state), byte(p.refund), p.hints)
		dst = appendBool(appendBool(dst, p.wrong), p.foreign)
		dst = appendInt(appendInt(dst, p.begun), p.amount)
		for _, text := range [...]string{p.ref, p.url, p.code, p.decline, p.refundRef} {
			dst = appendText(dst, text)
		}
		for _, id := range [...]uint64{p.start, p.query, p.capture, p.void, p.repay} {
			dst = appendUint(dst, id)
		}
	}
	dst = appendUint(dst, uint32(len(s.unmatched)))
	for _, n := range s.unmatched {
		dst = appendInt(appendUint(appendText(dst, n.ref), uint32(n.order)), n.at)
	}
	return dst
}

func (s *State) appendTickets(dst []byte) []byte {
	dst = appendUint(dst, uint32(len(s.tickets)))
	for i := range s.tickets {
		t := &s.tickets[i]
		dst = appendUint(appendUint(dst, uint32(t.Order)), uint32(t.Unit))
		dst = appendUint(appendUint(dst, t.Number), t.Version)
		dst = appendUint(appendUint(dst, uint64(t.Price)), uint64(t.Fee))
		dst = appendBool(appendInt(dst, t.IssuedAt), t.Revoked)
		dst = appendInt(dst, t.ScannedAt)
		if t.ScannedAt != 0 {
			dst = append(appendUint(dst, t.Gate), t.nonce[:]...)
		}
	}
	return dst
}

func (s *State) appendIntents(dst []byte) []byte {
	dst = appendUint(dst, s.intents.next)
	dst = appendUint(dst, uint32(s.intents.at.used))
	for slot := s.intents.first; slot != 0; slot = s.intents.slots[slot-1].more {
		x := &s.intents.slots[slot-1]
		dst = append(appendUint(dst, x.ID), byte(x.Kind))
		dst = appendUint(appendUint(dst, uint32(x.Order)), x.payment)
		dst = appendInt(appendInt(dst, x.Amount), x.Due)
		dst = appendText(appendUint(dst, x.Tries), x.Reason)
	}
	return dst
}

func appendBook(dst []byte, b *Book) []byte {
	for _, v := range [...]int64{b.Captured, b.Refunded, b.Refunding, b.SoldFace, b.SoldFees} {
		dst = appendInt(dst, v)
	}
	for _, n := range b.Orders {
		dst = appendUint(dst, n)
	}
	for _, n := range [...]uint32{
		b.TicketsIssued, b.TicketsRevoked, b.TicketsScanned,
		b.LateSaved, b.LateGone, b.Repaid, b.Attention, b.Foreign, b.Unmatched,
	} {
		dst = appendUint(dst, n)
	}
	return dst
}

func (a *answers) append(dst []byte) []byte {
	dst = appendUint(dst, uint32(a.len()))
	for i := a.head; i < len(a.kept); i++ {
		x := &a.kept[i]
		dst = append(dst, x.key[:]...)
		dst = appendInt(appendUint(dst, x.print), x.until)
		r := &x.res
		dst = appendUint(dst, uint16(r.Refusal))
		dst = appendBool(appendBool(dst, r.Repeated), r.Adjacent)
		dst = appendUint(appendUint(dst, uint32(r.Place)), uint32(r.Hold))
		dst = appendUint(appendUint(dst, uint32(r.Order)), uint32(r.Ticket))
		dst = appendInt(appendInt(appendInt(dst, r.At), r.Cap), r.Amount)
		dst = appendUint(dst, r.Number)
		dst = appendUint(appendUint(dst, x.units), x.lines)
		for _, word := range a.tail[x.tail-a.tailBase:][:x.units+2*x.lines] {
			dst = appendUint(dst, word)
		}
	}
	return dst
}
