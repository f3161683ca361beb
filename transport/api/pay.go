package api

import (
	"context"
	"net/http"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

func (c *call) order(ctx context.Context) (answer, error) {
	var in wire.OrderRequest
	if err := decode(c.body, &in, c.lang); err != nil {
		return answer{}, err
	}
	id, err := c.holdID(in.Hold)
	if err != nil {
		return answer{}, err
	}
	res, err := c.submit(ctx, sale.Command{Op: sale.OpOrderOpen, Hold: id, Text: c.person.Lang})
	if err != nil {
		return answer{}, err
	}
	a, err := c.showOrder(ctx, res.Order)
	a.status = http.StatusCreated
	return a, err
}

// orderID reads the order the call names and looks at its event.
func (c *call) orderID(ref string) (sale.OrderID, error) {
	e, id, err := wire.ParseOrderRef(ref)
	if err != nil || c.view != nil && c.view.Event != e {
		return 0, c.s.problem(wire.NotFound, c.lang)
	}
	if c.view == nil {
		if c.view, err = c.s.o.Sales.View(e); err != nil {
			return 0, err
		}
	}
	return id, nil
}

func (c *call) orderGet(ctx context.Context) (answer, error) {
	ref, err := c.named()
	if err != nil {
		return answer{}, err
	}
	id, err := c.orderID(ref)
	if err != nil {
		return answer{}, err
	}
	return c.showOrder(ctx, id)
}

// showOrder answers with an order of the caller; organisers see every order.
func (c *call) showOrder(ctx context.Context, id sale.OrderID) (answer, error) {
	o, err := c.readOrder(ctx, id)
	if err != nil {
		return answer{}, err
	}
	return answer{body: renderOrder(c.view.Event, c.view.Config, o)}, nil
}

func (c *call) readOrder(ctx context.Context, id sale.OrderID) (sale.Order, error) {
	var o sale.Order
	var ok bool
	read := c.s.o.Sales.Read
	if c.strict {
		read = c.s.o.Sales.ReadStrict
	}
	if err := read(ctx, c.view.Event, func(st *sale.State) { o, ok = st.Order(id) }); err != nil {
		return o, err
	}
	// Somebody else's order is as unknown as none: numbers are easily guessed.
	if !ok || o.Account != sale.AccountID(c.person.Account) && c.person.Role < account.RoleViewer {
		return o, c.s.problem(wire.NotFound, c.lang)
	}
	return o, nil
}

func (c *call) orderCancel(ctx context.Context) (answer, error) {
	ref, err := c.named()
	if err != nil {
		return answer{}, err
	}
	id, err := c.orderID(ref)
	if err != nil {
		return answer{}, err
	}
	if _, err := c.submit(ctx, sale.Command{Op: sale.OpOrderCancel, Order: id}); err != nil {
		return answer{}, err
	}
	return c.showOrder(ctx, id)
}

func (c *call) pay(ctx context.Context) (answer, error) {
	var in wire.PayRequest
	if err := decode(c.body, &in, c.lang); err != nil {
		return answer{}, err
	}
	if c.id != "" {
		in.ID = c.id
	}
	id, err := c.orderID(in.ID)
	if err != nil {
		return answer{}, err
	}
	method, ok := wire.ParseMethod(in.Method)
	if !ok || method == sale.MethodPix && c.view.Config.Currency != "BRL" {
		return answer{}, invalid(c.lang, "/method", "unknown", "one of the event's payment_methods")
	}
	if _, err := c.submit(ctx, sale.Command{Op: sale.OpPayBegin, Order: id, Method: method}); err != nil {
		return answer{}, err
	}
	return c.awaitPayment(ctx, id, method)
}

// awaitPayment waits until the provider knows the payment: then the page can send the payer there. The provider
// being slow is no error, the payment goes on and the order says so.
func (c *call) awaitPayment(ctx context.Context, id sale.OrderID, method sale.Method) (answer, error) {
	wait, cancel := context.WithTimeout(ctx, c.s.o.PayWait)
	defer cancel()
	changed, forget, err := c.s.watches.order(wait, c.s.o.Sales, c.view.Event, id)
	if err != nil {
		return answer{}, err
	}
	defer forget()
	for {
		o, err := c.readOrder(ctx, id)
		if err != nil {
			return answer{}, err
		}
		out := renderOrder(c.view.Event, c.view.Config, o)
		if started(o, method) {
			return answer{body: out}, nil
		}
		select {
		case <-changed:
		case <-wait.Done():
			return answer{status: http.StatusAccepted, body: out}, nil
		}
	}
}

// started says whether the payer has somewhere to go, or nothing is left to do.
func started(o sale.Order, method sale.Method) bool {
	if o.State != sale.OrderAwaiting {
		return true
	}
	return o.Payment.Method == method && (o.Payment.URL != "" || o.Payment.Code != "")
}
