package page

import (
	"errors"
	"net/http"
	"net/url"
	"time"
)

type queueData struct {
	E    event
	P    place // zero when there is none
	Show string
	Now  instant
	Low  bool // fewer than a tenth of the places are free
}

// queue is the waiting page. It holds every state of a place at once and shows one, so that the script only has to
// switch; a visitor without scripts gets the right one from here.
func (h *Handler) queue(v *visit) error {
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
	d := queueData{E: e, Now: nowOf(e), Show: shownState(e, p)}
	if p != nil {
		d.P = *p
	}
	if d.Show == "shopping" {
		return v.goTo("/e/" + v.slug() + "/seats")
	}
	return v.show(page{
		screen: "queue", title: v.lang.T("queue.title." + d.Show), data: d, alert: v.asked(), refresh: refreshEvery(d),
		boot: map[string]any{
			"event": e.Slug, "name": e.Name, "show": d.Show, "phase": e.Phase, "now": d.Now.ISO(), "lobby": e.LobbyAt.ISO(), "opens": e.OpensAt.ISO(),
			"place": d.shown(p), "cur": sign(e.Currency), "cats": capacities(e),
		},
	})
}

// shown is the part of a place that the script starts from.
func (d queueData) shown(p *place) map[string]int64 {
	if p == nil {
		return nil
	}
	return map[string]int64{"ahead": p.Ahead, "number": p.Number}
}

// shownState names the section of the page for a place.
func shownState(e event, p *place) string {
	switch {
	case p == nil && e.Phase == "closed":
		return "closed"
	case p == nil && e.Phase == "scheduled":
		return "early"
	case p == nil:
		return "none"
	}
	switch p.State {
	case "waiting", "away":
		if e.Phase == "closed" {
			return "closed"
		}
		return "waiting"
	case "offered", "shopping", "parked", "done", "left", "removed":
		return p.State
	}
	return "none"
}

// refreshEvery is how often the page reloads without scripts, in seconds.
func refreshEvery(d queueData) int {
	switch d.Show {
	case "waiting":
		if d.P.Ahead < 50 {
			return 10
		}
		return 30
	case "early", "parked":
		return 30
	case "offered":
		return 30
	}
	return 0
}

// capacities are the places of each category, so that the script can tell "few left" from "many left".
func capacities(e event) map[int]int64 {
	m := make(map[int]int64, len(e.Category))
	for _, c := range e.Category {
		m[c.ID] = c.Capacity
	}
	return m
}

// nowOf is the server's clock as the API told it.
func nowOf(e event) instant {
	if e.Now.IsZero() {
		return instant{time.Now().UTC()}
	}
	return e.Now
}

// join takes a place. Signed out, the visitor signs in first and the place is taken right after.
func (h *Handler) join(v *visit) error {
	to := "/e/" + v.slug() + "/queue"
	err := v.api(http.MethodPost, "events/"+v.slug()+"/queue", struct{}{}, nil)
	if is(err, "unauthenticated") {
		return v.goTo("/sign-in?then=join&next=" + url.QueryEscape(to))
	}
	return v.settle(err, to)
}

// claim takes the turn.
func (h *Handler) claim(v *visit) error {
	err := v.api(http.MethodPost, "events/"+v.slug()+"/admission", struct{}{}, nil)
	if err == nil {
		return v.goTo("/e/" + v.slug() + "/seats")
	}
	return v.settle(err, "/e/"+v.slug()+"/queue")
}

// leave gives up the place, or ends the shopping when it has begun.
func (h *Handler) leave(v *visit) error {
	what := "/queue/me"
	if v.r.PostForm.Get("from") == "seats" {
		what = "/admission"
	}
	err := v.api(http.MethodDelete, "events/"+v.slug()+what, nil, nil)
	return v.settle(err, "/e/"+v.slug())
}

// settle ends a form: done or refused, the visitor is sent to a page that a reload cannot send again; a refusal
// goes along as ?why=. Being signed out, busy and broken have pages of their own.
func (v *visit) settle(err error, to string) error {
	p, ok := errors.AsType[*problem](err)
	switch {
	case err == nil:
		return v.goTo(to)
	case !ok || p.Status >= 500 || p.Status == http.StatusTooManyRequests || p.Code == "not-found" || p.Code == "foreign-origin":
		return err
	case p.Status == http.StatusUnauthorized:
		return v.goTo("/sign-in?next=" + url.QueryEscape(safeNext(to)))
	}
	return v.goTo(to + "?why=" + url.QueryEscape(p.Code))
}
