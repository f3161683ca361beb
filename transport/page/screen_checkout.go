package page

import (
	"fmt"
	"net/http"
	"net/url"
)

// payData is the screen of paying: a hold that has no order yet, or an order on its way.
type payData struct {
	E       event
	Slug    string
	H       *hold
	O       *order
	Step    string // choose, pix, action, confirming
	Decline string // why the last try failed, in words
	Lines   []line
	Total   money
	Expires instant
	Now     instant
	Key     string
}

// checkout shows what is held and takes the choice of payment.
func (h *Handler) checkout(v *visit) error {
	if err := v.needAccount(); err != nil {
		return err
	}
	e, err := v.loadEvent()
	if err != nil {
		return err
	}
	held, err := v.loadHold(e.Slug)
	if err != nil {
		return err
	}
	if held == nil {
		return v.noHold(e)
	}
	if held.Order != "" {
		o := &order{}
		if err := v.api(http.MethodGet, "orders/"+url.PathEscape(held.Order), nil, o); err != nil {
			return err
		}
		if o.State != "awaiting" && o.State != "committed" {
			return v.goTo("/orders/" + url.PathEscape(o.ID))
		}
		return v.showPay(e, held, o)
	}
	return v.showPay(e, held, nil)
}

// noHold sends the visitor to the order that took the hold over, or back to the seats.
func (v *visit) noHold(e event) error {
	var got struct{ Items []order }
	if err := v.api(http.MethodGet, "orders", nil, &got); err != nil {
		return err
	}
	var last *order
	for i, o := range got.Items {
		if o.Event == e.Slug && (last == nil || o.Opened.After(last.Opened.Time)) {
			last = &got.Items[i]
		}
	}
	if last != nil && (last.State == "awaiting" || last.State == "committed" || nowOf(e).Sub(last.Opened.Time).Minutes() < 60) {
		return v.goTo("/orders/" + url.PathEscape(last.ID))
	}
	return v.goTo("/e/" + v.slug() + "/seats?why=expired")
}

// payStep says what the payer has to do next.
func payStep(o *order) string {
	if o != nil && o.State == "committed" {
		return "confirming"
	}
	if o == nil || o.Payment == nil {
		return "choose"
	}
	p := o.Payment
	waits := p.State == "action" || p.State == "created"
	switch {
	case p.State == "failed", p.State == "canceled":
		return "choose"
	case waits && p.Pix != nil && p.Pix.Code != "":
		return "pix"
	case waits && webAddress(p.URL):
		return "action"
	}
	return "confirming"
}

// webAddress accepts http and https addresses only; the provider's page is linked and redirected to.
func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

func (v *visit) showPay(e event, held *hold, o *order) error {
	d := payData{E: e, Slug: e.Slug, H: held, O: o, Step: payStep(o), Now: nowOf(e), Key: newKey()}
	boot := map[string]any{"event": e.Slug, "now": d.Now.ISO(), "step": d.Step, "order": nil}
	switch {
	case o != nil:
		d.Lines, d.Total, d.Expires = o.Lines, o.Total, o.Expires
		boot["order"], boot["seen"] = o.ID, seen(o)
		if o.Payment != nil && o.Payment.State == "failed" {
			d.Decline = v.decline(o.Payment.Decline)
		}
	default:
		d.Lines, d.Total, d.Expires = held.Lines, held.Total, held.Expires
		boot["hold"] = held.ID
	}
	boot["expires"] = d.Expires.ISO()
	refresh := map[string]int{"choose": 0, "pix": 10, "action": 20, "confirming": 10}[d.Step]
	return v.show(page{
		screen: "checkout", title: v.lang.T("checkout.title." + d.Step), data: d, alert: v.asked(), refresh: refresh, boot: boot,
	})
}

// seen is what checkout.js compares, to notice that the order has changed.
func seen(o *order) string {
	if o.Payment == nil {
		return o.State + ",,"
	}
	return fmt.Sprintf("%s,%s,%d", o.State, o.Payment.State, o.Payment.Attempt)
}

// decline puts a provider's decline code into words.
func (v *visit) decline(code string) string {
	if key := "decline." + code; code != "" && v.lang.Has(key) {
		return v.lang.T(key)
	}
	return v.lang.T("decline.other")
}

// pay opens the order when there is none and starts the payment. A card leads to the provider's page, Pix to the
// order with the code. What is not known in time is shown as being confirmed.
func (h *Handler) pay(v *visit) error {
	f := v.r.PostForm
	to := "/e/" + v.slug() + "/checkout"
	o := order{ID: f.Get("order")}
	key := v.key
	if o.ID == "" {
		v.key = suffixed(key, "-o")
		if err := v.api(http.MethodPost, "events/"+v.slug()+"/orders", map[string]string{"hold": f.Get("hold")}, &o); err != nil {
			return v.settle(err, to)
		}
	}
	method := "card"
	if f.Get("method") == "pix" {
		method = "pix"
	}
	v.key = suffixed(key, "-p")
	if err := v.api(http.MethodPost, "orders/"+url.PathEscape(o.ID)+"/pay", map[string]string{"method": method}, &o); err != nil {
		return v.settle(err, to)
	}
	if payStep(&o) == "action" {
		return v.goTo(o.Payment.URL)
	}
	return v.goTo("/orders/" + url.PathEscape(o.ID))
}

func suffixed(key, suffix string) string {
	if key == "" || len(key)+len(suffix) > 128 {
		return ""
	}
	return key + suffix
}

// renew asks once for more time.
func (h *Handler) renew(v *visit) error {
	id := url.PathEscape(v.r.PostForm.Get("hold"))
	err := v.api(http.MethodPatch, "events/"+v.slug()+"/holds/"+id, map[string]bool{"renew": true}, nil)
	return v.settle(err, "/e/"+v.slug()+"/checkout")
}

// cancel gives up an order that is not paid; its seats go back.
func (h *Handler) cancel(v *visit) error {
	id := url.PathEscape(v.r.PostForm.Get("order"))
	err := v.api(http.MethodPost, "orders/"+id+"/cancel", struct{}{}, nil)
	if err != nil {
		return v.settle(err, "/e/"+v.slug()+"/checkout")
	}
	return v.goTo("/e/" + v.slug() + "/seats")
}
