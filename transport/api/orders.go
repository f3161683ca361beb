package api

import (
	"bytes"
	"context"
	"net/http"
	"strings"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/pass"
	"github.com/catraca/catraca/transport/wire"
)

// Issuer makes an order's documents. Package issue has it.
type Issuer interface {
	Code(e sale.EventID, t sale.Ticket) string
	Documents(ctx context.Context, e sale.EventID, ids []sale.TicketID, lang string) ([]pass.Document, error)
	Calendar(e sale.EventID, cfg *sale.Config, reference string, docs []pass.Document, lang string) pass.EventDoc
}

// maxOrdersShown bounds the list of one account's orders per event.
const maxOrdersShown = 50

func (s *Server) myOrders(ctx context.Context, r *request) (answer, error) {
	list := wire.List[wire.Order]{Items: []wire.Order{}}
	for _, e := range s.o.Directory.Events() {
		v, err := s.eventByID(r, sale.EventID(e.ID))
		if err != nil {
			continue // a rehearsal's fan sees its event only
		}
		var orders []sale.Order
		if err := s.o.Sales.Read(ctx, v.Event, func(st *sale.State) {
			ids := st.OrdersOf(r.account())
			for i := len(ids) - 1; i >= 0 && len(orders) < maxOrdersShown; i-- {
				if o, ok := st.Order(ids[i]); ok {
					orders = append(orders, o)
				}
			}
		}); err != nil {
			return answer{}, err
		}
		for _, o := range orders {
			list.Items = append(list.Items, renderOrder(v.Event, v.Config, o))
		}
	}
	return answer{body: list}, nil
}

// order reads the order of the path for its owner or an organiser.
func (s *Server) order(ctx context.Context, r *request) (*event.View, sale.Order, error) {
	c := &call{s: s, person: r.person, lang: r.lang, id: r.PathValue("id"), strict: true}
	id, err := c.orderID(c.id)
	if err != nil {
		return nil, sale.Order{}, err
	}
	o, err := c.readOrder(ctx, id)
	return c.view, o, err
}

func (s *Server) orderTickets(ctx context.Context, r *request) (answer, error) {
	v, o, err := s.order(ctx, r)
	if err != nil {
		return answer{}, err
	}
	who, _, err := s.o.Directory.Person(ctx, account.ID(o.Account))
	if err != nil {
		return answer{}, err
	}
	var tickets []sale.Ticket
	if err := s.o.Sales.Read(ctx, v.Event, func(st *sale.State) {
		for _, id := range o.Tickets {
			if t, ok := st.Ticket(id); ok {
				tickets = append(tickets, t)
			}
		}
	}); err != nil {
		return answer{}, err
	}
	list := wire.List[wire.Ticket]{Items: []wire.Ticket{}}
	for _, t := range tickets {
		list.Items = append(list.Items, s.renderTicket(v.Event, v.Config, t, who.Name, s.code(r, v.Event, t)))
	}
	return answer{body: list}, nil
}

// code of a ticket, for whom it is. One that was revoked has none, and organisers, who see every ticket, never get one:
// a code opens the gate.
func (s *Server) code(r *request, e sale.EventID, t sale.Ticket) string {
	if t.Revoked || t.Account != r.account() {
		return ""
	}
	return s.o.Issuer.Code(e, t)
}

// mayPrint refuses the documents, which carry the code, to everybody but the holder.
func (s *Server) mayPrint(r *request, holder sale.AccountID) error {
	if holder != r.account() {
		return s.problem(wire.Forbidden, r.lang)
	}
	return nil
}

func (s *Server) orderPDF(ctx context.Context, r *request) (answer, error) {
	v, o, err := s.order(ctx, r)
	if err != nil {
		return answer{}, err
	}
	if err := s.mayPrint(r, o.Account); err != nil {
		return answer{}, err
	}
	return s.pdf(ctx, r, v.Event, o.Tickets, wire.OrderRef(v.Event, o.ID))
}

func (s *Server) pdf(ctx context.Context, r *request, e sale.EventID, ids []sale.TicketID, name string) (answer, error) {
	docs, err := s.o.Issuer.Documents(ctx, e, ids, r.lang)
	if err != nil {
		return answer{}, err
	}
	if len(docs) == 0 {
		return answer{}, s.problem(wire.NotFound, r.lang)
	}
	var b bytes.Buffer
	if err := pass.PDF(&b, docs); err != nil {
		return answer{}, err
	}
	return download(b.Bytes(), "application/pdf", name+".pdf"), nil
}

func download(b []byte, kind, name string) answer {
	return answer{raw: b, kind: kind, header: http.Header{"Content-Disposition": {`inline; filename="` + name + `"`}}}
}

