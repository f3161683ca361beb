package sale

import (
	"slices"

	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
	"github.com/catraca/catraca/actors/sale/slab"
)

// Frozen is a sale as it was at one moment. It does not change and may be read by any number of goroutines, while the sale
// goes on. It has what a snapshot is made of and nothing else; its memory is shared with the sale until the sale
// writes, and several may exist at once.
type Frozen struct {
	cfg         *Config // never changes
	clock       int64
	index       uint64
	phase       Phase
	message     string
	pauseReason string
	seatVersion uint64
	epochs      epochsOf

	inventory seatmap.Frozen
	line      queue.Frozen

	accounts    slab.View[account]
	nextHold    HoldID
	holds       slab.View[hold]
	holdLines   slab.View[OrderLine]
	orders      slab.View[order]
	orderLines  slab.View[OrderLine]
	payments    slab.View[payment]
	unmatched   []notice
	tickets     slab.View[ticket]
	intents     slab.View[intentSlot]
	nextIntent  uint64
	openIntents int
	firstIntent uint32 // slot + 1
	book        Book

	fanKeys    frozenAnswers
	noticeKeys frozenAnswers
}

type frozenAnswers struct {
	words slab.LogView[uint64]
	marks slab.LogView[mark]
	start uint64
	count uint64 // there ever were
}

// Freeze takes the sale as it is now, between two batches. It takes time in proportion to the number of chunks, some
// 64 KiB each, and to the seats of the plan, a byte each; the first write to a chunk afterwards copies the chunk.
func (s *State) Freeze() *Frozen {
	f := s.scalars()
	f.unmatched = slices.Clone(s.unmatched)
	f.inventory = s.inventory.Freeze()
	f.line = s.line.Freeze()
	f.accounts = s.accounts.Freeze()
	f.holds, f.holdLines = s.holds.Freeze(), s.holdLines.Freeze()
	f.orders, f.orderLines = s.orders.Freeze(), s.orderLines.Freeze()
	f.payments, f.tickets = s.payments.Freeze(), s.tickets.Freeze()
	f.intents = s.intents.slots.Freeze()
	f.fanKeys = s.fanKeys.freeze()
	f.noticeKeys = s.noticeKeys.freeze()
	return f
}

// look is like Freeze, but good only until the next command.
func (s *State) look() *Frozen {
	f := s.scalars()
	f.unmatched = s.unmatched
	f.inventory = s.inventory.Look()
	f.line = s.line.Look()
	f.accounts = s.accounts.View
	f.holds, f.holdLines = s.holds.View, s.holdLines.View
	f.orders, f.orderLines = s.orders.View, s.orderLines.View
	f.payments, f.tickets = s.payments.View, s.tickets.View
	f.intents = s.intents.slots.View
	f.fanKeys = s.fanKeys.look()
	f.noticeKeys = s.noticeKeys.look()
	return f
}

// scalars is what is copied. epochs only ever grows, so its memory may be shared.
func (s *State) scalars() *Frozen {
	return &Frozen{
		cfg: &s.cfg, clock: s.clock, index: s.index, phase: s.phase, message: s.message, pauseReason: s.pauseReason,
		seatVersion: s.seatVersion, epochs: s.epochs, nextHold: s.nextHold, nextIntent: s.intents.next,
		openIntents: s.intents.at.used, firstIntent: s.intents.first, book: s.book,
	}
}

func (a *answers) freeze() frozenAnswers {
	return frozenAnswers{a.words.Freeze(), a.marks.Freeze(), a.start, a.count}
}

func (a *answers) look() frozenAnswers {
	return frozenAnswers{a.words.LogView, a.marks.LogView, a.start, a.count}
}

func (a *frozenAnswers) len() int {
	if a.marks.Start() == a.marks.End() {
		return 0
	}
	return int(a.count - a.marks.Read(a.marks.Start()).count)
}
