package mail

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/catraca/catraca/transport/pass"
)

// OrderDoc is a fulfilled order as its buyer is told about it.
type OrderDoc struct {
	To     string // address
	Name   string // of the buyer; may be empty
	Lang   string
	Domain string // right side of the Message-ID and of the calendar entry's UID

	Order    string // public reference, "o1-5"
	Event    string
	Venue    string
	StartsAt time.Time
	TimeZone string // IANA name of the venue's zone
	Tickets  []pass.Document
	URL      string // page of the order; empty leaves the button out
	IssuedAt time.Time

	Rehearsal bool
}

// letterData is what both templates of both letters see. Every string is one line.
type letterData struct {
	Lang, Subject, Preheader, Title, Event, Warning, Hello, Lead string
	OrderWord, Order, Automatic                                  string
	URL, Button                                                  string

	Facts                 []fact
	Tickets               []ticketLine
	TotalWord, Total, Fee string
	Once, Calendar        string

	ReasonWord, Reason, Void string
}

type fact struct{ Label, Value string }

type ticketLine struct{ Place, Category, Reference, Price, Color string }

// Confirmation writes the letter that carries the tickets: a PDF with the codes and a calendar entry. The codes are
// not in the letter itself, so that a quoted or forwarded text opens no gate.
func Confirmation(d OrderDoc) (Message, error) {
	if len(d.Tickets) == 0 {
		return Message{}, errors.New("write confirmation: the order has no tickets")
	}
	w := wordsFor(d.Lang)
	data := frame(w, d.Lang, d.Name, d.Event, d.Order, d.Rehearsal)
	c := w.Confirmation
	data.Subject = fill(c.Subject, "event", data.Event)
	data.Title, data.Lead, data.Once, data.Calendar = c.Title, c.Lead, c.Once, c.Calendar
	data.URL, data.Button = d.URL, c.Button
	when := pass.FormatMoment(d.StartsAt, d.TimeZone, d.Lang)
	count := fill(w.TicketsOther, "n", strconv.Itoa(len(d.Tickets)))
	if len(d.Tickets) == 1 {
		count = w.TicketsOne
	}
	data.Preheader = count + " · " + when
	data.Facts = []fact{{w.When, when}, {w.Venue, oneLine(d.Venue)}}
	data.list(d, w)
	html, text, err := render("confirmation", data)
	if err != nil {
		return Message{}, err
	}
	m := Message{
		To: d.To, Name: d.Name, Lang: data.Lang, MessageID: "tickets." + d.Order + "@" + d.Domain,
		Subject: data.Subject, HTML: html, Text: text,
	}
	m.Attachments, err = enclose(d, c.PDFName, c.ICSName)
	return m, err
}

// frame fills what every letter has.
func frame(w *words, lang, name, event, order string, rehearsal bool) letterData {
	d := letterData{
		Lang: pass.Language(lang), Event: oneLine(event), Order: order,
		Hello: w.HelloNobody, OrderWord: w.Order, Automatic: w.Automatic,
	}
	if name = oneLine(name); name != "" {
		d.Hello = fill(w.Hello, "name", name)
	}
	if rehearsal {
		d.Warning = w.Rehearsal
	}
	return d
}

// list adds the tickets and their sum.
func (data *letterData) list(d OrderDoc, w *words) {
	total := pass.Money{Currency: d.Tickets[0].Price.Currency}
	fee := total
	for _, t := range d.Tickets {
		t.Lang = d.Lang
		price := pass.Money{Amount: t.Price.Amount + t.Fee.Amount, Currency: t.Price.Currency}
		total.Amount += price.Amount
		fee.Amount += t.Fee.Amount
		data.Tickets = append(data.Tickets, ticketLine{
			Place: t.Place(), Category: oneLine(t.Category), Reference: t.Ticket,
			Price: price.Format(d.Lang), Color: accent(t.Color),
		})
	}
	data.TotalWord, data.Total = w.Total, total.Format(d.Lang)
	if fee.Amount != 0 {
		data.Fee = fill(w.WithFee, "fee", fee.Format(d.Lang))
	}
}

// accent passes on a colour of the form #rrggbb and nothing else.
func accent(color string) string {
	if len(color) == 7 && color[0] == '#' {
		if _, err := strconv.ParseUint(color[1:], 16, 32); err == nil {
			return color
		}
	}
	return "#1a475e"
}

// enclose makes the attachments.
func enclose(d OrderDoc, pdfName, icsName string) ([]Attachment, error) {
	var pdf, ics bytes.Buffer
	var seats []string
	docs := make([]pass.Document, len(d.Tickets))
	for i, t := range d.Tickets {
		t.Lang = d.Lang
		docs[i] = t
		seats = append(seats, t.Place())
	}
	if err := pass.PDF(&pdf, docs); err != nil {
		return nil, fmt.Errorf("write confirmation: %w", err)
	}
	err := pass.ICS(&ics, pass.EventDoc{
		UID: d.Order + "@" + d.Domain, Name: d.Event, Venue: d.Venue, StartsAt: d.StartsAt,
		Order: d.Order, Seats: seats, URL: d.URL, IssuedAt: d.IssuedAt, Lang: d.Lang,
	})
	if err != nil {
		return nil, fmt.Errorf("write confirmation: %w", err)
	}
	return []Attachment{
		{Name: fill(pdfName, "order", d.Order), Type: "application/pdf", Data: pdf.Bytes()},
		{Name: fill(icsName, "order", d.Order), Type: "text/calendar; charset=utf-8; method=PUBLISH", Data: ics.Bytes()},
	}, nil
}
