package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

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
	lang   string      // of what is said about it
	view   *event.View // nil when the id names the event
	id     string
	key    sale.Key
	body   []byte
	strict bool // what is only read is as new as what any node has acknowledged
}

// Call does a shopping operation for a fan of the live socket and returns what HTTP would have answered. Problems are
// told in lang.
func (s *Server) Call(ctx context.Context, p directory.Person, lang string, id sale.EventID, op, key string, body []byte) (status int, out []byte) {
	if wait, ok := s.pace.shop(p, s.o.Now()); !ok {
		s.metrics.paced.WithLabelValues("account").Inc()
		return s.carry(answer{}, s.tooMany(wait, lang), lang)
	}
	if key != "" && !validKey(key) {
		return s.carry(answer{}, invalid(lang, "/key", "length", "1 to 128 visible ASCII characters"), lang)
	}
	return s.socketOp(ctx, op, id, &call{s: s, person: p, lang: lang, key: commandKey(p, op, key), body: body, strict: looks(op)})
}

// LookHold and LookOrder are what the live socket itself wants to know after a change it was told of: from this node's own
// copy, which has the change, and not counted against the fan's pace. nil: there is none.
func (s *Server) LookHold(ctx context.Context, p directory.Person, id sale.EventID) (*wire.Hold, error) {
	a, err := s.look(id, p, func(c *call) (answer, error) { return c.holdGet(ctx) })
	h, _ := a.body.(*wire.Hold) // nil when there is none
	return h, err
}

// LookOrder is as [Server.LookHold].
func (s *Server) LookOrder(ctx context.Context, p directory.Person, id sale.EventID, order sale.OrderID) (*wire.Order, error) {
	a, err := s.look(id, p, func(c *call) (answer, error) {
		c.id = wire.OrderRef(id, order)
		return c.orderGet(ctx)
	})
	if o, ok := a.body.(wire.Order); ok && err == nil {
		return &o, nil
	}
	return nil, err
}

func (s *Server) look(id sale.EventID, p directory.Person, do func(*call) (answer, error)) (answer, error) {
	v, err := s.o.Sales.View(id)
	if err != nil {
		return answer{}, err
	}
	a, err := do(&call{s: s, person: p, lang: p.Lang, view: v})
	if p, ok := errors.AsType[*wire.Problem](err); ok && p.Code == wire.NotFound {
		return answer{}, nil
	}
	return a, err
}

func (s *Server) socketOp(ctx context.Context, op string, id sale.EventID, c *call) (status int, out []byte) {
	v, err := s.o.Sales.View(id)
	var a answer
	if err == nil {
		c.view = v
		a, err = c.do(ctx, op)
	}
	return s.carry(a, err, c.lang)
}

// looks says whether an operation shows what other operations did, perhaps a moment ago at another node.
func looks(op string) bool { return op == opHoldGet || op == opOrderGet }

// carry is what HTTP would send as status and body.
func (s *Server) carry(a answer, err error, lang string) (status int, out []byte) {
	if err != nil {
		problem := s.toProblem(err, lang)
		return problem.Status, problem.JSON()
	}
	if a.body == nil {
		return http.StatusNoContent, nil
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if body, ok := a.body.(wire.Appender); ok {
		return a.status, body.AppendJSON(nil)
	}
	b, err := json.Marshal(a.body)
	if err != nil {
		problem := s.problem(wire.Internal, lang)
		return problem.Status, problem.JSON()
	}
	return a.status, b
}

// httpOp carries a shopping operation over HTTP.
func (s *Server) httpOp(op string) handler {
	return func(ctx context.Context, r *request) (answer, error) {
		key, err := r.idempotencyKey()
		if err != nil {
			return answer{}, err
		}
		body, err := s.body(r, maxBody)
		if err != nil {
			return answer{}, err
		}
		c := &call{s: s, person: r.person, lang: r.lang, id: r.PathValue("id"), key: commandKey(r.person, op, key), body: body, strict: looks(op)}
		if r.PathValue("event") != "" {
			if c.view, err = s.event(r); err != nil {
				return answer{}, err
			}
		}
		return c.do(ctx, op)
	}
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
		return answer{}, c.s.ask(ctx, c.person, c.lang, c.view.Event, sale.OpFinish, c.key)
	default:
		return answer{}, invalid(c.lang, "/op", "unknown", "one of hold, hold.get, hold.change, hold.release, order, order.get, order.cancel, pay, finish")
	}
}

