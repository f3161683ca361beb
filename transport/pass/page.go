package pass

import "strings"

// The page, in millimetres. The upper part is the ticket, the lower part what the buyer keeps.
const (
	pageWidth  = 210.0
	pageHeight = 297.0
	left       = 15.0
	right      = pageWidth - left
	cardTop    = 24.0
	bandHeight = 40.0
	cardHeight = 146.0
	cardBottom = cardTop + cardHeight
	pad        = 9.0
	qrEdge     = 66.0
	qrLeft     = right - pad + 3 - qrEdge // the quiet zone may reach into the padding
	column     = qrLeft - 5 - left - pad  // width of the text beside the symbol
	tearLine   = cardBottom + 12
)

// ticket draws page n of count.
func (p *printer) ticket(d Document, s symbol, n, count int) {
	words := textsFor(d.Lang)
	p.pdf.AddPage()
	p.head(d, words, n, count)
	p.card(d, words, s)
	p.tear(words)
	p.gate(words)
	p.receipt(d, words)
	p.foot(d, words)
}

// head is the line above the ticket.
func (p *printer) head(d Document, words *texts, n, count int) {
	title := words.Ticket
	if count > 1 {
		title = fill(words.TicketOf, "n", decimals(uint64(n), 0, "", ""), "of", decimals(uint64(count), 0, "", ""))
	}
	p.text(left, 18, title, style{medium, 11, ink()})
	if d.Rehearsal {
		p.textCenter(pageWidth/2, 18, words.Rehearsal, style{bold, 11, alarm()})
	}
	p.textRight(right, 18, words.Order+" "+d.Order, style{regular, 11, faint()})
}

// card is the ticket itself.
func (p *printer) card(d Document, words *texts, s symbol) {
	accent := parseColor(d.Color)
	p.fill(accent)
	p.pdf.RoundedRect(left, cardTop, right-left, bandHeight, 4, "12", "F")
	p.band(d, accent.on())
	p.paint(hair())
	p.pdf.SetLineWidth(0.4)
	p.pdf.RoundedRect(left, cardTop, right-left, cardHeight, 4, "1234", "D")

	x, y := left+pad, cardTop+bandHeight+pad+2
	p.place(d, words, x, y)
	p.label(x, y+44, words.Holder)
	p.fit(x, y+51, column, 8, d.Holder, style{medium, 15, ink()})
	p.label(x, y+63, words.Category)
	p.swatch(x, y+69.7-3.4, accent)
	p.fit(x+6, y+69.7, column-6, 8, d.Category, style{medium, 13, ink()})

	p.qr(qrLeft, y-6, qrEdge, s)
	middle := qrLeft + qrEdge/2
	p.textCenter(middle, y+qrEdge-1, d.Ticket, style{mono, 15, ink()})
	total := Money{d.Price.Amount + d.Fee.Amount, d.Price.Currency}
	p.rule(left+pad, right-pad, cardBottom-17)
	p.text(left+pad, cardBottom-7.5, words.Total, style{regular, 11, faint()})
	p.textRight(right-pad, cardBottom-7.2, total.Format(d.Lang), style{bold, 15, ink()})
}

// band is the coloured head: what, when, where.
func (p *printer) band(d Document, c rgb) {
	x, width := left+pad, right-left-2*pad
	name := style{bold, 22, c}
	lines := p.wrap(d.Event, width, 2, name)
	y := cardTop + 14.0
	if len(lines) > 1 {
		name.size = 16
		lines = p.wrap(d.Event, width, 2, name)
		y = cardTop + 10.5
	}
	for _, l := range lines {
		p.text(x, y, l, name)
		y += 7.2
	}
	p.fit(x, cardTop+26.5, width, 8, FormatMoment(d.StartsAt, d.TimeZone, d.Lang), style{medium, 12, c})
	p.fit(x, cardTop+33.5, width, 8, d.Venue, style{regular, 12, c})
}

