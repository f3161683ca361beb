package page

import (
	"errors"
	"net/http"
	"net/url"
)

type orderData struct {
	E       event
	O       order
	Tickets []ticket
	Now     instant
}

// order is a purchase: while it waits for money it is the paying screen, later the tickets or what became of it.
func (h *Handler) order(v *visit) error {
	if err := v.needAccount(); err != nil {
		return err
	}
	id := url.PathEscape(v.r.PathValue("id"))
	d := orderData{}
	if err := v.api(http.MethodGet, "orders/"+id, nil, &d.O); err != nil {
		return err
	}
	if err := v.api(http.MethodGet, "events/"+url.PathEscape(d.O.Event), nil, &d.E); err != nil {
		return err
	}
	d.Now = nowOf(d.E)
	if d.O.State == "awaiting" || d.O.State == "committed" {
		return v.showPay(d.E, nil, &d.O)
	}
	if d.O.State == "paid" || d.O.State == "fulfilled" || d.O.State == "refunding" {
		var got struct{ Items []ticket }
		err := v.api(http.MethodGet, "orders/"+id+"/tickets", nil, &got)
		if p, ok := errors.AsType[*problem](err); err != nil && (!ok || p.Status >= 500) {
			return err
		}
		d.Tickets = got.Items
	}
	p := page{screen: "order", title: v.lang.T("order.title." + d.O.State), data: d}
	p.boot = map[string]any{"event": d.E.Slug, "order": d.O.ID, "state": d.O.State, "tickets": len(d.Tickets), "now": d.Now.ISO(), "mailed": d.O.Mailed, "email": v.who.Email}
	if d.O.State == "paid" || d.O.State == "refunding" {
		p.refresh = 10
	}
	return v.show(p)
}

// orders lists the visitor's purchases.
func (h *Handler) orders(v *visit) error {
	if err := v.needAccount(); err != nil {
		return err
	}
	var got struct{ Items []order }
	if err := v.api(http.MethodGet, "orders", nil, &got); err != nil {
		return err
	}
	return v.show(page{screen: "orders", title: v.lang.T("orders.title"), data: got.Items})
}
