package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/transport/wire"
)

// Ask does a command without a body (join, leave, claim, finish) for a fan of the live socket. The error is a
// *[wire.Problem] in lang.
func (s *Server) Ask(ctx context.Context, p directory.Person, lang string, id sale.EventID, op sale.Op) error {
	if wait, ok := s.pace.shop(p, s.o.Now()); !ok {
		s.metrics.paced.WithLabelValues("account").Inc()
		return s.tooMany(wait, lang)
	}
	return s.refused(s.ask(ctx, p, lang, id, op, s.opKey(p, op, "")), lang)
}

func (s *Server) refused(err error, lang string) error {
	if err == nil {
		return nil
	}
	return s.toProblem(err, lang)
}

// opKey of a command without a body. What changes nothing when it is done twice needs none, and a crowd that joins
// costs no memory of answers.
func (s *Server) opKey(p directory.Person, op sale.Op, key string) sale.Key {
	var name string
	switch op {
	case sale.OpJoin:
		name = "join"
	case sale.OpClaim:
		name = "claim"
	case sale.OpLeave:
		name = "leave"
	default:
		name = opFinish
	}
	if key == "" && (op == sale.OpJoin || op == sale.OpClaim) {
		return sale.Key{}
	}
	return commandKey(p, name, key)
}

func (s *Server) ask(ctx context.Context, p directory.Person, lang string, id sale.EventID, op sale.Op, key sale.Key) error {
	res, err := s.o.Sales.Submit(ctx, id, &sale.Command{Op: op, Account: sale.AccountID(p.Account), Key: key})
	if err != nil {
		return err
	}
	return refusal(id, res, lang)
}

// plain does a command without a body over HTTP.
func (s *Server) plain(ctx context.Context, r *request, op sale.Op) (*event.View, error) {
	key, err := r.idempotencyKey()
	if err != nil {
		return nil, err
	}
	var none struct{}
	if err := s.read(r, &none); err != nil {
		return nil, err
	}
	v, err := s.event(r)
	if err != nil {
		return nil, err
	}
	return v, s.ask(ctx, r.person, r.lang, v.Event, op, s.opKey(r.person, op, key))
}

func (s *Server) join(ctx context.Context, r *request) (answer, error) {
	v, err := s.event(r)
	if err != nil {
		return answer{}, err
	}
	before, had, err := s.o.Places.Place(ctx, v.Event, r.account())
	if err != nil {
		return answer{}, err
	}
	if _, err := s.plain(ctx, r, sale.OpJoin); err != nil {
		return answer{}, err
	}
	a, number, err := s.place(ctx, r, v)
	if err == nil && (!had || number != before.Number) {
		a.status = http.StatusCreated
	}
	return a, err
}

func (s *Server) myPlace(ctx context.Context, r *request) (answer, error) {
	v, err := s.event(r)
	if err != nil {
		return answer{}, err
	}
	a, _, err := s.place(ctx, r, v)
	if p, ok := errors.AsType[*wire.Problem](err); ok && p.Code == wire.NoPlace {
		// Who joined at another node a moment ago has a place that is not here yet.
		if err := s.o.Sales.ReadStrict(ctx, v.Event, func(*sale.State) {}); err != nil {
			return answer{}, err
		}
		a, _, err = s.place(ctx, r, v)
	}
	return a, err
}

func (s *Server) place(ctx context.Context, r *request, v *event.View) (answer, queue.Place, error) {
	p, ok, err := s.o.Places.Place(ctx, v.Event, r.account())
	if err != nil {
		return answer{}, 0, err
	}
	if !ok {
		return answer{}, 0, s.problem(wire.NoPlace, r.lang)
	}
	return answer{body: RenderPlace(p, v.Config.Slug)}, p.Number, nil
}

func (s *Server) leave(ctx context.Context, r *request) (answer, error) {
	_, err := s.plain(ctx, r, sale.OpLeave)
	return answer{}, err
}

func (s *Server) finish(ctx context.Context, r *request) (answer, error) {
	_, err := s.plain(ctx, r, sale.OpFinish)
	return answer{}, err
}

func (s *Server) claim(ctx context.Context, r *request) (answer, error) {
	v, err := s.plain(ctx, r, sale.OpClaim)
	if err != nil {
		return answer{}, err
	}
	a, _, err := s.place(ctx, r, v)
	return a, err
}
