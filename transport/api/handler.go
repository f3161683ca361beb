package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/directory/password"
	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/transport/wire"
)

// maxBody bounds a request's body; organisers' event files and webhooks have their own bounds.
const maxBody = 16 << 10

// request is one call with what every handler needs to know about it.
type request struct {
	*http.Request

	person directory.Person // zero when nobody is signed in
	lang   string
	w      http.ResponseWriter
	raw    []byte // the body, once read
}

// account of the caller as the sale knows it.
func (r *request) account() sale.AccountID { return sale.AccountID(r.person.Account) }

// answer is what a handler says: JSON, or bytes of a type, or nothing.
type answer struct {
	status int
	body   any
	raw    []byte
	kind   string // content type of raw
	header http.Header
}

type handler func(ctx context.Context, r *request) (answer, error)

// access says who may call an operation.
type access struct {
	anyone bool
	least  account.Role // of those who are signed in
	paced  bool         // counts against the pace of the account
}

// handle answers an operation; route names it in the metrics.
func (s *Server) handle(route string, h handler, who access) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		began := time.Now()
		r := &request{Request: hr, w: w, lang: language(hr)}
		err := s.admit(r, who)
		var a answer
		if err == nil {
			a, err = h(hr.Context(), r)
		}
		var p *wire.Problem
		if err != nil {
			p = s.toProblem(err, r.lang)
			s.writeProblem(w, r, p, err)
		} else {
			s.write(w, a)
		}
		s.metrics.answered(route, a.sent(p), time.Since(began))
	})
}

// admit finds out who calls and whether they may.
func (s *Server) admit(r *request, who access) error {
	if isHouse(r.Request) {
		return s.admitHouse(r, who)
	}
	token, cookie := s.token(r.Request)
	if token != "" {
		p, err := s.o.Directory.Authenticate(r.Context(), token)
		switch {
		case errors.Is(err, directory.ErrNoSession):
		case err != nil:
			return err
		default:
			r.person, r.lang = p, p.Lang
		}
	}
	// A cookie is sent by the browser whoever asks it to; a bearer token is not.
	if cookie || token == "" {
		if err := s.cross.Check(r.Request); err != nil {
			return s.problem(wire.ForeignOrigin, r.lang)
		}
	}
	if err := s.keepPace(r, who); err != nil || who.anyone {
		return err
	}
	if r.person.Account == 0 {
		return s.problem(wire.Unauthenticated, r.lang)
	}
	if r.person.Role < who.least {
		return s.problem(wire.Forbidden, r.lang)
	}
	return nil
}

func (s *Server) write(w http.ResponseWriter, a answer) {
	maps.Copy(w.Header(), a.header)
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	switch {
	case a.raw != nil:
		w.Header().Set("Content-Type", a.kind)
		w.WriteHeader(status)
		_, _ = w.Write(a.raw) // the visitor is gone when this fails
	case a.body != nil:
		b, err := json.Marshal(a.body)
		if err != nil {
			s.o.Logger.Error("answer not encoded", slog.Any("error", err))
			status, b = http.StatusInternalServerError, wire.NewProblem(wire.Internal, "").JSON()
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(b)
	default:
		if a.status == 0 {
			status = http.StatusNoContent
		}
		w.WriteHeader(status)
	}
}

// writeProblem answers with a problem. Of the causes only those nobody was prepared for are logged.
func (s *Server) writeProblem(w http.ResponseWriter, r *request, p *wire.Problem, err error) {
	if p.Code == wire.Internal {
		s.o.Logger.Error("request failed", slog.String("method", r.Method), slog.String("route", r.Pattern), slog.Any("error", err))
	}
	p.Write(w)
}

func (s *Server) problem(c wire.Code, lang string) *wire.Problem { return wire.NewProblem(c, lang) }

// toProblem turns any error into what may be told; everything unknown is "internal" to the visitor.
func (s *Server) toProblem(err error, lang string) *wire.Problem {
	var p *wire.Problem
	var busy *event.BusyError
	var hashing *password.BusyError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &busy):
		p = wire.NewProblem(wire.Busy, lang)
		p.RetryAfter = busy.RetryAfter.Milliseconds()
	case errors.As(err, &hashing):
		p = wire.NewProblem(wire.Busy, lang)
		p.RetryAfter = hashing.RetryAfter.Milliseconds()
	case errors.Is(err, event.ErrNoEvent):
		p = wire.NewProblem(wire.NotFound, lang)
	case errors.Is(err, sequencer.ErrUnavailable), errors.Is(err, sequencer.ErrStopped), errors.Is(err, sequencer.ErrNotLeader),
		errors.Is(err, sequencer.ErrUnknown), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		p = wire.NewProblem(wire.Unavailable, lang)
		p.RetryAfter = 1000
	default:
		p = wire.NewProblem(wire.Internal, lang)
	}
	return p
}

// body reads a bounded body.
func (s *Server) body(r *request, most int64) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(r.w, r.Body, most))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			p := s.problem(wire.TooLarge, r.lang)
			p.Detail = "at most " + strconv.FormatInt(most, 10) + " bytes"
			return nil, p
		}
		p := s.problem(wire.InvalidRequest, r.lang)
		p.Detail = "the body ended early"
		return nil, p
	}
	return b, nil
}
