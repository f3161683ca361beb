package page

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

type seatsData struct {
	E        event
	P        place
	H        *hold
	Now      instant
	Key      string
	Form     bestForm
	Sections []sectionFree
	Open     *sectionRows // the section listed for visitors without scripts
	Areas    []areaFree
	SoldOut  bool // the form found nothing: offer places apart
}

// bestForm is the best-available form as it was sent.
type bestForm struct {
	Quantity, Accessible int
	Category, Section    string // ids, "" for any
	Scatter              bool
}

// seats is the shop: best available first, then the plan as a picture and as a list.
func (h *Handler) seats(v *visit) error {
	return v.showSeats(bestForm{Quantity: 2}, v.asked(), 0)
}

func (v *visit) showSeats(form bestForm, alert notice, status int) error {
	if err := v.needAccount(); err != nil {
		return err
	}
	e, err := v.loadEvent()
	if err != nil {
		return err
	}
	p, err := v.loadPlace(e.Slug)
	if err != nil {
		return err
	}
	held, err := v.loadHold(e.Slug)
	if err != nil {
		return err
	}
	if held != nil && held.Order != "" {
		return v.goTo("/e/" + v.slug() + "/checkout")
	}
	if p == nil || p.State != "shopping" {
		if held != nil {
			return v.goTo("/e/" + v.slug() + "/checkout")
		}
		return v.goTo("/e/" + v.slug() + "/queue")
	}
	d := seatsData{E: e, P: *p, H: held, Now: nowOf(e), Key: newKey(), Form: form, SoldOut: status != 0 && alert.Title == v.lang.T("problem.sold-out.title")}
	if err := v.listSeats(&d); err != nil {
		return err
	}
	return v.show(page{
		screen: "seats", title: v.lang.T("seats.title"), data: d, alert: alert, status: status, refresh: 0,
		boot: map[string]any{
			"event": e.Slug, "now": d.Now.ISO(), "deadline": p.Deadline.ISO(), "plan": e.PlanURL, "limit": e.Limits.PerHold,
			"cats": e.Category, "cur": sign(e.Currency), "glyphs": glyphs(), "hold": held,
		},
	})
}

// loadHold is the visitor's live hold, or nil.
func (v *visit) loadHold(slug string) (*hold, error) {
	got := &hold{}
	err := v.api(http.MethodGet, "events/"+url.PathEscape(slug)+"/holds/me", nil, got)
	if p, ok := errors.AsType[*problem](err); ok && (p.Status == http.StatusNotFound || p.Code == "no-lease" || p.Code == "expired" || p.Code == "no-place") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return got, nil
}

// newKey makes an idempotency key for a form, so that sending it twice holds or pays once.
func newKey() string { return rand.Text() }

// hold asks for the best places, or for the seats ticked in the list.
func (h *Handler) hold(v *visit) error {
	f := v.r.PostForm
	form := bestForm{
		Quantity: number(f.Get("quantity")), Accessible: number(f.Get("accessible")),
		Category: f.Get("category"), Section: f.Get("section"), Scatter: f.Get("scatter") != "",
	}
	err := v.api(http.MethodPost, "events/"+v.slug()+"/holds", holdBody(f, form), nil)
	p, ok := errors.AsType[*problem](err)
	if err == nil || is(err, "hold-exists") {
		return v.goTo("/e/" + v.slug() + "/checkout")
	}
	if ok && (p.Code == "no-lease" || p.Code == "not-your-turn" || p.Code == "no-place") {
		return v.settle(err, "/e/"+v.slug()+"/queue")
	}
	if ok && p.Status >= 400 && p.Status < 500 && p.Status != http.StatusTooManyRequests && p.Status != http.StatusUnauthorized && p.Code != "not-found" {
		// The stored refusal belongs to the old key: the form shown next gets a new one.
		v.key = ""
		return v.showSeats(form, v.notice(p), p.Status)
	}
	return v.settle(err, "/e/"+v.slug()+"/seats")
}

func holdBody(f url.Values, form bestForm) map[string]any {
	if f.Get("by") != "seats" {
		best := map[string]any{"quantity": form.Quantity, "accessible": form.Accessible, "scatter": form.Scatter, "category": nil, "section": nil, "max_price": nil}
		if id, err := strconv.Atoi(form.Category); err == nil {
			best["category"] = id
		}
		if id, err := strconv.Atoi(form.Section); err == nil {
			best["section"] = id
		}
		return map[string]any{"best": best}
	}
	seats, areas := []int{}, []map[string]int{}
	for _, s := range f["seat"] {
		if n, err := strconv.Atoi(s); err == nil {
			seats = append(seats, n)
		}
	}
	for name := range f {
		unit, err := strconv.Atoi(strings.TrimPrefix(name, "area"))
		if n := number(f.Get(name)); err == nil && strings.HasPrefix(name, "area") && n > 0 {
			areas = append(areas, map[string]int{"unit": unit, "count": n})
		}
	}
	return map[string]any{"seats": seats, "areas": areas}
}

// number reads a count of a form; what is not one is 0, which the API refuses by name.
func number(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 || n > 1000 {
		return 0
	}
	return n
}

// release gives the held places back.
func (h *Handler) release(v *visit) error {
	err := v.api(http.MethodDelete, "events/"+v.slug()+"/holds/"+url.PathEscape(v.r.PostForm.Get("hold")), nil, nil)
	if is(err, "expired") || is(err, "not-found") {
		err = nil
	}
	return v.settle(err, "/e/"+v.slug()+"/seats")
}
