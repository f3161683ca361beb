package page

import (
	"fmt"
	"math"
	"strings"
	"sync"
)

// arena is built once; nobody changes it.
var arena = sync.OnceValue(buildArena)

// buildArena is a synthetic plan of 8,897 seats: eleven curved stands around a floor, and a standing area.
func buildArena() *plan {
	p := &plan{Name: "Arena", Width: 120000, Height: 100000}
	p.Categories = []category{{ID: 0, Name: "Pista premium", Color: "#d1495b"}, {ID: 1, Name: "Arquibancada inferior", Color: "#2e6fb7"}, {ID: 2, Name: "Arquibancada superior", Color: "#e0a100"}}
	const pitch, cx, cy = 100.0 * 5, 60000.0, 42000.0
	for s := range 11 {
		upper := s >= 6
		n, of, r0, rows := s, 6, 20000.0, 20
		if upper {
			n, of, r0, rows = s-6, 5, 33000.0, 22
		}
		span := math.Pi * 1.25 / float64(of)
		from := math.Pi*-.125 + span*float64(n)
		p.Sections = append(p.Sections, section{ID: s, Label: fmt.Sprint(map[bool]int{false: 101, true: 201}[upper] + n), Zone: map[bool]string{false: "Inferior", true: "Superior"}[upper]})
		for r := range rows {
			p.addRow(s, r, r0+float64(r)*560, from, span, cx, cy, map[bool]int{false: 1, true: 2}[upper], pitch)
		}
	}
	p.cutTo(8897)
	p.Sections = append(p.Sections, section{ID: 11, Label: "Pista", Zone: ""})
	p.Areas = []planArea{{Unit: len(p.Seats.X), Label: "Pista premium", Section: 11, Category: 0, Capacity: 2000, X: cx, Y: cy - 4000,
		Outline: [][2]float64{{cx - 14000, cy - 14000}, {cx + 14000, cy - 14000}, {cx + 14000, cy + 5000}, {cx + 8000, cy + 12000}, {cx - 8000, cy + 12000}, {cx - 14000, cy + 5000}}}}
	return p
}

func (p *plan) addRow(s, r int, radius, from, span, cx, cy float64, cat int, pitch float64) {
	n := int(radius * span / pitch * .93)
	row := planRow{Section: s, Label: string(rune('A' + r)), First: len(p.Seats.X), Count: n}
	for i := range n {
		a := from + span*(.035+.93*float64(i)/float64(max(n-1, 1)))
		flags := 0
		if r == 0 && i%12 < 2 {
			flags = 1 << (i % 2)
		}
		p.Seats.X = append(p.Seats.X, math.Round(cx+radius*math.Cos(a)))
		p.Seats.Y = append(p.Seats.Y, math.Round(cy+radius*math.Sin(a)))
		p.Seats.Label = append(p.Seats.Label, fmt.Sprint(i+1))
		p.Seats.Category = append(p.Seats.Category, cat)
		p.Seats.Flags = append(p.Seats.Flags, flags)
	}
	p.Rows = append(p.Rows, row)
}

// cutTo keeps the first n seats.
func (p *plan) cutTo(n int) {
	n = min(n, len(p.Seats.X))
	p.Seats.X, p.Seats.Y, p.Seats.Label = p.Seats.X[:n], p.Seats.Y[:n], p.Seats.Label[:n]
	p.Seats.Category, p.Seats.Flags = p.Seats.Category[:n], p.Seats.Flags[:n]
	var rows []planRow
	for _, r := range p.Rows {
		if r.Count = min(r.Count, n-r.First); r.Count > 0 {
			rows = append(rows, r)
		}
	}
	p.Rows = rows
}

// statusOf marks most seats as sold or held, in runs as people buy them.
func statusOf(p *plan, seed int) string {
	var b strings.Builder
	for i := range p.Seats.X {
		switch k := (i/3*2654435761 + seed*97) >> 7 % 10; {
		case p.Seats.Category[i] == 2 && k > 0, k > 5:
			b.WriteByte('s')
		case k == 5:
			b.WriteByte('h')
		default:
			b.WriteByte('f')
		}
	}
	return b.String()
}

func planJSON(p *plan) obj {
	sections := []obj{}
	for _, s := range p.Sections {
		sections = append(sections, obj{"id": s.ID, "label": s.Label, "zone": s.Zone, "focal": []float64{60000, 20000}})
	}
	seats := obj{"x": p.Seats.X, "y": p.Seats.Y, "label": p.Seats.Label, "category": p.Seats.Category, "flags": p.Seats.Flags}
	return obj{"name": p.Name, "width": p.Width, "height": p.Height, "categories": p.Categories, "sections": sections, "rows": p.Rows, "seats": seats, "areas": p.Areas}
}
