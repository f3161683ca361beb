package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

// maxEventFile bounds an event file with its plan.
const maxEventFile = 12 << 20

// maxMint bounds the virtual fans of one call.
const maxMint = 10_000

func (s *Server) adminRoutes() {
	operator := func(h handler) http.Handler { return s.handle(h, account.RoleOperator) }
	viewer := func(h handler) http.Handler { return s.handle(h, account.RoleViewer) }
	owner := func(h handler) http.Handler { return s.handle(h, account.RoleOwner) }
	s.mux.Handle("POST /api/v1/admin/events", operator(s.applyEvent))
	s.mux.Handle("GET /api/v1/admin/events", viewer(s.adminEvents))
	s.mux.Handle("GET /api/v1/admin/events/{event}/ledger", viewer(s.ledger))
	s.mux.Handle("POST /api/v1/admin/events/{event}/rehearsal-fans", operator(s.mintFans))
	s.mux.Handle("POST /api/v1/admin/events/{event}/open", operator(s.steer(sale.OpOpen)))
	s.mux.Handle("POST /api/v1/admin/events/{event}/pause", operator(s.steer(sale.OpPause)))
	s.mux.Handle("POST /api/v1/admin/events/{event}/resume", operator(s.steer(sale.OpResume)))
	s.mux.Handle("POST /api/v1/admin/events/{event}/close", operator(s.steer(sale.OpClose)))
	s.mux.Handle("POST /api/v1/admin/events/{event}/rate", operator(s.steer(sale.OpRate)))
	s.mux.Handle("POST /api/v1/admin/events/{event}/message", operator(s.steer(sale.OpMessage)))
	s.mux.Handle("GET /api/v1/admin/accounts", owner(s.findAccount))
	s.mux.Handle("POST /api/v1/admin/accounts", owner(s.addAccount))
	s.mux.Handle("POST /api/v1/admin/accounts/{id}/role", owner(s.setRole))
	s.mux.Handle("POST /api/v1/admin/accounts/{id}/disable", owner(s.disableAccount))
	s.mux.Handle("GET /api/v1/admin/audit", viewer(s.auditTail))
	s.mux.Handle("GET /api/v1/admin/status", viewer(s.status))
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
		if d, ok := err.(interface{ Fields() []wire.FieldError }); ok { //nolint:errorlint // the importer's own error is never wrapped
			p.Errors = d.Fields()
		}
		return answer{}, p
	}
	v, err := s.ApplyEvent(ctx, r.person.Account, cfg)
	if err != nil {
		return answer{}, s.refused(err, r.lang)
	}
	return answer{body: map[string]any{"event": s.renderEvent(v), "import": report}}, nil
}

