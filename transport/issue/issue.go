// Package issue turns a paid order into what its buyer gets: signed codes, documents, the mail. It brings together
// what the sale, the directory and the keyring know; it stores nothing, so a repeated call makes the same again.
// Personal data is looked up for the moment of writing and goes nowhere else.
package issue

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/pass"
	"github.com/catraca/catraca/transport/wire"
)

// Sales reads a sale.
type Sales interface {
	Read(ctx context.Context, id sale.EventID, fn func(*sale.State)) error
}

// People finds who bought.
type People interface {
	Person(ctx context.Context, id account.ID) (directory.Person, bool, error)
}

// Issuer makes documents. Safe for many goroutines.
type Issuer struct {
	Sales  Sales
	People People
	Keys   *pass.Keyring
	// OrderURL is where a buyer finds the order, given its public reference.
	OrderURL func(reference string) string
	// Domain is the right side of Message-IDs and calendar UIDs, the same for ever; empty means the host of OrderURL.
	Domain string
}

func (i *Issuer) domain() string {
	if i.Domain != "" {
		return i.Domain
	}
	if u, err := url.Parse(i.OrderURL("")); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "catraca.invalid"
}

// Code of a ticket.
func (i *Issuer) Code(e sale.EventID, t sale.Ticket) string {
	return i.Keys.Sign(pass.Claims{
		Event: uint32(e), Ticket: uint32(t.ID), Version: t.Version, Unit: uint32(t.Unit), Number: t.Number,
	})
}

// Tickets reads an order's tickets that have not been revoked.
func (i *Issuer) Tickets(ctx context.Context, e sale.EventID, ids []sale.TicketID) (cfg *sale.Config, tickets []sale.Ticket, err error) {
	err = i.Sales.Read(ctx, e, func(s *sale.State) {
		cfg = s.Config()
		for _, id := range ids {
			if t, ok := s.Ticket(id); ok {
				tickets = append(tickets, t)
			}
		}
	})
	return cfg, tickets, err
}

// Documents are the tickets of an order as printed, in the language asked for.
func (i *Issuer) Documents(ctx context.Context, e sale.EventID, ids []sale.TicketID, lang string) ([]pass.Document, error) {
	cfg, tickets, err := i.Tickets(ctx, e, ids)
	if err != nil {
		return nil, fmt.Errorf("read tickets: %w", err)
	}
	docs := make([]pass.Document, 0, len(tickets))
	for _, t := range tickets {
		if t.Revoked {
			continue
		}
		who, _, err := i.People.Person(ctx, account.ID(t.Account))
		if err != nil {
			return nil, fmt.Errorf("read holder: %w", err)
		}
		docs = append(docs, i.document(e, cfg, t, who.Name, lang))
	}
	return docs, nil
}

func (i *Issuer) document(e sale.EventID, cfg *sale.Config, t sale.Ticket, holder, lang string) pass.Document {
	p := cfg.Plan
	cat := p.Categories[p.CategoryOf(t.Unit)]
	d := pass.Document{
		Event: cfg.Name, Venue: cfg.Venue, StartsAt: time.UnixMilli(cfg.StartsAt).UTC(), TimeZone: cfg.TimeZone,
		Category: cat.Name, Color: cat.Color,
		Price: pass.Money{Amount: t.Price, Currency: cfg.Currency}, Fee: pass.Money{Amount: t.Fee, Currency: cfg.Currency},
		Holder: holder, Order: wire.OrderRef(e, t.Order), Ticket: wire.TicketRef(e, t.ID), Code: i.Code(e, t),
		IssuedAt: time.UnixMilli(t.IssuedAt).UTC(), Lang: lang, Rehearsal: cfg.Rehearsal,
	}
	if p.IsArea(t.Unit) {
		d.Area, d.Number = p.Area(t.Unit).Label, t.Number
		return d
	}
	seat := &p.Seats[t.Unit]
	row := &p.Rows[seat.Row]
	d.Seat, d.Row, d.Section = seat.Label, row.Label, p.Sections[row.Section].Label
	return d
}

// Calendar is an order's entry in a calendar.
func (i *Issuer) Calendar(e sale.EventID, cfg *sale.Config, reference string, docs []pass.Document, lang string) pass.EventDoc {
	d := pass.EventDoc{
		UID: reference + "@" + i.domain(), Name: cfg.Name, Venue: cfg.Venue,
		StartsAt: time.UnixMilli(cfg.StartsAt).UTC(), Order: reference, URL: i.OrderURL(reference), Lang: lang,
	}
	for _, doc := range docs {
		d.Seats = append(d.Seats, doc.Place())
		d.IssuedAt = doc.IssuedAt
	}
	return d
}
