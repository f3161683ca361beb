package outbox

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
)

func TestCardIsAuthorisedCapturedAndFulfilled(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		id := h.buy(1, sale.MethodCard)
		time.Sleep(time.Second)
		o := h.order(id)
		if o.State != sale.OrderAwaiting || o.Payment.URL != "https://bank.example/pi_1" || o.Payment.Ref != "pi_1" || o.Payment.State != sale.PayCreated {
			t.Fatalf("at the checkout %+v", o)
		}
		h.bank.pay("pi_1", sale.PayAuthorized)
		h.notify("pi_1")
		time.Sleep(time.Second)
		o = h.order(id)
		if o.State != sale.OrderFulfilled || o.Payment.Captured != total || len(o.Tickets) != 1 || !o.Mailed || o.Attention {
			t.Errorf("in the end %+v", o)
		}
		if a := h.bank.at("pi_1"); a.captures != 1 || h.bank.sent() != 1 || h.bank.made("capture") != 1 || h.bank.made("start") != 1 {
			t.Errorf("the bank was asked %q", h.bank.all())
		}
		if open := h.intents(); len(open) != 0 {
			t.Errorf("left open: %+v", open)
		}
		calls := len(h.bank.all())
		time.Sleep(2 * time.Hour)
		if len(h.bank.all()) != calls {
			t.Errorf("afterwards the bank is asked %q", h.bank.all()[calls:])
		}
	})
}

func TestPixIsPaidWithoutANotice(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		id := h.buy(1, sale.MethodPix)
		time.Sleep(time.Second)
		if o := h.order(id); o.Payment.Code == "" {
			t.Fatalf("no code to copy: %+v", o.Payment)
		}
		h.bank.pay("pi_1", sale.PayCaptured)
		time.Sleep(31 * time.Second) // the reconciler asks
		if o := h.order(id); o.State != sale.OrderFulfilled {
			t.Errorf("paid and then %+v", o)
		}
	})
}

func TestDeclines(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		id := h.buy(1, sale.MethodCard)
		time.Sleep(time.Second)
		h.bank.pay("pi_1", sale.PayFailed)
		h.notify("pi_1")
		time.Sleep(time.Second)
		if o := h.order(id); o.State != sale.OrderAwaiting || o.Payment.State != sale.PayFailed || o.Payment.Decline != "insufficient_funds" {
			t.Fatalf("declined: %+v", o)
		}
		h.do(sale.Command{Op: sale.OpPayBegin, Account: 1, Order: id, Method: sale.MethodCard})
		h.bank.pay("pi_1", sale.PayAuthorized)
		h.notify("pi_1")
		time.Sleep(time.Second)
		if o := h.order(id); o.State != sale.OrderFulfilled {
			t.Errorf("paid with another card: %+v", o)
		}
		// The provider wants no payment at all.
		h.bank.faults(script("start", refuse))
		second := h.buy(2, sale.MethodCard)
		time.Sleep(time.Second)
		if o := h.order(second); o.Payment.State != sale.PayFailed || h.bank.made("start") != 2 {
			t.Errorf("refused: %+v after %q", o.Payment, h.bank.all())
		}
	})
}

func TestUnpaidOrderIsVoided(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		id := h.buy(1, sale.MethodCard)
		time.Sleep(time.Hour)
		o := h.order(id)
		if o.State != sale.OrderExpired || h.bank.at("pi_1").state != sale.PayCanceled || h.bank.made("void") != 1 {
			t.Errorf("%+v after %q", o, h.bank.all())
		}
	})
}

