package page

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
)

// picture draws the plan as SVG: each section's outline, its rows as strokes in the colour of their category, its
// label. It is drawn for light paper, which the page puts behind it in dark mode too.
func (p *plan) picture() []byte {
	hulls := make([][][2]float64, len(p.Sections))
	for _, r := range p.Rows {
		for u := r.First; u < r.First+r.Count; u++ {
			hulls[r.Section] = append(hulls[r.Section], [2]float64{p.Seats.X[u], p.Seats.Y[u]})
		}
	}
	for i := range hulls {
		hulls[i] = hull(hulls[i])
	}
	box := newBox()
	for _, h := range hulls {
		box.add(h...)
	}
	for _, a := range p.Areas {
		box.add(a.Outline...)
		box.add([2]float64{a.X, a.Y})
	}
	if box.empty() {
		box = bounds{0, 0, max(p.Width, 1), max(p.Height, 1)}
	}
	size := max(box.x1-box.x0, box.y1-box.y0, 1)
	pad := size * .05
	k := 1000 / (size + 2*pad) // drawn on 1000 units, so numbers are short
	d := drawing{k: k, x: box.x0 - pad, y: box.y0 - pad, w: box.x1 - box.x0 + 2*pad}
	fmt.Fprintf(&d.out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-weight="700" text-anchor="middle">`,
		(box.x1-box.x0+2*pad)*k, (box.y1-box.y0+2*pad)*k)
	d.areas(p)
	d.sections(p, hulls)
	d.out.WriteString("</svg>\n")
	return d.out.Bytes()
}

type drawing struct {
	out        bytes.Buffer
	k, x, y, w float64
}

func (d *drawing) at(x, y float64) string { return fmt.Sprintf("%.1f %.1f", (x-d.x)*d.k, (y-d.y)*d.k) }

func (d *drawing) polygon(pts [][2]float64, color string, opacity string) {
	d.out.WriteString(`<path d="M`)
	for i, q := range pts {
		if i > 0 {
			d.out.WriteByte('L')
		}
		d.out.WriteString(d.at(q[0], q[1]))
	}
	fmt.Fprintf(&d.out, `z" fill="%s" fill-opacity="%s" stroke="%s" stroke-width="4" stroke-linejoin="round"/>`, color, opacity, color)
}

func (d *drawing) label(text string, x, y float64) {
	half := float64(len([]rune(text))) * 8.5 / d.k // about half the width of the words
	x = min(max(x, d.x+half), d.x+d.w-half)
	fmt.Fprintf(&d.out, `<text x="%.1f" y="%.1f" font-size="28" fill="#14201a" stroke="#fbfbf7" stroke-width="6" stroke-linejoin="round" paint-order="stroke">`, (x-d.x)*d.k, (y-d.y)*d.k)
	xml.EscapeText(&d.out, []byte(text)) //nolint:errcheck // a buffer takes everything
	d.out.WriteString("</text>")
}

func (d *drawing) areas(p *plan) {
	for _, a := range p.Areas {
		if len(a.Outline) > 2 {
			d.polygon(a.Outline, p.color(a.Category), ".35")
		} else {
			fmt.Fprintf(&d.out, `<circle cx="%.1f" cy="%.1f" r="28" fill="%s" fill-opacity=".35"/>`, (a.X-d.x)*d.k, (a.Y-d.y)*d.k, p.color(a.Category))
		}
		d.label(a.Label, a.X, a.Y)
	}
}

// sections draws outlines, then the rows as one path per category, then labels above each section.
func (d *drawing) sections(p *plan, hulls [][][2]float64) {
	colors := make([]string, len(p.Sections))
	for _, r := range p.Rows {
		if r.Count > 0 && colors[r.Section] == "" {
			colors[r.Section] = p.color(p.Seats.Category[r.First])
		}
	}
	for i, h := range hulls {
		if len(h) > 2 {
			d.polygon(h, colors[i], ".16")
		}
	}
	strokes, order := map[string]*bytes.Buffer{}, []string{}
	for _, r := range p.Rows {
		for u := r.First; u < r.First+r.Count; {
			end := u
			for end+1 < r.First+r.Count && p.Seats.Category[end+1] == p.Seats.Category[u] {
				end++
			}
			c := p.color(p.Seats.Category[u])
			if strokes[c] == nil {
				strokes[c], order = &bytes.Buffer{}, append(order, c)
			}
			mid := (u + end) / 2 // three points follow a curved row
			fmt.Fprintf(strokes[c], "M%sL%sL%s", d.at(p.Seats.X[u], p.Seats.Y[u]), d.at(p.Seats.X[mid], p.Seats.Y[mid]), d.at(p.Seats.X[end], p.Seats.Y[end]))
			u = end + 1
		}
	}
	for _, c := range order {
		fmt.Fprintf(&d.out, `<path d="%s" fill="none" stroke="%s" stroke-width="%.1f" stroke-linecap="round" stroke-linejoin="round"/>`,
			strokes[c].String(), c, max(p.pitch()*d.k*.5, .8))
	}
	for i, h := range hulls {
		if len(h) == 0 {
			continue
		}
		b := newBox()
		b.add(h...)
		if (b.x1-b.x0)*d.k > 70 && (b.y1-b.y0)*d.k > 40 {
			d.label(p.Sections[i].Label, (b.x0+b.x1)/2, (b.y0+b.y1)/2+9/d.k)
		} else {
			d.label(p.Sections[i].Label, (b.x0+b.x1)/2, b.y0-12/d.k)
		}
	}
}

func (p *plan) color(category int) string {
	for _, c := range p.Categories {
		if c.ID == category {
			return c.Paint()
		}
	}
	return paint("")
}

// pitch is a typical distance of neighbouring seats.
func (p *plan) pitch() float64 {
	var ds []float64
	for _, r := range p.Rows {
		if r.Count > 1 {
			u := r.First + r.Count/2
			ds = append(ds, math.Hypot(p.Seats.X[u]-p.Seats.X[u-1], p.Seats.Y[u]-p.Seats.Y[u-1]))
		}
	}
	if len(ds) == 0 {
		return 1
	}
	slices.Sort(ds)
	return ds[len(ds)/2]
}

type bounds struct{ x0, y0, x1, y1 float64 }

func newBox() bounds { return bounds{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)} }

