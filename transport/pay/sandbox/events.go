package sandbox

import (
	"slices"
	"strings"
)

func (t *tx) getEvent() (any, *failure) {
	id := t.r.PathValue("id")
	if ev := t.s.findEvent(id); ev != nil {
		return ev.Body, nil
	}
	return nil, missing("event", id)
}

// listEvents shows events, newest first, of one type or all.
func (t *tx) listEvents() (any, *failure) {
	limit := t.limit()
	after := t.p.text("starting_after", 100)
	kind := t.p.text("type", 100)
	since, _ := t.p.integer("created[gte]", 0, 1<<40)
	if f := t.p.rest(); f != nil {
		return nil, f
	}
	all := make([]*event, 0, limit+1)
	for _, ev := range slices.Backward(t.s.events) {
		if ev.Created < since {
			break
		}
		if fitsType(kind, ev.Type) {
			all = append(all, ev)
			if after == "" && len(all) > limit {
				break
			}
		}
	}
	return page("/v1/events", all, limit, after, func(ev *event) (string, any) { return ev.ID, ev.Body })
}

// fitsType compares an event type with a pattern that may end in a star; an empty pattern fits all.
func fitsType(pattern, kind string) bool {
	if head, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(kind, head)
	}
	return pattern == "" || pattern == kind
}
