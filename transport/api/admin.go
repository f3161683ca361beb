package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

// maxEventFile bounds an event file with its plan.
const maxEventFile = 12 << 20

func (s *Server) adminRoutes() {
	operator, viewer, owner := staff(account.RoleOperator), staff(account.RoleViewer), staff(account.RoleOwner)
	s.route("POST /api/v1/admin/events", s.applyEvent, operator)
	s.route("GET /api/v1/admin/events", s.adminEvents, viewer)
	s.route("GET /api/v1/admin/events/{event}/ledger", s.ledger, viewer)
	s.route("POST /api/v1/admin/events/{event}/rehearsal-fans", s.mintFans, operator)
	s.route("POST /api/v1/admin/events/{event}/open", s.steer(sale.OpOpen), operator)
	s.route("POST /api/v1/admin/events/{event}/pause", s.steer(sale.OpPause), operator)
	s.route("POST /api/v1/admin/events/{event}/resume", s.steer(sale.OpResume), operator)
	s.route("POST /api/v1/admin/events/{event}/close", s.steer(sale.OpClose), operator)
	s.route("POST /api/v1/admin/events/{event}/rate", s.steer(sale.OpRate), operator)
	s.route("POST /api/v1/admin/events/{event}/message", s.steer(sale.OpMessage), operator)
	s.route("GET /api/v1/admin/accounts", s.findAccount, owner)
	s.route("POST /api/v1/admin/accounts", s.addAccount, owner)
	s.route("POST /api/v1/admin/accounts/{id}/role", s.setRole, owner)
	s.route("POST /api/v1/admin/accounts/{id}/disable", s.disableAccount, owner)
	s.route("POST /api/v1/admin/accounts/{id}/enable", s.enableAccount, owner)
	s.route("GET /api/v1/admin/audit", s.auditTail, viewer)
	s.route("GET /api/v1/admin/status", s.status, viewer)
	s.clusterRoutes()
}

// applyEvent puts an event file on sale: first into the catalogue, which gives it number and shard, then onto the
// shard. Applying the same file again changes nothing; a sale that exists is not changed by another file.
func (s *Server) applyEvent(ctx context.Context, r *request) (answer, error) {
	body, err := s.body(r, maxEventFile)
	if err != nil {
		return answer{}, err
	}
	cfg, report, err := s.o.Import(body, r.Header.Get("Content-Type"))
	if err != nil {
		p := s.problem(wire.InvalidRequest, r.lang)
		p.Detail = err.Error()
		var d interface{ Fields() []wire.FieldError }
		if errors.As(err, &d) {
			p.Errors = d.Fields()
		}
		return answer{}, p
	}
	if err := checkSale(*cfg); err != nil {
		p := s.problem(wire.InvalidRequest, r.lang)
		p.Detail = err.Error()
		return answer{}, p
	}
	v, err := s.ApplyEvent(ctx, r.person.Account, cfg)
	if err != nil {
		return answer{}, s.refused(err, r.lang)
	}
	return answer{body: map[string]any{"event": s.renderEvent(v), "import": report}}, nil
}

// checkSale finds what is wrong with a sale before the catalogue, which gives it its number, knows of it.
func checkSale(cfg sale.Config) error {
	cfg.Event = 1
	return cfg.Validate()
}

// ApplyEvent puts a sale into the catalogue and onto its shard. Actor 0 is the house itself.
func (s *Server) ApplyEvent(ctx context.Context, actor account.ID, cfg *sale.Config) (*event.View, error) {
	if err := checkSale(*cfg); err != nil {
		return nil, err
	}
	e, ok, err := s.o.Directory.EventBySlugStrict(ctx, cfg.Slug)
	if err != nil {
		return nil, err
	}
	if ok {
		if v, err := s.o.Sales.View(sale.EventID(e.ID)); err == nil {
			return s.applyAgain(ctx, v, cfg)
		} // else a start was cut short between catalogue and shard, and is taken up again
	}
	summary, err := json.Marshal(map[string]any{"starts_at": cfg.StartsAt, "venue": cfg.Venue})
	if err != nil {
		return nil, err
	}
	res, err := s.o.Directory.Submit(ctx, &account.Command{
		Op: account.OpEventPut, Actor: actor, Slug: cfg.Slug, Name: cfg.Name, Summary: summary,
		State: account.EventListed, Rehearsal: cfg.Rehearsal,
	})
	if err != nil {
		return nil, err
	}
	if err := s.accountRefusal(res.Refusal, ""); err != nil {
		return nil, err
	}
	cfg.Event = sale.EventID(res.Event)
	// Its number may be that of an event which was lost when a backup was restored; the house's epoch keeps what this one
	// issues apart from that. The restore has raised it before anything could be put.
	if err := s.o.Directory.ReadStrict(ctx, func(st *account.State) { cfg.Epoch = st.Epoch() }); err != nil {
		return nil, err
	}
	if err := s.o.Sales.Create(ctx, res.Shard, cfg); err != nil {
		return nil, err
	}
	// A sale wakes with its first batch: then its phase is that of the clock.
	if _, err := s.o.Sales.Submit(ctx, cfg.Event, &sale.Command{Op: sale.OpTick}); err != nil {
		return nil, err
	}
	// Another node may have been first, with another file.
	v, err := s.o.Sales.View(cfg.Event)
	if err != nil {
		return nil, err
	}
	return s.applyAgain(ctx, v, cfg)
}

// applyAgain answers a file for a sale that exists: the same changes nothing, another is refused, since fans queue
// and pay under what was announced.
func (s *Server) applyAgain(ctx context.Context, v *event.View, cfg *sale.Config) (*event.View, error) {
	old, again := *v.Config, *cfg
	again.Event, again.Epoch = old.Event, old.Epoch // no file has them
	if now := s.o.Now().UnixMilli(); old.LobbyAt <= now && again.LobbyAt <= now {
		again.LobbyAt = old.LobbyAt // "at once" is another moment each time the file is read
	}
	if old.Rehearsal && again.Rehearsal { // its times are counted from when the file was first applied
		again.StartsAt, again.LobbyAt, again.OpensAt, again.ClosesAt = old.StartsAt, old.LobbyAt, old.OpensAt, old.ClosesAt
	}
	if !bytes.Equal(sale.AppendConfig(nil, &old), sale.AppendConfig(nil, &again)) {
		p := s.problem(wire.WrongState, "")
		p.Detail = "this event is on sale already, and another file does not change it; give a new event a slug of its own"
		return nil, p
	}
	return s.viewNow(ctx, v.Event)
}

// viewNow is the newest picture with what an operator may just have changed, which comes from the state itself.
func (s *Server) viewNow(ctx context.Context, id sale.EventID) (*event.View, error) {
	v, err := s.o.Sales.View(id)
	if err != nil {
		return nil, err
	}
	now := *v
	err = s.o.Sales.Read(ctx, id, func(st *sale.State) {
		now.Phase, now.Message, now.PauseReason = st.Phase(), st.Message(), st.PauseReason()
	})
	return &now, err
}

func (s *Server) adminEvents(_ context.Context, r *request) (answer, error) {
	list := wire.List[wire.Event]{Items: []wire.Event{}}
	for _, e := range s.o.Directory.Events() {
		if v, err := s.o.Sales.View(sale.EventID(e.ID)); err == nil {
			list.Items = append(list.Items, s.renderEvent(v))
		}
	}
	return answer{body: list}, nil
}

func (s *Server) status(_ context.Context, _ *request) (answer, error) {
	return answer{body: map[string]any{"ready": s.o.Ready(), "cluster": s.o.Status()}}, nil
}