func (b *bounds) add(pts ...[2]float64) {
	for _, q := range pts {
		b.x0, b.y0 = min(b.x0, q[0]), min(b.y0, q[1])
		b.x1, b.y1 = max(b.x1, q[0]), max(b.y1, q[1])
	}
}

func (b *bounds) empty() bool { return b.x0 > b.x1 }

// hull is the convex outline of points, by the monotone chain.
func hull(pts [][2]float64) [][2]float64 {
	if len(pts) < 3 {
		return pts
	}
	slices.SortFunc(pts, func(a, b [2]float64) int {
		if a[0] != b[0] {
			return sgn(a[0] - b[0])
		}
		return sgn(a[1] - b[1])
	})
	half := func(at func(int) [2]float64) (h [][2]float64) {
		for i := range pts {
			q := at(i)
			for len(h) > 1 && cross(h[len(h)-2], h[len(h)-1], q) <= 0 {
				h = h[:len(h)-1]
			}
			h = append(h, q)
		}
		return h[:len(h)-1]
	}
	lower := half(func(i int) [2]float64 { return pts[i] })
	upper := half(func(i int) [2]float64 { return pts[len(pts)-1-i] })
	return append(lower, upper...)
}

func sgn(x float64) int {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	}
	return 0
}

func cross(o, a, b [2]float64) float64 {
	return (a[0]-o[0])*(b[1]-o[1]) - (a[1]-o[1])*(b[0]-o[0])
}
