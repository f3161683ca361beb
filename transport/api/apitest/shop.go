package apitest

import (
	"net/http"
	"testing"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

// Shop joins the queue, waits for the turn and takes it.
func (f *Fan) Shop(t testing.TB, cfg *sale.Config) wire.Place {
	t.Helper()
	f.Do(t, "POST", Path(cfg, "queue"), nil)
	var p wire.Place
	Eventually(t, "the turn", func() bool {
		p = Into[wire.Place](t, f.Do(t, "GET", Path(cfg, "queue/me"), nil))
		return p.State == "offered" || p.State == "shopping"
	})
	return Into[wire.Place](t, f.Do(t, "POST", Path(cfg, "admission"), nil).Want(t, http.StatusOK))
}

// Hold takes seats.
func (f *Fan) Hold(t testing.TB, cfg *sale.Config, seats ...uint32) wire.Hold {
	t.Helper()
	return Into[wire.Hold](t, f.Do(t, "POST", Path(cfg, "holds"), wire.HoldRequest{Seats: seats}).Want(t, http.StatusCreated))
}

// Order turns a hold into an order.
func (f *Fan) Order(t testing.TB, cfg *sale.Config, h wire.Hold) wire.Order {
	t.Helper()
	return Into[wire.Order](t, f.Do(t, "POST", Path(cfg, "orders"), wire.OrderRequest{Hold: h.ID}).Want(t, http.StatusCreated))
}

// Pay begins the payment by card.
func (f *Fan) Pay(t testing.TB, o wire.Order) wire.Order {
	t.Helper()
	return Into[wire.Order](t, f.Do(t, "POST", "/api/v1/orders/"+o.ID+"/pay", wire.PayRequest{Method: "card"}).Want(t, http.StatusOK))
}

// Settle is what the payer does at the provider, who then tells the house.
func (f *Fan) Settle(t testing.TB, o wire.Order, s sale.PayState) {
	t.Helper()
	id, number, err := wire.ParseOrderRef(o.ID)
	if err != nil {
		t.Fatal(err)
	}
	ref, ok := f.H.Payer.Of(id, number)
	if !ok {
		t.Fatalf("order %s has no payment", o.ID)
	}
	f.H.Payer.Set(ref, s)
	f.H.Notify(t, f.H.Name("evt"), ref).Want(t, http.StatusOK)
}

// Until reads an order until it is as wanted.
func (f *Fan) Until(t testing.TB, o wire.Order, what string, ok func(wire.Order) bool) wire.Order {
	t.Helper()
	Eventually(t, what, func() bool {
		o = Into[wire.Order](t, f.Do(t, "GET", "/api/v1/orders/"+o.ID, nil).Want(t, http.StatusOK))
		return ok(o)
	})
	return o
}

// Buy shops, pays and gets the tickets of some seats, which have to be free.
func (f *Fan) Buy(t testing.TB, cfg *sale.Config, seats ...uint32) wire.Order {
	t.Helper()
	f.Shop(t, cfg)
	o := f.Order(t, cfg, f.Hold(t, cfg, seats...))
	f.Pay(t, o)
	f.Settle(t, o, sale.PayAuthorized)
	return f.Until(t, o, "the tickets", func(o wire.Order) bool { return o.State == "fulfilled" })
}
