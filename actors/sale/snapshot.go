package sale

import (
	"crypto/sha256"
	"slices"
)

// A snapshot in the first epoch is of version 1. In a later one it is of version 2 and has, after the version of the seats,
// the epoch and for each but the first how many orders and tickets there were when it began.
const (
	snapshotVersion       = 1
	snapshotVersionEpochs = 2
)

// partSize is about how many bytes EachPart hands on at once.
const partSize = 256 << 10

// AppendSnapshot appends the whole state. Equal states give equal bytes, whatever way they came about: slabs whose slots are
// reused are written in the order of ids, and what can be derived is left out.
func (s *State) AppendSnapshot(dst []byte) []byte { return s.look().AppendSnapshot(dst) }

// Hash of the whole state; replicas that applied the same log have the same one.
func (s *State) Hash() [32]byte { return sha256.Sum256(s.AppendSnapshot(nil)) }

// AppendSnapshot appends what State.AppendSnapshot would have at the moment of Freeze.
func (f *Frozen) AppendSnapshot(dst []byte) []byte {
	w := &writer{b: dst}
	f.write(w)
	return w.b
}

// EachPart hands the snapshot on in parts of some 256 KiB, so that it never is in memory as a whole. A part is good until the
// function returns; its error ends the walk and is returned.
func (f *Frozen) EachPart(part func([]byte) error) error {
	w := &writer{b: make([]byte, 0, partSize+partSize/4), part: part}
	f.write(w)
	w.flush()
	return w.err
}

// writer collects a snapshot.
type writer struct {
	b    []byte
	part func([]byte) error // nil: everything stays in b
	err  error
}

// full hands on what has been collected when that is a part. It returns false when the rest is not wanted any more.
func (w *writer) full() bool {
	if w.part != nil && len(w.b) >= partSize {
		w.flush()
	}
	return w.err == nil
}

func (w *writer) flush() {
	if w.err == nil && len(w.b) > 0 {
		w.err = w.part(w.b)
	}
	w.b = w.b[:0]
}

func (f *Frozen) write(w *writer) {
	f.writeHead(w)
	for _, part := range [...]func(*writer){
		f.writeLine, f.writeAccounts, f.writeHolds, f.writeOrders, f.writePayments, f.writeTickets, f.writeIntents, f.writeBook,
		f.fanKeys.write, f.noticeKeys.write,
	} {
		if part(w); !w.full() {
			return
		}
	}
}

func (f *Frozen) writeHead(w *writer) {
	version := byte(snapshotVersion)
	if len(f.epochs) > 0 {
		version = snapshotVersionEpochs
	}
	dst := append(w.b, version)
	dst = AppendConfig(dst, f.cfg)
	dst = appendInt(dst, f.clock)
	dst = appendUint(dst, f.index)
	dst = append(dst, byte(f.phase))
	dst = appendText(appendText(dst, f.message), f.pauseReason)
	dst = appendUint(dst, f.seatVersion)
	if len(f.epochs) > 0 {
		dst = appendUint(dst, uint32(len(f.epochs)))
		for _, e := range f.epochs {
			dst = appendUint(appendUint(dst, e.orders), e.tickets)
		}
	}
	w.b = f.inventory.AppendBinary(dst)
}

func (f *Frozen) writeLine(w *writer) {
	const some = 4096
	w.b = f.line.AppendHead(w.b)
	for from, joined := 0, int64(0); from < f.line.Places() && w.full(); {
		w.b, from, joined = f.line.AppendPlaces(w.b, from, some, joined)
	}
}

func (f *Frozen) writeAccounts(w *writer) {
	w.b = appendUint(w.b, uint32(f.accounts.Len()))
	for i := 0; i < f.accounts.Len() && w.full(); i++ {
		a := f.accounts.Read(i)
		w.b = appendUint(appendUint(w.b, uint64(a.id)), a.taken)
	}
}

func (f *Frozen) writeHolds(w *writer) {
	live := make([]int, 0, f.holds.Len())
	for slot := range f.holds.Len() {
		if f.holds.Read(slot).id != 0 {
			live = append(live, slot)
		}
	}
	slices.SortFunc(live, func(a, b int) int { return int(int64(f.holds.Read(a).id) - int64(f.holds.Read(b).id)) })
	w.b = appendUint(appendUint(w.b, uint32(f.nextHold)), uint32(len(live)))
	for _, slot := range live {
		h := f.holds.Read(slot)
		dst := appendUint(appendUint(w.b, uint32(h.id)), uint64(h.account))
		dst = appendInt(appendInt(appendInt(dst, h.expires), h.cap), h.settleBy)
		dst = appendUint(dst, uint32(h.order))
		dst = appendBool(appendBool(appendBool(dst, h.renewed), h.checkout), h.adjacent)
		w.b = appendPriced(dst, f.holdLines.Strip(slot)[:h.lines])
		if !w.full() {
			return
		}
	}
}