func (c *call) submit(ctx context.Context, cmd sale.Command) (sale.Result, error) {
	cmd.Account, cmd.Key = sale.AccountID(c.person.Account), c.key
	res, err := c.s.o.Sales.Submit(ctx, c.view.Event, &cmd)
	if err != nil {
		return res, err
	}
	return res, refusal(c.view.Event, res, c.lang)
}

func (c *call) hold(ctx context.Context) (answer, error) {
	cmd, err := c.holdCommand()
	if err != nil {
		return answer{}, err
	}
	res, err := c.submit(ctx, cmd)
	if err != nil {
		return answer{}, err
	}
	return c.holdAnswer(ctx, res)
}

const statusCreated = http.StatusCreated

// holdCommand reads what is to be held.
func (c *call) holdCommand() (sale.Command, error) {
	cmd := sale.Command{Op: sale.OpHold}
	in, ok := wire.ScanHold(c.body)
	if !ok {
		in = wire.HoldRequest{}
		if err := decode(c.body, &in, c.lang); err != nil {
			return cmd, err
		}
	}
	if in.Best != nil {
		if len(in.Seats)+len(in.Areas) > 0 {
			return cmd, invalid(c.lang, "/best", "both", "either best, or seats and areas")
		}
		cmd.Best = bestQuery(in.Best)
		if cmd.Best.Quantity == 0 {
			return cmd, invalid(c.lang, "/best/quantity", "range", "at least 1")
		}
		return cmd, nil
	}
	var err error
	if cmd.Lines, err = c.lines(&in, ""); err != nil {
		return cmd, err
	}
	if len(cmd.Lines) == 0 {
		return cmd, invalid(c.lang, "/seats", "required", "name seats, areas or best")
	}
	return cmd, nil
}

// holdAnswer tells what a hold has come to. A hold that the command has just made is as its result says; the same request
// once more is told the hold as it is now, or the answer that it got then if it is over.
func (c *call) holdAnswer(ctx context.Context, res sale.Result) (answer, error) {
	if !res.Repeated {
		return answer{status: statusCreated, body: c.madeHold(res)}, nil
	}
	h, err := c.readHold(ctx, res.Hold)
	if err != nil {
		return answer{status: statusCreated, body: c.madeHold(res)}, nil //nolint:nilerr // what it was told when it was made
	}
	return answer{status: statusCreated, body: renderHold(c.view.Event, c.view.Config, h)}, nil
}

// madeHold is the hold as the command made it.
func (c *call) madeHold(res sale.Result) *wire.Hold {
	return renderHold(c.view.Event, c.view.Config, storedHold(c.view.Config, res))
}

