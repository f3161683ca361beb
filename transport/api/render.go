package api

import (
	"strconv"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/seatmap"
	"github.com/catraca/catraca/transport/wire"
)

func (s *Server) renderEvent(v *event.View) wire.Event {
	c := v.Config
	lo, hi := priceRange(c.Plan)
	plan := s.plans.get(v)
	e := wire.Event{
		ID: strconv.Itoa(int(v.Event)), Slug: c.Slug, Name: c.Name, Venue: c.Venue, Phase: v.Phase.String(),
		Rehearsal: c.Rehearsal, Currency: c.Currency, TimeZone: c.TimeZone,
		StartsAt: wire.Time(c.StartsAt), LobbyAt: wire.Time(c.LobbyAt), OpensAt: wire.Time(c.OpensAt),
		ClosesAt: wire.Time(c.ClosesAt), Now: wire.Time(s.o.Now().UnixMilli()),
		PriceFrom: money(lo, c), PriceTo: money(hi, c),
		Limits:     wire.Limits{PerHold: c.Limits.PerHold, PerAccount: c.Limits.PerAccount},
		Categories: []wire.Category{}, Sections: []wire.Section{},
		PlanURL: "/api/v1/events/" + c.Slug + "/plan/" + plan.hash + ".json",
		Message: v.Message, PauseReason: v.PauseReason, PolicyHash: plan.policy,
		PaymentMethods: []string{"card"},
	}
	if c.Currency == "BRL" {
		e.PaymentMethods = append(e.PaymentMethods, "pix")
	}
	areas := make(map[uint16]bool)
	for _, a := range c.Plan.Areas {
		areas[a.Category] = true
	}
	for i, k := range c.Plan.Categories {
		n := v.Stock[i]
		e.Categories = append(e.Categories, wire.Category{
			ID: i, Key: k.Key, Name: k.Name, Color: k.Color, Price: money(k.Price, c), Fee: money(k.Fee, c),
			Capacity: n.Capacity, Free: n.Free, Held: n.Held, Sold: n.Sold, Area: areas[uint16(i)],
		})
	}
	for i, x := range c.Plan.Sections {
		e.Sections = append(e.Sections, wire.Section{ID: i, Label: x.Label, Zone: x.Zone})
	}
	return e
}

func priceRange(p *seatmap.Plan) (lo, hi int64) {
	for i, c := range p.Categories {
		total := c.Price + c.Fee
		if i == 0 || total < lo {
			lo = total
		}
		hi = max(hi, total)
	}
	return lo, hi
}

func money(amount int64, c *sale.Config) wire.Money {
	return wire.Money{Amount: amount, Currency: c.Currency}
}

// RenderPlace turns a place into its JSON form; slug is its event's.
func RenderPlace(p gateway.Place, slug string) wire.Place {
	out := wire.Place{
		Event: slug, State: p.State.String(), Number: uint32(p.Number), Ahead: p.Ahead,
		Chance: p.Chance.String(), Deadline: wire.Time(p.Deadline), Cap: wire.Time(p.Cap),
		Phase: p.Phase.String(), Waiting: p.Waiting, Now: wire.Time(p.Now),
	}
	if p.ETA.Known {
		out.ETA = renderETA(p.ETA)
	}
	return out
}

func renderETA(e gateway.ETA) *wire.ETA {
	return &wire.ETA{LoMS: e.Lo, HiMS: e.Hi, Why: string(e.Why), OverHour: e.Beyond}
}

// renderLine names a unit of the plan.
func renderLine(c *sale.Config, u sale.UnitID, count uint32, price, fee int64) wire.Line {
	p := c.Plan
	l := wire.Line{Unit: uint32(u), Count: count, Price: money(price, c), Fee: money(fee, c)}
	cat := p.CategoryOf(u)
	l.Category, l.CategoryName = int(cat), p.Categories[cat].Name
	if p.IsArea(u) {
		a := p.Area(u)
		l.Area, l.Section = true, a.Label
		return l
	}
	seat := &p.Seats[u]
	row := &p.Rows[seat.Row]
	l.Seat, l.Row, l.Section = seat.Label, row.Label, p.Sections[row.Section].Label
	return l
}

func renderLines(c *sale.Config, lines []sale.OrderLine) []wire.Line {
	out := make([]wire.Line, len(lines))
	for i, l := range lines {
		out[i] = renderLine(c, l.Unit, l.Count, l.Price, l.Fee)
	}
	return out
}

func renderHold(e sale.EventID, c *sale.Config, h sale.Hold) *wire.Hold {
	out := &wire.Hold{
		ID: wire.HoldRef(e, h.ID), Expires: wire.Time(h.Expires), Cap: wire.Time(h.Cap), Renewed: h.Renewed,
		Lines: renderLines(c, h.Lines), Total: money(h.Amount, c), Adjacent: h.Adjacent,
	}
	if h.Order != 0 {
		ref := wire.OrderRef(e, h.Order)
		out.Order = &ref
	}
	return out
}

func renderOrder(e sale.EventID, c *sale.Config, o sale.Order) wire.Order {
	out := wire.Order{
		ID: wire.OrderRef(e, o.ID), Event: c.Slug, EventName: c.Name, State: o.State.String(),
		Expires: wire.Time(o.Expires), Total: money(o.Total, c), Lines: renderLines(c, o.Lines),
		Opened: wire.Time(o.OpenedAt), Paid: wire.Time(o.PaidAt), Tickets: []string{},
		Mailed: o.Mailed, Attention: o.Attention, Reason: o.Reason,
	}
	for _, t := range o.Tickets {
		out.Tickets = append(out.Tickets, wire.TicketRef(e, t))
	}
	if p := o.Payment; p.Method != sale.MethodNone {
		pay := wire.Payment{Method: wire.MethodName(p.Method), State: wire.PayStateName(p.State), Attempt: p.Attempt}
		if p.URL != "" {
			pay.URL = &p.URL
		}
		if p.Decline != "" {
			pay.Decline = &p.Decline
		}
		if p.Code != "" {
			pay.Pix = &wire.Pix{Code: p.Code, QR: "/api/v1/orders/" + out.ID + "/pix.svg"}
		}
		out.Payment = &pay
	}
	return out
}

func (s *Server) renderTicket(e sale.EventID, c *sale.Config, t sale.Ticket, holder, code string) wire.Ticket {
	l := renderLine(c, t.Unit, 1, t.Price, t.Fee)
	return wire.Ticket{
		ID: wire.TicketRef(e, t.ID), Order: wire.OrderRef(e, t.Order), Event: c.Slug, Unit: l.Unit,
		Section: l.Section, Row: l.Row, Seat: l.Seat, Area: l.Area, Number: t.Number, CategoryName: l.CategoryName,
		Price: l.Price, Fee: l.Fee, Holder: holder, Code: code, Issued: wire.Time(t.IssuedAt),
		Revoked: t.Revoked, Scanned: wire.Time(t.ScannedAt),
	}
}