func TestRefund(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		id := h.buy(1, sale.MethodPix)
		time.Sleep(time.Second)
		h.bank.pay("pi_1", sale.PayCaptured)
		h.notify("pi_1")
		time.Sleep(time.Second)
		h.bank.faults(script("refund", failAfter, hangAfter, failBefore))
		h.do(sale.Command{Op: sale.OpRefund, Order: id, Text: "rain"})
		time.Sleep(2 * time.Minute)
		o := h.order(id)
		if o.State != sale.OrderRefunded || o.Payment.Refunded != total || len(h.bank.at("pi_1").refunds) != 1 || h.bank.made("refund") != 4 {
			t.Errorf("%+v after %q", o, h.bank.all())
		}
		if h.bank.sent() != 2 {
			t.Errorf("%d letters", h.bank.sent())
		}
	})
}

// Every kind of effect under every kind of trouble, with a crash in between: one effect, and the same end.
func TestTroubleChangesNothing(t *testing.T) {
	for _, kind := range []string{"start", "query", "capture", "mail"} {
		for name, f := range map[string]fault{
			"fails before": failBefore, "fails after": failAfter, "hangs before": hangBefore, "hangs after": hangAfter,
			"panics before": panicBefore, "panics after": panicAfter,
		} {
			for _, crash := range []bool{false, true} {
				t.Run(kind+" "+name, func(t *testing.T) {
					bubble(t, func(t *testing.T, h *house) {
						h.bank.faults(script(kind, f, f, f))
						id := h.buy(1, sale.MethodCard)
						for range 4 {
							time.Sleep(20 * time.Second)
							if crash {
								h.crash()
							}
						}
						time.Sleep(time.Minute)
						h.bank.pay("pi_1", sale.PayAuthorized)
						h.notify("pi_1")
						for range 4 {
							time.Sleep(20 * time.Second)
							if crash {
								h.crash()
							}
						}
						time.Sleep(time.Minute)
						o := h.order(id)
						if o.State != sale.OrderFulfilled || !o.Mailed || o.Attention {
							t.Errorf("%+v after %q", o, h.bank.all())
						}
						if len(h.bank.refs()) != 1 || h.bank.at("pi_1").captures != 1 || len(h.bank.misuse()) != 0 {
							t.Errorf("%d payments, wrong: %q", len(h.bank.refs()), h.bank.misuse())
						}
						least := 3
						if kind == "capture" {
							least = 1 // what was done shows when the bank is asked about the payment
						}
						if n := h.bank.made(kind); n < least {
							t.Errorf("%s was tried %d times", kind, n)
						}
					})
				})
			}
		}
	}
}

func TestLetterThatNobodyTakes(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.bank.faults(script("mail", refuse))
		id := h.buy(1, sale.MethodPix)
		time.Sleep(time.Second)
		h.bank.pay("pi_1", sale.PayCaptured)
		h.notify("pi_1")
		time.Sleep(time.Second)
		o := h.order(id)
		if o.State != sale.OrderPaid && o.State != sale.OrderFulfilled || o.Mailed || !o.Attention || h.bank.made("mail") != 1 {
			t.Errorf("%+v after %q", o, h.bank.all())
		}
	})
}

func TestTemporaryTroubleEndsWithAPerson(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.bank.faults(func(call string) fault {
			if call[:4] == "mail" {
				return failBefore
			}
			return none
		})
		id := h.buy(1, sale.MethodPix)
		time.Sleep(time.Second)
		h.bank.pay("pi_1", sale.PayCaptured)
		h.notify("pi_1")
		time.Sleep(24 * time.Hour)
		if o := h.order(id); !o.Attention || h.bank.made("mail") != maxTries {
			t.Errorf("after %d letters %+v", h.bank.made("mail"), o)
		}
	})
}

func TestCaptureThatFailsGivesTheSeatsBack(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.bank.faults(script("capture", refuse))
		id := h.buy(1, sale.MethodCard)
		time.Sleep(time.Second)
		h.bank.pay("pi_1", sale.PayAuthorized)
		h.notify("pi_1")
		time.Sleep(time.Minute)
		o := h.order(id)
		if a := h.bank.at("pi_1"); o.State != sale.OrderCanceled || a.state != sale.PayCanceled || a.captures != 0 {
			t.Errorf("%+v, at the bank %+v", o, a)
		}
	})
}

