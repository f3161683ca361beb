package outbox

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/event/eventtest"
	"github.com/catraca/catraca/actors/sale"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// house is a sale on a log in memory, with its outbox and its bank.
type house struct {
	*eventtest.House

	t    tester
	log  *eventtest.Log
	bank *bank
	box  atomic.Pointer[Outbox]
	o    Options
	keys byte
}

// open opens event 1, whose outbox runs while the service leads. outer outlives t when t is one of many checks.
func open(t tester, outer testing.TB) *house {
	h := &house{t: t, log: new(eventtest.Log), bank: newBank()}
	h.House = eventtest.Open(outer, h.log, func(o *event.Options) {
		o.Leading = func(id sale.EventID, leading bool) { h.box.Load().Leading(id, leading) }
	})
	h.o = Options{
		Sales: h.Events, Payer: h.bank, Mailer: h.bank, KeyPrefix: "house", Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		ReturnURL: func(slug, ref string) string { return "https://tickets.example/" + slug + "/" + ref },
		Metrics:   NewMetrics(prometheus.NewRegistry()),
	}
	h.box.Store(New(h.o))
	if err := h.Events.Create(context.Background(), 1, eventtest.Config(1, 40, 0, time.Now())); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) close() {
	h.box.Load().Close()
	h.Close()
}

// crash replaces the outbox by a new one, as when another node takes over.
func (h *house) crash() {
	h.box.Load().Close()
	h.box.Store(New(h.o))
	h.box.Load().Leading(1, true)
}

func bubble(t *testing.T, f func(t *testing.T, h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, t)
		defer h.close()
		f(t, h)
	})
}

func (h *house) do(c sale.Command) sale.Result {
	h.t.Helper()
	h.keys++
	c.Key = sale.Key{1, h.keys}
	res, err := h.Events.Submit(context.Background(), 1, &c)
	if err != nil || res.Refusal != sale.Done {
		h.t.Fatalf("op %d: refusal %d, %v", c.Op, res.Refusal, err)
	}
	return res
}

// buy brings an account to the payment of one seat.
func (h *house) buy(who sale.AccountID, method sale.Method) sale.OrderID {
	h.t.Helper()
	h.do(sale.Command{Op: sale.OpJoin, Account: who})
	h.do(sale.Command{Op: sale.OpClaim, Account: who})
	hold := h.do(sale.Command{Op: sale.OpHold, Account: who, Lines: []sale.Line{{Unit: sale.UnitID(who), Count: 1}}})
	order := h.do(sale.Command{Op: sale.OpOrderOpen, Account: who, Hold: hold.Hold, Text: "en"})
	h.do(sale.Command{Op: sale.OpPayBegin, Account: who, Order: order.Order, Method: method})
	return order.Order
}

func (h *house) order(id sale.OrderID) (o sale.Order) {
	h.t.Helper()
	if err := h.Events.Read(context.Background(), 1, func(s *sale.State) { o, _ = s.Order(id) }); err != nil {
		h.t.Fatal(err)
	}
	return o
}

func (h *house) intents() (open []sale.Intent) {
	h.t.Helper()
	if err := h.Events.Read(context.Background(), 1, func(s *sale.State) { open = s.Intents(nil) }); err != nil {
		h.t.Fatal(err)
	}
	return open
}

// notify is the provider's notice about a payment.
func (h *house) notify(ref string) { h.do(sale.Command{Op: sale.OpPayNotice, Ref: ref}) }

const total = eventtest.Price + eventtest.Fee
