package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

// event finds the event a request names, and refuses a virtual fan of another one.
func (s *Server) event(r *request) (*event.View, error) {
	return s.eventBySlug(r, r.PathValue("event"))
}

func (s *Server) eventBySlug(r *request, slug string) (*event.View, error) {
	e, ok := s.o.Directory.EventBySlug(slug)
	if !ok && r.person.Role >= account.RoleViewer && r.Request != nil {
		// Organisers look at what they have just made, maybe at another node. Fans hear of an event later than that.
		var err error
		if e, ok, err = s.o.Directory.EventBySlugStrict(r.Context(), slug); err != nil {
			return nil, err
		}
	}
	if !ok || (e.State == account.EventDraft || e.State == account.EventArchived) && r.person.Role < account.RoleViewer {
		return nil, s.problem(wire.NotFound, r.lang)
	}
	return s.eventByID(r, sale.EventID(e.ID))
}

func (s *Server) eventByID(r *request, id sale.EventID) (*event.View, error) {
	if r.person.Virtual && sale.EventID(r.person.Event) != id {
		return nil, s.problem(wire.Forbidden, r.lang)
	}
	return s.o.Sales.View(id)
}

func (s *Server) listEvents(_ context.Context, r *request) (answer, error) {
	list := wire.List[wire.Event]{Items: []wire.Event{}}
	for _, e := range s.o.Directory.Events() {
		if e.State == account.EventDraft || e.State == account.EventArchived {
			continue
		}
		if v, err := s.o.Sales.View(sale.EventID(e.ID)); err == nil {
			list.Items = append(list.Items, s.renderEvent(v))
		}
	}
	return answer{body: list}, nil
}

func (s *Server) getEvent(_ context.Context, r *request) (answer, error) {
	v, err := s.event(r)
	if err != nil {
		return answer{}, err
	}
	return answer{body: s.renderEvent(v)}, nil
}

// getPlan serves the geometry. Its address holds its hash, so browsers and proxies may keep it for ever.
func (s *Server) getPlan(_ context.Context, r *request) (answer, error) {
	v, err := s.event(r)
	if err != nil {
		return answer{}, err
	}
	p := s.plans.get(v)
	if strings.TrimSuffix(r.PathValue("file"), ".json") != p.hash {
		return answer{}, s.problem(wire.NotFound, r.lang)
	}
	h := http.Header{"Cache-Control": {"public, max-age=31536000, immutable"}, "Vary": {"Accept-Encoding"}}
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		return answer{raw: p.gzip, kind: "application/json", header: h}, nil
	}
	return answer{raw: p.json, kind: "application/json", header: h}, nil
}

func takesGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") && quality(params) > 0 {
			return true
		}
	}
	return false
}

// seats is the state of the seat map.
type seats struct {
	Version uint64            `json:"version"`
	Status  string            `json:"status,omitempty"`
	Changes *[]wire.UnitState `json:"changes,omitempty"` // instead of Status; may be empty
	Areas   []areaFree        `json:"areas"`
}

type areaFree struct {
	Unit uint32 `json:"unit"`
	Free uint32 `json:"free"`
}

func (s *Server) getSeats(ctx context.Context, r *request) (answer, error) {
	v, err := s.event(r)
	if err != nil {
		return answer{}, err
	}
	mine, err := s.heldUnits(ctx, v.Event, r.account())
	if err != nil {
		return answer{}, err
	}
	if q := r.URL.Query().Get("since"); q != "" {
		since, err := strconv.ParseUint(q, 10, 64)
		if err != nil {
			return answer{}, invalid(r.lang, "/since", "type", "a version number")
		}
		changes, ok, err := s.o.Sales.UnitChanges(v.Event, since)
		if err != nil {
			return answer{}, err
		}
		if ok {
			return answer{body: changedSeats(v, changes, since, mine)}, nil
		}
	}
	status := make([]byte, len(v.Seats))
	for i, u := range v.Seats {
		status[i] = wire.UnitLetter(sale.UnitStatus(u))
	}
	for u := range mine {
		if int(u) < len(status) {
			status[u] = 'm'
		}
	}
	return answer{body: seats{Version: v.SeatVersion, Status: string(status), Areas: renderAreas(v)}}, nil
}

// heldUnits are the units of the caller's hold, which the picture may not have yet.
func (s *Server) heldUnits(ctx context.Context, e sale.EventID, who sale.AccountID) (map[sale.UnitID]bool, error) {
	mine := make(map[sale.UnitID]bool)
	err := s.o.Sales.Read(ctx, e, func(st *sale.State) {
		if h, ok := st.HoldOf(who); ok {
			for _, l := range h.Lines {
				mine[l.Unit] = true
			}
		}
	})
	return mine, err
}

// changedSeats is what happened after a version. The changes may be newer than the picture, so the areas follow them.
func changedSeats(v *event.View, changes []event.UnitChange, since uint64, mine map[sale.UnitID]bool) seats {
	out := seats{Version: max(v.SeatVersion, since), Changes: &[]wire.UnitState{}, Areas: renderAreas(v)}
	for _, c := range changes {
		out.Version = max(out.Version, c.Version)
		if area := int(c.Unit) - len(v.Seats); area >= 0 {
			out.Areas[area].Free = c.Free
			continue
		}
		letter := wire.UnitLetter(c.Status)
		if letter == 'h' && mine[c.Unit] {
			letter = 'm'
		}
		*out.Changes = append(*out.Changes, wire.UnitState{Unit: uint32(c.Unit), Letter: letter})
	}
	return out
}

func renderAreas(v *event.View) []areaFree {
	out := make([]areaFree, len(v.AreaFree))
	for i, free := range v.AreaFree {
		out[i] = areaFree{Unit: uint32(len(v.Seats) + i), Free: free}
	}
	return out
}
