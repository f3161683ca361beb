package sale

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/catraca/catraca/actors/sale/seatmap"
)

// world is a sale with everything around it: fans, a payment provider with its own ledger, an outbox that loses
// and repeats answers, gates, and the log of every batch.
type world struct {
	t    *rapid.T
	s    *State
	log  []logged
	base []byte // what the log goes on from; nil: an empty sale
	dec  Decoder
	now  int64
	keys int

	ledger  []*ledgerPayment
	byStart map[uint64]*ledgerPayment // the provider's idempotency by intent
	repaid  map[uint64]RefundState    // what came of refunds, by intent
	stale   []Command                 // reports that may come again
	owners  map[UnitID]string         // as seen after the last batch

	before, after func() // each batch; may be nil
}

// logged is one batch as it would stand in the log.
type logged struct {
	index uint64
	at    int64
	cmds  [][]byte
}

// ledgerPayment is the provider's truth about one payment.
type ledgerPayment struct {
	ref      string
	order    OrderID
	attempt  uint8
	method   Method
	amount   int64
	state    PayState
	refunded int64
}

const worldAccounts = 5

func newWorld(t *rapid.T) *world {
	return newWorldIn(t, rapid.SampledFrom([]uint8{0, 0, 0, 2}).Draw(t, "epoch"))
}

func newWorldIn(t *rapid.T, epoch uint8) *world {
	plan := storyPlan(8, 4, 5_000, 500)
	plan.Categories = append(plan.Categories, seatmap.Category{Key: "free", Name: "Free", Color: "#ffffff"})
	plan.Areas = append(plan.Areas, seatmap.Area{Key: "kids", Label: "Kids", Category: 1, Capacity: 2, X: 1, Y: 1})
	cfg := storyConfig(plan)
	cfg.Epoch = epoch
	cfg.Limits = Limits{PerHold: 3, PerAccount: 4, Attempts: 3}
	cfg.Orphan = rapid.SampledFrom([]seatmap.OrphanPolicy{seatmap.OrphanIgnore, seatmap.OrphanAvoid}).Draw(t, "orphan")
	cfg.Queue.ActiveCap = 4
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, s: s, now: storyDay.UnixMilli(), byStart: map[uint64]*ledgerPayment{}, repaid: map[uint64]RefundState{},
		owners: map[UnitID]string{},
	}
	for a := range AccountID(worldAccounts) {
		w.apply(Command{Op: OpJoin, Account: a + 1})
	}
	return w
}