// ApplyEvent puts a sale into the catalogue and onto its shard. Actor 0 is the house itself.
func (s *Server) ApplyEvent(ctx context.Context, actor account.ID, cfg *sale.Config) (*event.View, error) {
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
	if err := s.o.Sales.Create(ctx, res.Shard, cfg); err != nil {
		return nil, err
	}
	return s.o.Sales.View(cfg.Event)
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

// steer is what an operator does to a running sale.
func (s *Server) steer(op sale.Op) handler {
	return func(ctx context.Context, r *request) (answer, error) {
		var in struct {
			Reason    string `json:"reason"`
			Text      string `json:"text"`
			PerMinute int64  `json:"per_minute"`
			Active    int64  `json:"active"`
		}
		if err := s.read(r, &in); err != nil {
			return answer{}, err
		}
		v, err := s.event(r)
		if err != nil {
			return answer{}, err
		}
		cmd := sale.Command{Op: op, Actor: r.account(), Text: in.Reason}
		switch op {
		case sale.OpMessage:
			cmd.Text = in.Text
		case sale.OpRate:
			if in.PerMinute < 0 || in.Active < 0 || in.PerMinute > 1_000_000 || in.Active > 1_000_000 || in.PerMinute+in.Active == 0 {
				return answer{}, invalid(r.lang, "/per_minute", "range", "per_minute or active, 1 to 1,000,000; 0 leaves it as it is")
			}
			cmd.Amount, cmd.Limit = in.PerMinute, in.Active
		}
		if len(cmd.Text) > 500 {
			return answer{}, invalid(r.lang, "/text", "length", "at most 500 bytes")
		}
		cmd.Key = commandKey(r.person, "steer"+r.URL.Path, r.Header.Get("Idempotency-Key"))
		res, err := s.o.Sales.Submit(ctx, v.Event, &cmd)
		if err != nil {
			return answer{}, err
		}
		if err := refusal(v.Event, res, r.lang); err != nil {
			return answer{}, err
		}
		if err := s.audit(ctx, r, "event."+steerName(op), v.Config.Slug, cmd.Text); err != nil {
			return answer{}, err
		}
		// The picture may be a moment older than the command; phase and message come from the state itself.
		now := *v
		err = s.o.Sales.Read(ctx, v.Event, func(st *sale.State) {
			now.Phase, now.Message, now.PauseReason = st.Phase(), st.Message(), st.PauseReason()
		})
		return answer{body: s.renderEvent(&now)}, err
	}
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

// audit books what an operator did to a sale, in the directory's chain.
func (s *Server) audit(ctx context.Context, r *request, action, target, reason string) error {
	res, err := s.o.Directory.Submit(ctx, &account.Command{
		Op: account.OpAudit, Actor: r.person.Account, Action: action, Target: target, Reason: reason,
	})
	if err != nil {
		return err
	}
	return s.accountRefusal(res.Refusal, r.lang)
}

// mintFans makes accounts and sessions for virtual fans of a rehearsal, so that a load test need not hash.
func (s *Server) mintFans(ctx context.Context, r *request) (answer, error) {
	var in struct {
		Count uint32 `json:"count"`
	}
	if err := s.read(r, &in); err != nil {
		return answer{}, err
	}
	if in.Count == 0 || in.Count > maxMint {
		return answer{}, invalid(r.lang, "/count", "range", "1 to "+strconv.Itoa(maxMint))
	}
	v, err := s.event(r)
	if err != nil {
		return answer{}, err
	}
	fans, err := s.MintFans(ctx, r.person.Account, v.Event, in.Count)
	if err != nil {
		return answer{}, s.refused(err, r.lang)
	}
	return answer{status: http.StatusCreated, body: map[string]any{"fans": fans}}, nil
}

// Fan is a virtual fan with a session.
type Fan struct {
	Account string `json:"account"`
	Token   string `json:"token"`
}

// MintFans makes virtual fans; the event must be a rehearsal. Actor 0 is the house itself.
func (s *Server) MintFans(ctx context.Context, actor account.ID, id sale.EventID, count uint32) ([]Fan, error) {
	var fans []Fan
	for uint32(len(fans)) < count {
		cmd := &account.Command{
			Op: account.OpMintFans, Actor: actor, Event: account.EventID(id), Count: min(count-uint32(len(fans)), 1000),
			Lang: "pt-BR", Expires: s.o.Now().Add(24 * time.Hour).UnixMilli(),
		}
		_, _ = rand.Read(cmd.Seed[:]) // never fails
		res, err := s.o.Directory.Submit(ctx, cmd)
		if err != nil {
			return nil, err
		}
		if res.Refusal == account.RefusedBusy {
			continue
		}
		if err := s.accountRefusal(res.Refusal, ""); err != nil {
			return nil, err
		}
		for i := range cmd.Count {
			raw := sha256.Sum256(binary.BigEndian.AppendUint32(cmd.Seed[:], i))
			fans = append(fans, Fan{
				Account: strconv.FormatUint(uint64(res.Account)+uint64(i), 10), Token: directory.EncodeToken(raw[:]),
			})
		}
	}
	return fans, nil
}

func (s *Server) status(_ context.Context, _ *request) (answer, error) {
	return answer{body: map[string]any{"ready": s.o.Ready(), "cluster": s.o.Status()}}, nil
}