// readTicket reads a ticket of the caller; organisers read every one.
func (s *Server) readTicket(ctx context.Context, r *request, ref string) (sale.Ticket, *event.View, error) {
	e, id, err := wire.ParseTicketRef(ref)
	if err != nil {
		return sale.Ticket{}, nil, s.problem(wire.NotFound, r.lang)
	}
	v, err := s.eventByID(r, e)
	if err != nil {
		return sale.Ticket{}, nil, err
	}
	var t sale.Ticket
	var ok bool
	if err := s.o.Sales.ReadStrict(ctx, e, func(st *sale.State) { t, ok = st.Ticket(id) }); err != nil {
		return t, nil, err
	}
	if !ok || t.Account != r.account() && r.person.Role < account.RoleViewer {
		return t, nil, s.problem(wire.NotFound, r.lang)
	}
	return t, v, nil
}

// ticket answers t1-42 as JSON and t1-42.pdf, .png, .svg and .ics in that form.
func (s *Server) ticket(ctx context.Context, r *request) (answer, error) {
	ref, form, _ := strings.Cut(r.PathValue("file"), ".")
	t, v, err := s.readTicket(ctx, r, ref)
	if err != nil {
		return answer{}, err
	}
	if form == "" || form == "json" {
		who, _, err := s.o.Directory.Person(ctx, account.ID(t.Account))
		if err != nil {
			return answer{}, err
		}
		return answer{body: s.renderTicket(v.Event, v.Config, t, who.Name, s.code(r, v.Event, t))}, nil
	}
	if err := s.mayPrint(r, t.Account); err != nil {
		return answer{}, err
	}
	if t.Revoked {
		return answer{}, s.problem(wire.NotFound, r.lang)
	}
	return s.ticketFile(ctx, r, v, t, ref, form)
}

func (s *Server) ticketFile(ctx context.Context, r *request, v *event.View, t sale.Ticket, ref, form string) (answer, error) {
	switch form {
	case "pdf":
		return s.pdf(ctx, r, v.Event, []sale.TicketID{t.ID}, ref)
	case "png":
		b, err := pass.QRPNG(s.code(r, v.Event, t), 512)
		return download(b, "image/png", ref+".png"), err
	case "svg":
		b, err := pass.QRSVG(s.code(r, v.Event, t), ref)
		return download(b, "image/svg+xml", ref+".svg"), err
	case "ics":
		docs, err := s.o.Issuer.Documents(ctx, v.Event, []sale.TicketID{t.ID}, r.lang)
		if err != nil {
			return answer{}, err
		}
		var b bytes.Buffer
		err = pass.ICS(&b, s.o.Issuer.Calendar(v.Event, v.Config, wire.OrderRef(v.Event, t.Order), docs, r.lang))
		return download(b.Bytes(), "text/calendar; charset=utf-8", ref+".ics"), err
	default:
		return answer{}, s.problem(wire.NotFound, r.lang)
	}
}

func (s *Server) pixQR(ctx context.Context, r *request) (answer, error) {
	_, o, err := s.order(ctx, r)
	if err != nil {
		return answer{}, err
	}
	if o.Payment.Code == "" || o.State != sale.OrderAwaiting {
		return answer{}, s.problem(wire.NotFound, r.lang) // what is paid or over must not be paid again
	}
	b, err := pass.QRSVG(o.Payment.Code, "Pix")
	return answer{raw: b, kind: "image/svg+xml"}, err
}

func (s *Server) refund(ctx context.Context, r *request) (answer, error) {
	var in struct {
		Reason string `json:"reason"`
		Force  bool   `json:"force"`
	}
	if err := s.read(r, &in); err != nil {
		return answer{}, err
	}
	if in.Reason == "" || len(in.Reason) > 200 {
		return answer{}, invalid(r.lang, "/reason", "length", "a reason has 1 to 200 bytes")
	}
	v, o, err := s.order(ctx, r)
	if err != nil {
		return answer{}, err
	}
	key, err := r.idempotencyKey()
	if err != nil {
		return answer{}, err
	}
	c := &call{s: s, person: r.person, lang: r.lang, view: v}
	cmd := sale.Command{
		Op: sale.OpRefund, Order: o.ID, Actor: r.account(), Text: in.Reason, Key: commandKey(r.person, "refund", key),
	}
	if in.Force {
		cmd.Limit = 1
	}
	res, err := s.o.Sales.Submit(ctx, v.Event, &cmd)
	if err != nil {
		return answer{}, err
	}
	if err := refusal(v.Event, res, r.lang); err != nil {
		return answer{}, err
	}
	if err := s.audit(ctx, r, cmd.Key, "order.refund", r.PathValue("id"), in.Reason); err != nil {
		return answer{}, err
	}
	a, err := c.showOrder(ctx, o.ID)
	a.status = http.StatusAccepted
	return a, err
}
