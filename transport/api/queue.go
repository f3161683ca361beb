package api

import (
	"context"
	"net/http"

	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

// Ask does a command without a body (join, leave, claim, finish) for a fan of the live socket. The error is a
// *[wire.Problem] in the fan's language.
func (s *Server) Ask(ctx context.Context, p directory.Person, id sale.EventID, op sale.Op) error {
	return s.refused(s.ask(ctx, p, id, op), p.Lang)
}

func (s *Server) refused(err error, lang string) error {
	if err == nil {
		return nil
	}
	return s.toProblem(err, lang)
}

func (s *Server) ask(ctx context.Context, p directory.Person, id sale.EventID, op sale.Op) error {
	res, err := s.o.Sales.Submit(ctx, id, &sale.Command{Op: op, Account: sale.AccountID(p.Account)})
	if err != nil {
		return err
	}
	return refusal(id, res, p.Lang)
}

func (s *Server) join(ctx context.Context, r *request) (answer, error) {
	v, err := s.event(r)
	if err != nil {
		return answer{}, err
	}
	_, had, err := s.o.Places.Place(ctx, v.Event, r.account())
	if err != nil {
		return answer{}, err
	}
	if err := s.ask(ctx, r.person, v.Event, sale.OpJoin); err != nil {
		return answer{}, err
	}
	a, err := s.place(ctx, r, v)
	if err == nil && !had {
		a.status = http.StatusCreated
	}
	return a, err
}

func (s *Server) myPlace(ctx context.Context, r *request) (answer, error) {
	v, err := s.event(r)
	if err != nil {
		return answer{}, err
	}
	return s.place(ctx, r, v)
}

func (s *Server) place(ctx context.Context, r *request, v *event.View) (answer, error) {
	p, ok, err := s.o.Places.Place(ctx, v.Event, r.account())
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return answer{}, s.problem(wire.NoPlace, r.lang)
	}
	return answer{body: RenderPlace(p, v.Config.Slug)}, nil
}

func (s *Server) leave(ctx context.Context, r *request) (answer, error) {
	return s.plain(ctx, r, sale.OpLeave)
}

func (s *Server) finish(ctx context.Context, r *request) (answer, error) {
	return s.plain(ctx, r, sale.OpFinish)
}

func (s *Server) plain(ctx context.Context, r *request, op sale.Op) (answer, error) {
	v, err := s.event(r)
	if err != nil {
		return answer{}, err
	}
	return answer{}, s.ask(ctx, r.person, v.Event, op)
}

func (s *Server) claim(ctx context.Context, r *request) (answer, error) {
	v, err := s.event(r)
	if err != nil {
		return answer{}, err
	}
	if err := s.ask(ctx, r.person, v.Event, sale.OpClaim); err != nil {
		return answer{}, err
	}
	return s.place(ctx, r, v)
}
