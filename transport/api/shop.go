package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"net/http"

	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/seatmap"
	"github.com/catraca/catraca/transport/wire"
)

// The shopping operations, one set for both carriers. Over HTTP the id is in the path, over the socket in the body.
const (
	opHold        = "hold"
	opHoldGet     = "hold.get"
	opHoldChange  = "hold.change"
	opHoldRelease = "hold.release"
	opOrder       = "order"
	opOrderGet    = "order.get"
	opOrderCancel = "order.cancel"
	opPay         = "pay"
	opFinish      = "finish"
)

// call is one shopping operation on its way.
type call struct {
	s      *Server
	person directory.Person
	view   *event.View // nil when the id names the event
	id     string
	key    sale.Key
	body   []byte
}

// Call does a shopping operation for a fan of the live socket and returns what HTTP would have answered.
func (s *Server) Call(ctx context.Context, p directory.Person, id sale.EventID, op, key string, body []byte) (status int, out []byte) {
	v, err := s.o.Sales.View(id)
	var a answer
	if err == nil {
		c := &call{s: s, person: p, view: v, key: commandKey(p, op, key), body: body}
		a, err = c.do(ctx, op)
	}
	if err != nil {
		problem := s.toProblem(err, p.Lang)
		return problem.Status, problem.JSON()
	}
	if a.body == nil {
		return http.StatusNoContent, nil
	}
	b, err := json.Marshal(a.body)
	if err != nil {
		problem := s.problem(wire.Internal, p.Lang)
		return problem.Status, problem.JSON()
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.status, b
}

// httpOp carries a shopping operation over HTTP.
func (s *Server) httpOp(op string) handler {
	return func(ctx context.Context, r *request) (answer, error) {
		body, err := s.body(r, maxBody)
		if err != nil {
			return answer{}, err
		}
		key := r.Header.Get("Idempotency-Key")
		if len(key) > 128 {
			return answer{}, invalid(r.lang, "/Idempotency-Key", "length", "at most 128 characters")
		}
		c := &call{s: s, person: r.person, id: r.PathValue("id"), key: commandKey(r.person, op+r.PathValue("id"), key), body: body}
		c.person.Lang = r.lang
		if r.PathValue("event") != "" {
			if c.view, err = s.event(r); err != nil {
				return answer{}, err
			}
		}
		return c.do(ctx, op)
	}
}

// commandKey binds a caller's key to the caller and the operation; without one the call is a new one each time.
func commandKey(p directory.Person, op, key string) sale.Key {
	var k sale.Key
	if key == "" {
		_, _ = rand.Read(k[:]) // never fails
		return k
	}
	b := binary.BigEndian.AppendUint64([]byte("call1"), uint64(p.Account))
	b = append(append(append(b, op...), 0), key...)
	sum := sha256.Sum256(b)
	copy(k[:], sum[:])
	return k
}

func (c *call) do(ctx context.Context, op string) (answer, error) {
	switch op {
	case opHold:
		return c.hold(ctx)
	case opHoldGet:
		return c.holdGet(ctx)
	case opHoldChange:
		return c.holdChange(ctx)
	case opHoldRelease:
		return c.holdRelease(ctx)
	case opOrder:
		return c.order(ctx)
	case opOrderGet:
		return c.orderGet(ctx)
	case opOrderCancel:
		return c.orderCancel(ctx)
	case opPay:
		return c.pay(ctx)
	case opFinish:
		return answer{}, c.s.ask(ctx, c.person, c.view.Event, sale.OpFinish)
	default:
		return answer{}, invalid(c.person.Lang, "/op", "unknown", "one of hold, hold.get, hold.change, hold.release, order, order.get, order.cancel, pay, finish")
	}
}

func (c *call) submit(ctx context.Context, cmd sale.Command) (sale.Result, error) {
	cmd.Account, cmd.Key = sale.AccountID(c.person.Account), c.key
	res, err := c.s.o.Sales.Submit(ctx, c.view.Event, &cmd)
	if err != nil {
		return res, err
	}
	return res, refusal(c.view.Event, res, c.person.Lang)
}

func (c *call) hold(ctx context.Context) (answer, error) {
	var in wire.HoldRequest
	if err := decode(c.body, &in, c.person.Lang); err != nil {
		return answer{}, err
	}
	cmd := sale.Command{Op: sale.OpHold}
	if in.Best != nil {
		if len(in.Seats)+len(in.Areas) > 0 {
			return answer{}, invalid(c.person.Lang, "/best", "both", "either best, or seats and areas")
		}
		cmd.Best = bestQuery(in.Best)
		if cmd.Best.Quantity == 0 {
			return answer{}, invalid(c.person.Lang, "/best/quantity", "range", "at least 1")
		}
	} else if cmd.Lines = lines(&in); len(cmd.Lines) == 0 {
		return answer{}, invalid(c.person.Lang, "/seats", "required", "name seats, areas or best")
	}
	res, err := c.submit(ctx, cmd)
	if err != nil {
		return answer{}, err
	}
	a, err := c.showHold(ctx, res.Hold, res.Adjacent)
	a.status = http.StatusCreated
	return a, err
}

func bestQuery(b *wire.BestRequest) seatmap.BestQuery {
	q := seatmap.BestQuery{
		Quantity: b.Quantity, AnyCategory: b.Category == nil, AnySection: b.Section == nil,
		Accessible: b.Accessible, Scatter: b.Scatter,
	}
	if b.Category != nil {
		q.Category = *b.Category
	}
	if b.Section != nil {
		q.Section = *b.Section
	}
	if b.MaxPrice != nil {
		q.MaxPrice = *b.MaxPrice
	}
	return q
}

func lines(in *wire.HoldRequest) []sale.Line {
	if in == nil {
		return nil
	}
	var out []sale.Line
	for _, u := range in.Seats {
		out = append(out, sale.Line{Unit: sale.UnitID(u), Count: 1})
	}
	for _, a := range in.Areas {
		out = append(out, sale.Line{Unit: sale.UnitID(a.Unit), Count: a.Count})
	}
	return out
}

func (c *call) holdGet(ctx context.Context) (answer, error) {
	var h sale.Hold
	var ok bool
	err := c.s.o.Sales.Read(ctx, c.view.Event, func(st *sale.State) { h, ok = st.HoldOf(sale.AccountID(c.person.Account)) })
	if err == nil && !ok {
		err = c.s.problem(wire.NotFound, c.person.Lang)
	}
	if err != nil {
		return answer{}, err
	}
	return answer{body: renderHold(c.view.Event, c.view.Config, h)}, nil
}

func (c *call) showHold(ctx context.Context, id sale.HoldID, adjacent bool) (answer, error) {
	var h sale.Hold
	var ok bool
	err := c.s.o.Sales.Read(ctx, c.view.Event, func(st *sale.State) { h, ok = st.Hold(id) })
	if err == nil && (!ok || h.Account != sale.AccountID(c.person.Account)) {
		err = c.s.problem(wire.Expired, c.person.Lang)
	}
	if err != nil {
		return answer{}, err
	}
	h.Adjacent = h.Adjacent || adjacent
	return answer{body: renderHold(c.view.Event, c.view.Config, h)}, nil
}

// holdID reads the hold the call names, which has to be one of its event.
func (c *call) holdID(ref string) (sale.HoldID, error) {
	e, id, err := wire.ParseHoldRef(ref)
	if err != nil || e != c.view.Event {
		return 0, c.s.problem(wire.NotFound, c.person.Lang)
	}
	return id, nil
}

func (c *call) holdChange(ctx context.Context) (answer, error) {
	var in wire.HoldChange
	if err := decode(c.body, &in, c.person.Lang); err != nil {
		return answer{}, err
	}
	if c.id != "" {
		in.ID = c.id
	}
	id, err := c.holdID(in.ID)
	if err != nil {
		return answer{}, err
	}
	cmd := sale.Command{Op: sale.OpHoldChange, Hold: id, Lines: lines(in.Add), Drop: lines(in.Drop)}
	if in.Renew {
		cmd = sale.Command{Op: sale.OpHoldRenew, Hold: id}
	} else if len(cmd.Lines)+len(cmd.Drop) == 0 {
		return answer{}, invalid(c.person.Lang, "/add", "required", "add, drop or renew")
	}
	if _, err := c.submit(ctx, cmd); err != nil {
		return answer{}, err
	}
	return c.showHold(ctx, id, false)
}

func (c *call) holdRelease(ctx context.Context) (answer, error) {
	ref, err := c.named()
	if err != nil {
		return answer{}, err
	}
	id, err := c.holdID(ref)
	if err != nil {
		return answer{}, err
	}
	_, err = c.submit(ctx, sale.Command{Op: sale.OpHoldRelease, Hold: id})
	return answer{}, err
}

// named returns the id of the path or of the body.
func (c *call) named() (string, error) {
	if c.id != "" {
		return c.id, nil
	}
	var in wire.IDRequest
	err := decode(c.body, &in, c.person.Lang)
	return in.ID, err
}
