package api

import (
	"context"
	"crypto/sha256"
	"strconv"
	"strings"
	"unicode"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/sale"
)

// steer is what an operator does to a running sale.
func (s *Server) steer(op sale.Op) handler {
	return func(ctx context.Context, r *request) (answer, error) {
		cmd, err := s.steering(r, op)
		if err != nil {
			return answer{}, err
		}
		v, err := s.event(r)
		if err != nil {
			return answer{}, err
		}
		res, err := s.o.Sales.Submit(ctx, v.Event, &cmd)
		if err != nil {
			return answer{}, err
		}
		if err := refusal(v.Event, res, r.lang); err != nil {
			return answer{}, err
		}
		if err := s.audit(ctx, r, cmd.Key, "event."+steerName(op), v.Config.Slug, cmd.Text); err != nil {
			return answer{}, err
		}
		now, err := s.viewNow(ctx, v.Event)
		if err != nil {
			return answer{}, err
		}
		return answer{body: s.renderEvent(now)}, nil
	}
}

// steering reads what an operator wants. Each operation has its own fields.
func (s *Server) steering(r *request, op sale.Op) (sale.Command, error) {
	var in struct {
		Reason    *string `json:"reason"`
		Text      *string `json:"text"`
		PerMinute *int64  `json:"per_minute"`
		Active    *int64  `json:"active"`
	}
	cmd := sale.Command{Op: op, Actor: r.account()}
	if err := s.read(r, &in); err != nil {
		return cmd, err
	}
	key, err := r.idempotencyKey()
	if err != nil {
		return cmd, err
	}
	cmd.Key = commandKey(r.person, "steer."+steerName(op), key)
	for _, f := range []struct {
		name  string
		given bool
		of    sale.Op
	}{
		{"reason", in.Reason != nil, sale.OpPause}, {"text", in.Text != nil, sale.OpMessage},
		{"per_minute", in.PerMinute != nil, sale.OpRate}, {"active", in.Active != nil, sale.OpRate},
	} {
		if f.given && f.of != op {
			return cmd, invalid(r.lang, "/"+f.name, "unknown", "this field is not known")
		}
	}
	text := or(in.Reason, or(in.Text, ""))
	if len(text) > maxSteerText {
		at := "/reason"
		if op == sale.OpMessage {
			at = "/text"
		}
		return cmd, invalid(r.lang, at, "length", "at most "+strconv.Itoa(maxSteerText)+" bytes")
	}
	cmd.Text = text
	if op == sale.OpRate {
		cmd.Amount, cmd.Limit = or(in.PerMinute, 0), or(in.Active, 0)
		if cmd.Amount < 0 || cmd.Limit < 0 || cmd.Amount > maxRate || cmd.Limit > maxRate || cmd.Amount+cmd.Limit == 0 {
			return cmd, invalid(r.lang, "/per_minute", "range", "per_minute or active, 1 to 1000000; 0 leaves it as it is")
		}
	}
	return cmd, nil
}

const (
	maxSteerText = 500 // bytes; the audit keeps no more
	maxRate      = 1_000_000
)

// or is the value, or what stands for one that was not given.
func or[T any](v *T, none T) T {
	if v == nil {
		return none
	}
	return *v
}

func steerName(op sale.Op) string {
	switch op {
	case sale.OpOpen:
		return "open"
	case sale.OpPause:
		return "pause"
	case sale.OpResume:
		return "resume"
	case sale.OpClose:
		return "close"
	case sale.OpRate:
		return "rate"
	default:
		return "message"
	}
}

// audit books what an operator did to a sale, in the directory's chain, once for each command.
func (s *Server) audit(ctx context.Context, r *request, done sale.Key, action, target, reason string) error {
	sum := sha256.Sum256(append([]byte("audit"), done[:]...))
	res, err := s.o.Directory.Submit(ctx, &account.Command{
		Op: account.OpAudit, Actor: r.person.Account, Action: action, Target: target, Reason: auditText(reason),
		Key: account.Key(sum[:16]),
	})
	if err != nil {
		return err
	}
	return s.accountRefusal(res.Refusal, r.lang)
}

// auditText is an organiser's text on one line, as the audit wants it.
func auditText(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }), " ")
}