func appendPriced(dst []byte, lines []OrderLine) []byte {
	dst = appendUint(dst, uint32(len(lines)))
	for _, l := range lines {
		dst = appendUint(appendUint(dst, uint32(l.Unit)), l.Count)
		dst = appendUint(appendUint(dst, uint64(l.Price)), uint64(l.Fee))
	}
	return dst
}

func (f *Frozen) writeOrders(w *writer) {
	w.b = appendUint(w.b, uint32(f.orders.Len()))
	for i := 0; i < f.orders.Len() && w.full(); i++ {
		o, dst := f.orders.Read(i), w.b
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
		w.b = appendPriced(dst, f.orderLines.Run(int(o.first), int(o.lines)))
	}
}

func (f *Frozen) writePayments(w *writer) {
	w.b = appendUint(w.b, uint32(f.payments.Len()))
	for i := 0; i < f.payments.Len() && w.full(); i++ {
		p, dst := f.payments.Read(i), w.b
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
		w.b = dst
	}
	w.b = appendUint(w.b, uint32(len(f.unmatched)))
	for _, n := range f.unmatched {
		w.b = appendInt(appendUint(appendText(w.b, n.ref), uint32(n.order)), n.at)
	}
}

func (f *Frozen) writeTickets(w *writer) {
	w.b = appendUint(w.b, uint32(f.tickets.Len()))
	for i := 0; i < f.tickets.Len() && w.full(); i++ {
		t, dst := f.tickets.Read(i), w.b
		dst = appendUint(appendUint(dst, uint32(t.Order)), uint32(t.Unit))
		dst = appendUint(appendUint(dst, t.Number), t.Version)
		dst = appendUint(appendUint(dst, uint64(t.Price)), uint64(t.Fee))
		dst = appendBool(appendInt(dst, t.IssuedAt), t.Revoked)
		dst = appendInt(dst, t.ScannedAt)
		if t.ScannedAt != 0 {
			dst = append(appendUint(dst, t.Gate), t.nonce[:]...)
		}
		w.b = dst
	}
}

func (f *Frozen) writeIntents(w *writer) {
	w.b = appendUint(appendUint(w.b, f.nextIntent), uint32(f.openIntents))
	for slot := f.firstIntent; slot != 0 && w.full(); slot = f.intents.Read(int(slot - 1)).more {
		x := f.intents.Read(int(slot - 1))
		dst := append(appendUint(w.b, x.ID), byte(x.Kind))
		dst = appendUint(appendUint(dst, uint32(x.Order)), x.payment)
		dst = appendInt(appendInt(dst, x.Amount), x.Due)
		w.b = appendText(appendUint(dst, x.Tries), x.Reason)
	}
}

func (f *Frozen) writeBook(w *writer) {
	b, dst := &f.book, w.b
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
	w.b = dst
}

func (a *frozenAnswers) write(w *writer) {
	w.b = appendUint(w.b, uint32(a.len()))
	var x Result
	a.each(func(words []uint64, until int64) bool {
		readAnswer(words, &x)
		key := keyOf(words)
		dst := appendInt(appendUint(append(w.b, key[:]...), words[2]), until)
		dst = appendUint(dst, uint16(x.Refusal))
		dst = appendBool(appendBool(dst, x.Repeated), x.Adjacent)
		dst = appendUint(appendUint(dst, uint32(x.Place)), uint32(x.Hold))
		dst = appendUint(appendUint(dst, uint32(x.Order)), uint32(x.Ticket))
		dst = appendInt(appendInt(appendInt(dst, x.At), x.Cap), x.Amount)
		dst = appendUint(dst, x.Number)
		dst = appendUint(appendUint(dst, uint16(len(x.Units))), uint16(len(x.Lines)))
		for _, u := range x.Units {
			dst = appendUint(dst, uint32(u))
		}
		for _, l := range x.Lines {
			dst = appendUint(appendUint(dst, uint32(l.Unit)), l.Count)
		}
		w.b = dst
		return w.full()
	})
}

// each goes through the answers, oldest first, as long as fn wants more.
func (a *frozenAnswers) each(fn func(words []uint64, until int64) bool) {
	at := a.start
	for m := a.marks.Start(); m < a.marks.End(); m++ {
		until, last := a.marks.Read(m).until, a.count
		if m+1 < a.marks.End() {
			last = a.marks.Read(m + 1).count
		}
		for count := a.marks.Read(m).count; count < last; count++ {
			var words []uint64
			words, at = answerAt(&a.words, at)
			at += uint64(len(words))
			if !fn(words, until) {
				return
			}
		}
	}
}