// place is what the usher reads from two metres: section over the whole column, row and seat below.
func (p *printer) place(d Document, words *texts, x, y float64) {
	fields := d.placeFields(words)
	if len(fields) == 0 {
		return
	}
	p.label(x, y, fields[0].label)
	p.fit(x, y+10.5, column, 11, fields[0].value, style{bold, 26, ink()})
	rest := fields[1:]
	for i, f := range rest {
		width := column / float64(len(rest))
		at := x + float64(i)*width
		p.label(at, y+21, f.label)
		p.fit(at, y+32.5, width-4, 11, f.value, style{bold, 30, ink()})
	}
}

func (p *printer) label(x, y float64, s string) {
	p.text(x, y, strings.ToUpper(s), style{medium, 7.5, faint()})
}

// swatch repeats the category's colour beside its name, outlined so that a pale one shows.
func (p *printer) swatch(x, y float64, c rgb) {
	p.fill(c)
	p.paint(hair())
	p.pdf.SetLineWidth(0.2)
	p.pdf.RoundedRect(x, y, 3.8, 3.8, 1, "1234", "DF")
}

// tear is the line between the ticket and the rest.
func (p *printer) tear(words *texts) {
	p.paint(faint())
	p.pdf.SetLineWidth(0.3)
	p.pdf.SetDashPattern([]float64{1.6, 1.6}, 0)
	p.pdf.Line(0, tearLine, pageWidth, tearLine)
	p.pdf.SetDashPattern(nil, 0)
	st := style{regular, 7.5, faint()}
	p.use(st)
	half := p.pdf.GetStringWidth(printable(words.Tear))/2 + 3
	p.fill(white())
	p.pdf.Rect(pageWidth/2-half, tearLine-2, 2*half, 4, "F")
	p.textCenter(pageWidth/2, tearLine+0.9, words.Tear, st)
}

// gate says what to do on the day.
func (p *printer) gate(words *texts) {
	const width = 92.0
	y := tearLine + 15.0
	p.text(left, y, words.AtTheGate, style{bold, 13, ink()})
	y += 9
	for i, s := range words.GateSteps {
		p.fill(rgb{238, 241, 245})
		p.pdf.Circle(left+2.6, y-1.3, 2.9, "F")
		p.textCenter(left+2.6, y, decimals(uint64(i+1), 0, "", ""), style{bold, 8.5, ink()})
		y = p.paragraph(left+8.5, y, width-8.5, 4.9, 3, s, style{regular, 10, ink()}) + 3.2
	}
}

// receipt lists what was paid.
func (p *printer) receipt(d Document, words *texts) {
	const x = 122.0
	y := tearLine + 15.0
	p.text(x, y, words.Receipt, style{bold, 13, ink()})
	y += 9
	total := Money{d.Price.Amount + d.Fee.Amount, d.Price.Currency}
	rows := []field{
		{words.Order, d.Order},
		{words.Ticket, d.Ticket},
		{words.Category, d.Category},
		{words.Price, d.Price.Format(d.Lang)},
		{words.Fee, d.Fee.Format(d.Lang)},
		{words.Total, total.Format(d.Lang)},
	}
	for i, r := range rows {
		value := style{regular, 10, ink()}
		if i == len(rows)-1 {
			p.rule(x, right, y-4.9)
			value.face = bold
			y += 0.6
		}
		p.text(x, y, r.label, style{regular, 10, faint()})
		p.use(value)
		p.textRight(right, y, p.cut(printable(r.value), right-x-32), value)
		y += 6.4
	}
	if !d.IssuedAt.IsZero() {
		issued := words.IssuedAt + " " + FormatDate(d.IssuedAt, d.TimeZone, d.Lang)
		p.paragraph(x, y+1.5, right-x, 4.2, 2, issued, style{regular, 8.5, faint()})
	}
}

// foot carries the code as text, for a screen reader, a copy or a gate without a camera.
func (p *printer) foot(d Document, words *texts) {
	y := pageHeight - 30
	p.rule(left, right, y-6)
	p.label(left, y, words.Code)
	y += 5
	for code := d.Code; code != "" && y < pageHeight-14; y += 4 {
		n := min(len(code), 72)
		p.text(left, y, code[:n], style{mono, 8.5, ink()})
		code = code[n:]
	}
	p.text(left, y+1.5, words.Signed, style{regular, 8, faint()})
}
