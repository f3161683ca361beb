package mail

import (
	"strings"

	"github.com/catraca/catraca/transport/pass"
)

// RefundDoc is money that goes back to a buyer, or was never taken.
type RefundDoc struct {
	To     string // address
	Name   string // of the buyer; may be empty
	Lang   string
	Domain string // right side of the Message-ID
	Part   string // tells several refunds of one order apart in the Message-ID; may be empty

	Order  string // public reference, "o1-5"
	Event  string
	Amount pass.Money
	// Reason is the sale's ("order was paid twice") or the organiser's own words. The known ones are said in the
	// buyer's language; anything else is quoted.
	Reason   string
	Released bool   // the money was reserved only and never taken
	Tickets  bool   // tickets had been issued and are worthless now
	URL      string // page of the order; empty leaves the button out

	Rehearsal bool
}

// Refund writes the notice that the money is on its way back.
func Refund(d RefundDoc) (Message, error) {
	w := wordsFor(d.Lang)
	data := frame(w, d.Lang, d.Name, d.Event, d.Order, d.Rehearsal)
	r := w.Refund
	subject, lead := r.Subject, r.Lead
	data.Title = r.Title
	key := reasonKey(d.Reason)
	if d.Released || key == "payment" {
		subject, lead, data.Title = r.ReleasedSubject, r.ReleasedLead, r.ReleasedTitle
	}
	data.Subject = fill(subject, "order", d.Order, "event", data.Event)
	data.Lead = fill(lead, "amount", d.Amount.Format(d.Lang))
	data.Preheader = data.Lead
	data.ReasonWord, data.Reason = r.Why, w.Reasons[key]
	if key == "" {
		data.Reason = oneLine(d.Reason)
	}
	if d.Tickets {
		data.Void = r.Void
	}
	data.URL, data.Button = d.URL, r.Button
	html, text, err := render("refund", data)
	if err != nil {
		return Message{}, err
	}
	id := "refund." + d.Order
	if d.Part != "" {
		id += "." + d.Part
	}
	return Message{
		To: d.To, Name: d.Name, Lang: data.Lang, MessageID: id + "@" + d.Domain,
		Subject: data.Subject, HTML: html, Text: text,
	}, nil
}

// reasonKey recognises the reasons the sale itself gives; "" is somebody's own words.
func reasonKey(reason string) string {
	switch reason {
	case "paid too late, a seat is gone":
		return "late"
	case "order was canceled":
		return "canceled"
	case "order was paid twice":
		return "twice"
	case "amount differs":
		return "amount"
	case "authorisation was lost":
		return "payment"
	}
	if strings.HasPrefix(reason, "capture failed") {
		return "payment"
	}
	return ""
}