func TestRelayThatHangsHoldsUpNoPayment(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.o.Parallel, h.o.Letters = 2, 2
		h.crash()
		h.bank.faults(func(call string) fault {
			if call[:4] == "mail" {
				return hangBefore
			}
			return none
		})
		for who := sale.AccountID(1); who <= 6; who++ {
			h.buy(who, sale.MethodPix)
			time.Sleep(time.Second)
		}
		for _, ref := range h.bank.refs() {
			h.bank.pay(ref, sale.PayCaptured)
			h.notify(ref)
		}
		time.Sleep(10 * time.Second) // shorter than the relay is waited for
		for id := sale.OrderID(1); id <= 6; id++ {
			if o := h.order(id); o.Payment.Captured != total {
				t.Errorf("order %d: %+v", id, o)
			}
		}
		if n := h.bank.made("mail"); n != 2 {
			t.Errorf("%d letters at once", n)
		}
	})
}

func TestOnlyTheLeaderRuns(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.bank.faults(script("start", hangAfter))
		id := h.buy(1, sale.MethodCard)
		time.Sleep(time.Second)
		h.log.Lead(false)
		synctest.Wait()
		calls := len(h.bank.all())
		time.Sleep(time.Hour)
		if len(h.bank.all()) != calls {
			t.Errorf("without leadership the bank was asked %q", h.bank.all()[calls:])
		}
		if got := h.intents(); len(got) != 1 || got[0].Tries != 0 {
			t.Errorf("the intent is now %+v", got)
		}
		h.log.Lead(true)
		time.Sleep(time.Minute)
		if o := h.order(id); len(h.bank.refs()) != 1 || h.bank.at("pi_1").state != sale.PayCanceled || o.State != sale.OrderExpired {
			t.Errorf("the payment that nobody saw: %+v, %+v", h.bank.at("pi_1"), o)
		}
		h.box.Load().Leading(1, true) // said twice
		h.box.Load().Leading(1, false)
		h.box.Load().Leading(1, false)
		h.box.Load().Close()
		h.box.Load().Leading(1, true)
		h.box.Load().Close()
	})
}

// mute is a sale that cannot be watched for a while, or takes no answers.
type mute struct {
	Sales

	watch, refuse int
	refused       int
}

func (m *mute) Subscribe(ctx context.Context, id sale.EventID, sub event.Subscriber) (*event.View, func(), error) {
	if m.watch > 0 {
		m.watch--
		return nil, nil, errors.New("not now")
	}
	return m.Sales.Subscribe(ctx, id, sub)
}

func (m *mute) Submit(ctx context.Context, id sale.EventID, c *sale.Command) (sale.Result, error) {
	if m.refuse > 0 && c.Op != sale.OpIntentFailed {
		m.refuse--
		m.refused++
		return sale.Result{Refusal: sale.RefusedInvalid}, nil
	}
	return m.Sales.Submit(ctx, id, c)
}

func TestSaleThatDoesNotListen(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		m := &mute{Sales: h.Events, watch: 3, refuse: 4}
		h.o.Sales = m
		h.crash()
		id := h.buy(1, sale.MethodCard)
		time.Sleep(time.Minute)
		if o := h.order(id); o.Payment.Ref != "pi_1" || m.refused != 4 || h.bank.made("start") != 5 {
			t.Errorf("%+v after %q", o.Payment, h.bank.all())
		}
	})
}

func TestLostAnswerIsBroughtAgain(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		id := h.buy(1, sale.MethodPix)
		h.log.Lose(1)
		time.Sleep(time.Second)
		h.bank.pay("pi_1", sale.PayCaptured)
		h.log.Lose(2)
		time.Sleep(35 * time.Second)
		if o := h.order(id); o.State != sale.OrderFulfilled || h.bank.sent() != 1 || len(h.bank.refs()) != 1 {
			t.Errorf("%+v after %q", o, h.bank.all())
		}
	})
}