// apply drives one batch through the stored form of its commands.
func (w *world) apply(cmds ...Command) []Result {
	l := logged{index: w.s.Index() + 1, at: w.now}
	for i := range cmds {
		l.cmds = append(l.cmds, AppendCommand(nil, &cmds[i]))
	}
	w.log = append(w.log, l)
	if w.before != nil {
		w.before()
	}
	results, err := run(w.s, &w.dec, l)
	if w.after != nil {
		w.after()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return results
}

// run plays a logged batch.
func run(s *State, dec *Decoder, l logged) (results []Result, err error) {
	s.Begin(l.index, l.at)
	var c Command
	for _, b := range l.cmds {
		if err := dec.Decode(b, &c); err != nil {
			return nil, err
		}
		r := s.Do(&c)
		r.Units, r.Lines = slices.Clone(r.Units), slices.Clone(r.Lines)
		results = append(results, r)
	}
	return results, s.End()
}

func (w *world) pick(n int, what string) int { return rapid.IntRange(0, n-1).Draw(w.t, what) }

func (w *world) chance(percent int, what string) bool { return w.pick(100, what) < percent }

// fan is a command of somebody, sensible more often than not.
func (w *world) fan() Command {
	c := Command{Account: AccountID(1 + w.pick(worldAccounts, "account"))}
	if h, ok := w.s.HoldOf(c.Account); ok {
		c.Hold, c.Order = h.ID, h.Order
	}
	ops := []Op{OpJoin, OpClaim, OpHold, OpOrderOpen, OpPayBegin}
	if w.chance(30, "odd") {
		ops = []Op{OpAway, OpBack, OpLeave, OpFinish, OpHoldChange, OpHoldRenew, OpHoldRelease, OpOrderCancel}
	}
	c.Op = ops[w.pick(len(ops), "op")]
	if w.chance(10, "foreign") {
		c.Hold, c.Order = HoldID(w.pick(20, "hold")), OrderID(w.pick(20, "order"))
	}
	switch c.Op {
	case OpHold:
		if w.chance(30, "best") {
			c.Best = seatmap.BestQuery{Quantity: uint32(1 + w.pick(4, "n")), AnyCategory: true, AnySection: true, Scatter: true}
		} else {
			c.Lines = w.lines()
		}
	case OpHoldChange:
		c.Lines = w.lines()
		if h, ok := w.s.HoldOf(c.Account); ok {
			l := h.Lines[w.pick(len(h.Lines), "drop")]
			c.Drop = []Line{{Unit: l.Unit, Count: 1}}
		}
	case OpPayBegin:
		c.Method = Method(1 + w.pick(2, "method"))
	}
	if w.chance(50, "keyed") {
		w.keys++
		c.Key = Key{byte(w.keys), byte(w.keys >> 8), 1}
	}
	return c
}

func (w *world) lines() (lines []Line) {
	first := UnitID(w.pick(8, "seat"))
	for i := range 1 + w.pick(3, "seats") {
		lines = append(lines, Line{Unit: min(first+UnitID(i), 8), Count: 1})
	}
	if w.chance(20, "area") {
		lines = append(lines[:1], Line{Unit: UnitID(8 + w.pick(2, "which")), Count: uint32(1 + w.pick(2, "many"))})
	}
	return lines
}

// payer does something at the provider's page.
func (w *world) payer() {
	if len(w.ledger) == 0 {
		return
	}
	if w.chance(5, "stray") {
		w.stray()
		return
	}
	p := w.ledger[w.pick(len(w.ledger), "payment")]
	if p.state == PayAuthorized && w.chance(20, "lapses") {
		p.state = PayCanceled
		w.apply(Command{Op: OpPayNotice, Ref: p.ref, Order: p.order})
	}
	if _, shown := w.s.OrderByRef(p.ref); !shown || p.state == PayCaptured || p.state == PayCanceled || p.state == PayAuthorized {
		return // nobody can pay at a page whose address was never answered
	}
	switch to := PayState(2 + w.pick(4, "to")); {
	case to == PayAuthorized && p.method == MethodPix:
		p.state = PayCaptured
	default:
		p.state = to
	}
	if w.chance(60, "notice") {
		c := Command{Op: OpPayNotice, Ref: p.ref, Order: p.order}
		for range 1 + w.pick(2, "times") {
			w.keys++
			c.Key = Key{byte(w.keys), byte(w.keys >> 8), 2}
			w.apply(c)
		}
	}
}

// stray is a payment of an order that nobody asked for, and its notice.
func (w *world) stray() {
	like := w.ledger[w.pick(len(w.ledger), "like")]
	if w.s.orderOf(like.order).payments > maxPayments/2 {
		return // beyond the bound only a person can help
	}
	p := &ledgerPayment{
		ref: fmt.Sprintf("stray_%d", len(w.ledger)), order: like.order, method: MethodPix, amount: like.amount, state: PayCaptured,
	}
	w.ledger = append(w.ledger, p)
	w.apply(Command{Op: OpPayNotice, Ref: p.ref, Order: p.order})
}

func (p *ledgerPayment) report(w *world) Command {
	c := Command{Op: OpPayState, Order: p.order, Attempt: p.attempt, Ref: p.ref, Pay: p.state}
	if p.state.money() {
		c.Amount, c.Currency = p.amount, "BRL"
	}
	w.stale = append(w.stale, c)
	return c
}

func (w *world) find(ref string) *ledgerPayment {
	for _, p := range w.ledger {
		if p.ref == ref {
			return p
		}
	}
	w.t.Fatalf("the provider does not know %q", ref)
	return nil
}

// outbox runs one open intent that is due. Faults: the answer is lost, comes twice, or the intent is given up.
func (w *world) outbox(faults bool) bool {
	var due []Intent
	for _, x := range w.s.Intents(nil) {
		if x.Due <= w.now {
			due = append(due, x)
		}
	}
	if len(due) == 0 {
		return false
	}
	x := due[0]
	if faults {
		x = due[w.pick(len(due), "intent")]
	}
	answer := w.carryOut(x, faults)
	if faults && w.chance(15, "lost") {
		return true
	}
	if faults && w.chance(10, "failed") {
		answer = Command{Op: OpIntentFailed, Intent: x.ID, Text: "fault"}
		if w.chance(70, "again") {
			answer.At = w.now + 5*second
		}
	}
	w.apply(answer)
	if faults && w.chance(15, "twice") {
		w.apply(answer)
	}
	return true
}

// carryOut does what the intent says at the provider, once for each intent whatever how often it is run.
func (w *world) carryOut(x Intent, faults bool) Command {
	switch x.Kind {
	case IntentPayStart:
		p := w.byStart[x.ID]
		if p == nil {
			p = &ledgerPayment{
				ref: fmt.Sprintf("pi_%d", x.ID), order: x.Order, attempt: x.Attempt, method: x.Method,
				amount: x.Amount, state: PayCreated,
			}
			w.byStart[x.ID] = p
			w.ledger = append(w.ledger, p)
			if faults && w.chance(20, "notice first") {
				w.apply(Command{Op: OpPayNotice, Ref: p.ref, Order: p.order})
			}
		}
		if faults && w.chance(20, "state instead") {
			return p.report(w)
		}
		return Command{Op: OpPayStarted, Order: x.Order, Attempt: x.Attempt, Ref: p.ref, URL: "https://pay.example/" + p.ref}
	case IntentPayQuery:
		return w.find(x.Ref).report(w)
	case IntentCapture:
		p := w.find(x.Ref)
		if faults && w.chance(25, "capture fails") {
			return Command{Op: OpIntentFailed, Intent: x.ID, Text: "card_declined"}
		}
		if p.state == PayAuthorized {
			p.state = PayCaptured
		}
		return p.report(w)
	case IntentVoid:
		p := w.find(x.Ref)
		if p.state != PayCaptured {
			p.state = PayCanceled
		}
		return p.report(w)
	case IntentRefund:
		p := w.find(x.Ref)
		if _, done := w.repaid[x.ID]; !done {
			w.repaid[x.ID] = RefundSucceeded
			if faults && w.chance(20, "refund fails") {
				w.repaid[x.ID] = RefundFailed
			} else {
				p.refunded += x.Amount
			}
		}
		return Command{Op: OpRefundState, Intent: x.ID, Order: x.Order, Ref: fmt.Sprintf("re_%d", x.ID), Refund: w.repaid[x.ID]}
	}
	return Command{Op: OpIntentDone, Intent: x.ID}
}
