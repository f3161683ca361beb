package pass

import (
	"strconv"
	"strings"

	"codeberg.org/go-pdf/fpdf"
)

// printer draws on a page in millimetres from the top left corner. Text is placed by its baseline.
type printer struct {
	pdf *fpdf.Fpdf
}

// rgb is a colour.
type rgb struct{ r, g, b int }

func white() rgb { return rgb{255, 255, 255} }
func ink() rgb   { return rgb{23, 27, 38} }    // text
func faint() rgb { return rgb{98, 106, 122} }  // labels; 5:1 on white
func hair() rgb  { return rgb{214, 218, 226} } // lines
func house() rgb { return rgb{26, 71, 94} }    // the band when the category has no colour
func alarm() rgb { return rgb{176, 32, 32} }   // the rehearsal warning

// parseColor reads "#rrggbb"; anything else is the house's colour.
func parseColor(s string) rgb {
	if len(s) != 7 || s[0] != '#' {
		return house()
	}
	n, err := strconv.ParseUint(s[1:], 16, 32)
	if err != nil {
		return house()
	}
	return rgb{int(n >> 16), int(n >> 8 & 0xff), int(n & 0xff)}
}

// on picks black or white text for a background, whichever is read more easily (the luma of ITU-R BT.601,
// in thousandths).
func (c rgb) on() rgb {
	if c.r*299+c.g*587+c.b*114 > 160*1000 {
		return ink()
	}
	return white()
}

// style is a face, a size in points and a colour.
type style struct {
	face  string
	size  float64
	color rgb
}

func (p *printer) use(s style) {
	p.pdf.SetFont(s.face, "", s.size)
	p.pdf.SetTextColor(s.color.r, s.color.g, s.color.b)
}

// text writes s with its baseline at y, starting at x.
func (p *printer) text(x, y float64, s string, st style) {
	p.use(st)
	p.pdf.Text(x, y, printable(s))
}

// textRight ends at x, textCenter has x in its middle.
func (p *printer) textRight(x, y float64, s string, st style) {
	p.use(st)
	s = printable(s)
	p.pdf.Text(x-p.pdf.GetStringWidth(s), y, s)
}

func (p *printer) textCenter(x, y float64, s string, st style) {
	p.use(st)
	s = printable(s)
	p.pdf.Text(x-p.pdf.GetStringWidth(s)/2, y, s)
}

// fit writes s within width: smaller down to least points, then cut with an ellipsis.
func (p *printer) fit(x, y, width, least float64, s string, st style) {
	s = printable(s)
	p.use(st)
	if w := p.pdf.GetStringWidth(s); w > width {
		st.size = max(least, st.size*width/w)
		p.use(st)
	}
	p.pdf.Text(x, y, p.cut(s, width))
}

// cut shortens s to width in the present font.
func (p *printer) cut(s string, width float64) string {
	if p.pdf.GetStringWidth(s) <= width {
		return s
	}
	runes := []rune(s)
	for len(runes) > 0 {
		runes = runes[:len(runes)-1]
		short := strings.TrimRight(string(runes), " ") + "…"
		if p.pdf.GetStringWidth(short) <= width {
			return short
		}
	}
	return ""
}

// wrap splits s into at most lines lines of width in style st; the last one is cut when there is more.
func (p *printer) wrap(s string, width float64, lines int, st style) []string {
	p.use(st)
	var out []string
	current := ""
	for word := range strings.FieldsSeq(printable(s)) {
		candidate := strings.TrimPrefix(current+" "+word, " ")
		if current == "" || p.pdf.GetStringWidth(candidate) <= width {
			current = candidate
			continue
		}
		if len(out) == lines-1 { // no further line: let cut say that there was more
			current = candidate
			break
		}
		out, current = append(out, current), word
	}
	if current != "" {
		out = append(out, current)
	}
	for i := range out {
		out[i] = p.cut(out[i], width)
	}
	return out
}

// paragraph writes wrapped lines from baseline y, leading apart, and returns the baseline after them.
func (p *printer) paragraph(x, y, width, leading float64, lines int, s string, st style) float64 {
	for _, l := range p.wrap(s, width, lines, st) {
		p.text(x, y, l, st)
		y += leading
	}
	return y
}

func (p *printer) fill(c rgb)  { p.pdf.SetFillColor(c.r, c.g, c.b) }
func (p *printer) paint(c rgb) { p.pdf.SetDrawColor(c.r, c.g, c.b) }

// rule is a horizontal hairline.
func (p *printer) rule(x1, x2, y float64) {
	p.paint(hair())
	p.pdf.SetLineWidth(0.25)
	p.pdf.Line(x1, y, x2, y)
}

// qr draws a symbol with its quiet zone into a square of edge, as one filled path.
func (p *printer) qr(x, y, edge float64, s symbol) {
	p.fill(white())
	p.pdf.Rect(x, y, edge, edge, "F")
	module := edge / float64(s.size+2*quietZone)
	at := func(n int, from float64) float64 { return from + float64(n+quietZone)*module }
	p.fill(rgb{})
	for _, loop := range s.outline() {
		p.pdf.MoveTo(at(loop[0].x, x), at(loop[0].y, y))
		for _, c := range loop[1:] {
			p.pdf.LineTo(at(c.x, x), at(c.y, y))
		}
		p.pdf.ClosePath()
	}
	p.pdf.DrawPath("F*")
}
