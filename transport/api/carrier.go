package api

import (
	"context"

	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/sale"
)

// Event finds an event for a person who may see it, for the live socket. The error is a *[wire.Problem] when the
// person may not.
func (s *Server) Event(p directory.Person, slug string) (sale.EventID, error) {
	r := &request{person: p, lang: p.Lang}
	v, err := s.eventBySlug(r, slug)
	if err != nil {
		return 0, s.toProblem(err, p.Lang)
	}
	return v.Event, nil
}

// Still says whether a person's session holds.
func (s *Server) Still(ctx context.Context, p directory.Person) bool {
	open, err := s.o.Directory.Holds(ctx, p)
	return err != nil || open // a node that cannot ask keeps its fans
}
