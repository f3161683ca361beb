package outbox

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/catraca/catraca/actors/sale"
)

// market is a random history of buyers, their bank, and nodes that come and go.
type market struct {
	*rapid.T
	*house

	buyers sale.AccountID
}

func (m *market) newBuyer(*rapid.T) {
	if m.buyers >= 6 {
		return
	}
	m.buyers++
	m.buy(m.buyers, rapid.SampledFrom([]sale.Method{sale.MethodCard, sale.MethodPix}).Draw(m.T, "method"))
}

// again begins another payment of an order, as far as the sale allows.
func (m *market) again(*rapid.T) {
	if m.buyers == 0 {
		return
	}
	id := rapid.IntRange(1, int(m.buyers)).Draw(m.T, "order")
	c := sale.Command{Op: sale.OpPayBegin, Account: sale.AccountID(id), Order: sale.OrderID(id), Method: sale.MethodCard}
	if rapid.Bool().Draw(m.T, "pix") {
		c.Method = sale.MethodPix
	}
	m.try(c)
}

func (m *market) try(c sale.Command) {
	m.keys++
	c.Key = sale.Key{2, m.keys}
	if _, err := m.Events.Submit(context.Background(), 1, &c); err != nil {
		m.Fatal(err)
	}
}

// payer does something at a page whose address the sale has shown.
func (m *market) payer(*rapid.T) {
	refs := m.bank.refs()
	if len(refs) == 0 {
		return
	}
	ref := rapid.SampledFrom(refs).Draw(m.T, "payment")
	if _, shown := m.shown(ref); !shown || m.final(ref) {
		return
	}
	m.bank.pay(ref, rapid.SampledFrom([]sale.PayState{sale.PayAction, sale.PayFailed, sale.PayAuthorized, sale.PayAuthorized}).Draw(m.T, "to"))
	if rapid.Bool().Draw(m.T, "notice") {
		m.try(sale.Command{Op: sale.OpPayNotice, Ref: ref})
	}
}

func (m *market) shown(ref string) (id sale.OrderID, ok bool) {
	err := m.Events.Read(context.Background(), 1, func(s *sale.State) { id, ok = s.OrderByRef(ref) })
	if err != nil {
		m.Fatal(err)
	}
	return id, ok
}

func (m *market) final(ref string) bool {
	s := m.bank.at(ref).state
	return s == sale.PayAuthorized || s == sale.PayCaptured || s == sale.PayCanceled
}

func (m *market) giveBack(*rapid.T) {
	if m.buyers > 0 {
		m.try(sale.Command{Op: sale.OpRefund, Order: sale.OrderID(rapid.IntRange(1, int(m.buyers)).Draw(m.T, "order")), Text: "rain"})
	}
}

func (m *market) cancel(*rapid.T) {
	if m.buyers > 0 {
		id := rapid.IntRange(1, int(m.buyers)).Draw(m.T, "order")
		m.try(sale.Command{Op: sale.OpOrderCancel, Account: sale.AccountID(id), Order: sale.OrderID(id)})
	}
}

func (m *market) failover(*rapid.T) {
	switch rapid.IntRange(0, 2).Draw(m.T, "how") {
	case 0:
		m.crash()
	case 1:
		m.log.Lead(false)
		m.log.Lead(true)
	default:
		m.log.Lose(rapid.IntRange(1, 2).Draw(m.T, "lost"))
	}
}

func (m *market) wait(*rapid.T) {
	time.Sleep(time.Duration(rapid.IntRange(1, 120_000).Draw(m.T, "ms")) * time.Millisecond)
}

// trouble makes every call of the bank fail with some chance, by a generator of its own: the calls come from many
// goroutines and in no order that could be drawn.
func (m *market) trouble() {
	seed := rapid.Uint64().Draw(m.T, "trouble")
	n := uint64(0)
	m.bank.faults(func(call string) fault {
		n++
		x := (seed + n) * 0x9e3779b97f4a7c15
		x ^= x >> 29
		x *= 0xbf58476d1ce4e5b9
		switch x >> 32 % 20 {
		case 0:
			return failBefore
		case 1, 2:
			return failAfter
		case 3:
			return hangBefore
		case 4, 5:
			return hangAfter
		case 6:
			return panicAfter
		}
		return none
	})
}

// settled checks the books of sale and bank when all trouble is over.
func (m *market) settled() {
	m.bank.mu.Lock()
	defer m.bank.mu.Unlock()
	if len(m.bank.wrong) > 0 {
		m.Fatalf("the bank was asked wrongly: %q", m.bank.wrong)
	}
	kept := map[sale.OrderID]int64{}
	for _, a := range m.bank.payments {
		if a.captures > 1 || len(a.refunds) > 1 {
			m.Fatalf("%s was captured %d times and refunded %d times", a.ref, a.captures, len(a.refunds))
		}
		if a.captures == 1 {
			kept[a.order] += a.amount
		}
		for _, back := range a.refunds {
			kept[a.order] -= back
		}
		if a.state == sale.PayAuthorized {
			m.Fatalf("%s of order %d is still reserved", a.ref, a.order)
		}
	}
	for id := sale.OrderID(1); id <= sale.OrderID(m.buyers); id++ {
		o := m.order(id)
		switch o.State {
		case sale.OrderFulfilled:
			if kept[id] != total || len(o.Tickets) != 1 || !o.Mailed {
				m.Fatalf("order %d is fulfilled and the bank keeps %d: %+v", id, kept[id], o)
			}
		case sale.OrderExpired, sale.OrderCanceled, sale.OrderRefunded:
			if kept[id] != 0 {
				m.Fatalf("order %d is in state %d and the bank keeps %d: %+v", id, o.State, kept[id], o)
			}
		default:
			m.Fatalf("order %d ends in state %d: %+v\nopen: %+v\ncalls: %q", id, o.State, o, m.intents(), m.bank.calls)
		}
		if o.Attention {
			m.Fatalf("order %d needs a person: %s", id, o.Reason)
		}
	}
	for _, in := range m.intents() {
		if in.Kind != sale.IntentPayQuery {
			m.Fatalf("left open: %+v", in)
		}
	}
}

func TestEveryHistoryEndsInTicketsOrMoneyBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var failed any
		synctest.Test(t, func(t *testing.T) { // a bubble for each: rapid counts hours
			defer func() { failed = recover() }()
			m := &market{T: rt, house: open(rt, t)}
			defer m.close()
			m.trouble()
			rt.Repeat(map[string]func(*rapid.T){
				"buyer": m.newBuyer, "buyer too": m.newBuyer, "again": m.again, "payer": m.payer, "payer too": m.payer, "payer three": m.payer,
				"refund": m.giveBack, "cancel": m.cancel, "failover": m.failover, "wait": m.wait, "wait too": m.wait,
			})
			m.bank.faults(nil)
			m.log.Lose(0)
			time.Sleep(time.Hour)
			m.settled()
		})
		if failed != nil {
			panic(failed)
		}
	})
}
