package page

import (
	"net/http"
	"net/url"
)

type eventData struct {
	E     event
	P     *place // the visitor's place, nil when none
	Now   instant
	Joins bool   // joining the queue is possible now
	Plan  string // picture of the plan, "" when there is none
}

// home lists the events; a house with one event shows it at once.
func (h *Handler) home(v *visit) error {
	var got struct{ Items []event }
	if err := v.api(http.MethodGet, "events", nil, &got); err != nil {
		return err
	}
	if len(got.Items) == 1 {
		return v.showEvent(got.Items[0])
	}
	return v.show(page{screen: "home", title: v.lang.T("home.title"), data: got.Items, public: true})
}

// event is the page of one event: what, when, where, how much, and the way into the queue.
func (h *Handler) event(v *visit) error {
	e, err := v.loadEvent()
	if err != nil {
		return err
	}
	return v.showEvent(e)
}

func (v *visit) loadEvent() (e event, err error) {
	err = v.api(http.MethodGet, "events/"+v.slug(), nil, &e)
	return e, err
}

func (v *visit) showEvent(e event) error {
	d := eventData{E: e, Now: nowOf(e), Joins: joinable(e.Phase), Plan: planPictureURL(e)}
	if v.who != nil {
		p, err := v.loadPlace(e.Slug)
		if err != nil {
			return err
		}
		d.P = p
	}
	return v.show(page{
		screen: "event", title: e.Name, data: d, alert: v.asked(), public: true,
		boot: map[string]any{"event": e.Slug, "phase": e.Phase, "lobby": e.LobbyAt.ISO(), "opens": e.OpensAt.ISO(), "tz": e.TimeZone},
	})
}

// joinable says whether a place can be taken in this phase.
func joinable(phase string) bool { return phase == "lobby" || phase == "open" || phase == "paused" }

// loadPlace is the visitor's place, or nil.
func (v *visit) loadPlace(slug string) (*place, error) {
	p := &place{}
	err := v.api(http.MethodGet, "events/"+url.PathEscape(slug)+"/queue/me", nil, p)
	switch {
	case is(err, "no-place"), is(err, "unauthenticated"):
		return nil, nil
	case is(err, "removed"):
		return &place{State: "removed"}, nil
	case is(err, "closed"):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return p, nil
}