// storedHold rebuilds a hold from the answer to the command that made it.
func storedHold(cfg *sale.Config, res sale.Result) sale.Hold {
	h := sale.Hold{ID: res.Hold, Expires: res.At, Cap: res.Cap, Amount: res.Amount, Adjacent: res.Adjacent}
	for _, l := range res.Lines {
		cat := cfg.Plan.Categories[cfg.Plan.CategoryOf(l.Unit)]
		h.Lines = append(h.Lines, sale.OrderLine{Unit: l.Unit, Count: l.Count, Price: cat.Price, Fee: cat.Fee})
	}
	return h
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

// lines are the units that a request names; under is the pointer to it.
func (c *call) lines(in *wire.HoldRequest, under string) ([]sale.Line, error) {
	if in == nil {
		return nil, nil
	}
	if n := len(in.Seats) + len(in.Areas); n > sale.MaxPerHold {
		return nil, invalid(c.lang, under+"/seats", "length", "at most "+strconv.Itoa(sale.MaxPerHold)+" seats and areas")
	}
	out := make([]sale.Line, 0, len(in.Seats)+len(in.Areas))
	seen := func(u uint32) bool { // they are few
		return slices.ContainsFunc(out, func(l sale.Line) bool { return l.Unit == sale.UnitID(u) })
	}
	for i, u := range in.Seats {
		if seen(u) {
			return nil, invalid(c.lang, under+"/seats/"+strconv.Itoa(i), "repeated", "each seat once")
		}
		out = append(out, sale.Line{Unit: sale.UnitID(u), Count: 1})
	}
	for i, a := range in.Areas {
		at := under + "/areas/" + strconv.Itoa(i)
		if seen(a.Unit) {
			return nil, invalid(c.lang, at+"/unit", "repeated", "each area once")
		}
		if a.Count == 0 {
			return nil, invalid(c.lang, at+"/count", "range", "at least 1")
		}
		out = append(out, sale.Line{Unit: sale.UnitID(a.Unit), Count: a.Count})
	}
	return out, nil
}

func (c *call) holdGet(ctx context.Context) (answer, error) {
	var h sale.Hold
	var ok bool
	read := c.s.o.Sales.Read
	if c.strict { // it may have been taken or given back at another node a moment ago
		read = c.s.o.Sales.ReadStrict
	}
	err := read(ctx, c.view.Event, func(st *sale.State) { h, ok = st.HoldOf(sale.AccountID(c.person.Account)) })
	if err == nil && !ok {
		err = c.s.problem(wire.NotFound, c.lang)
	}
	if err != nil {
		return answer{}, err
	}
	return answer{body: renderHold(c.view.Event, c.view.Config, h)}, nil
}

// readHold reads a live hold of the caller.
func (c *call) readHold(ctx context.Context, id sale.HoldID) (sale.Hold, error) {
	var h sale.Hold
	var ok bool
	err := c.s.o.Sales.Read(ctx, c.view.Event, func(st *sale.State) { h, ok = st.Hold(id) })
	if err == nil && (!ok || h.Account != sale.AccountID(c.person.Account)) {
		err = c.s.problem(wire.Expired, c.lang)
	}
	return h, err
}

// holdID reads the hold the call names, which has to be one of its event.
func (c *call) holdID(ref string) (sale.HoldID, error) {
	e, id, err := wire.ParseHoldRef(ref)
	if err != nil || e != c.view.Event {
		return 0, c.s.problem(wire.NotFound, c.lang)
	}
	return id, nil
}

func (c *call) holdChange(ctx context.Context) (answer, error) {
	var in wire.HoldChange
	if err := decode(c.body, &in, c.lang); err != nil {
		return answer{}, err
	}
	if c.id != "" {
		in.ID = c.id
	}
	id, err := c.holdID(in.ID)
	if err != nil {
		return answer{}, err
	}
	cmd, err := c.changeOf(&in, id)
	if err != nil {
		return answer{}, err
	}
	if _, err := c.submit(ctx, cmd); err != nil {
		return answer{}, err
	}
	h, err := c.readHold(ctx, id)
	if err != nil {
		return answer{}, err
	}
	return answer{body: renderHold(c.view.Event, c.view.Config, h)}, nil
}

// changeOf is the command for a change: either a renewal, or units to add and to give back at once.
func (c *call) changeOf(in *wire.HoldChange, id sale.HoldID) (sale.Command, error) {
	cmd := sale.Command{Op: sale.OpHoldRenew, Hold: id}
	if in.Renew {
		if in.Add != nil || in.Drop != nil {
			return cmd, invalid(c.lang, "/renew", "both", "either renew, or add and drop")
		}
		return cmd, nil
	}
	for at, x := range map[string]*wire.HoldRequest{"/add": in.Add, "/drop": in.Drop} {
		if x != nil && x.Best != nil {
			return cmd, invalid(c.lang, at+"/best", "unknown", "name seats or areas")
		}
	}
	cmd.Op = sale.OpHoldChange
	var err error
	if cmd.Lines, err = c.lines(in.Add, "/add"); err != nil {
		return cmd, err
	}
	if cmd.Drop, err = c.lines(in.Drop, "/drop"); err != nil {
		return cmd, err
	}
	if len(cmd.Lines)+len(cmd.Drop) == 0 {
		return cmd, invalid(c.lang, "/add", "required", "add, drop or renew")
	}
	return cmd, nil
}

func (c *call) holdRelease(ctx context.Context) (answer, error) {
	cmd, err := c.releaseCommand()
	if err == nil {
		_, err = c.submit(ctx, cmd)
	}
	return answer{}, err
}

// releaseCommand reads what is to be given back.
func (c *call) releaseCommand() (sale.Command, error) {
	cmd := sale.Command{Op: sale.OpHoldRelease}
	ref, err := c.named()
	if err == nil {
		cmd.Hold, err = c.holdID(ref)
	}
	return cmd, err
}

// named returns the id of the path or of the body.
func (c *call) named() (string, error) {
	if c.id != "" {
		return c.id, nil
	}
	in, ok := wire.ScanID(c.body)
	if ok {
		return in.ID, nil
	}
	in = wire.IDRequest{}
	err := decode(c.body, &in, c.lang)
	return in.ID, err
}
