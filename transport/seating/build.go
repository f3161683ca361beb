package seating

import (
	"math"
	"slices"
	"strings"

	"github.com/catraca/catraca/actors/sale/seatmap"
)

// tidy reports and leaves out rows without seats, and sections without anything.
func (d *draft) tidy(rep *Report) {
	for _, s := range d.sections {
		s.rows = slices.DeleteFunc(s.rows, func(row *draftRow) bool {
			if len(row.seats) == 0 {
				rep.warn(row.path, CodeEmptyRow, "has no seats, left out")
			}
			return len(row.seats) == 0
		})
	}
	d.sections = slices.DeleteFunc(d.sections, func(s *draftSection) bool { return len(s.rows)+len(s.areas) == 0 })
}

// bounded reports what would not fit the types of a plan.
func (d *draft) bounded(rep *Report) {
	seats, rows, areas := 0, 0, 0
	for _, s := range d.sections {
		rows, areas = rows+len(s.rows), areas+len(s.areas)
		for _, row := range s.rows {
			seats += len(row.seats)
			if len(row.seats) > seatmap.MaxRowSeats {
				rep.fault(row.path, CodeTooMany, "%d seats in a row, at most %d", len(row.seats), seatmap.MaxRowSeats)
			}
		}
	}
	for _, b := range []struct {
		what    string
		n, most int
	}{
		{"categories", len(d.categories), seatmap.MaxCategories},
		{"sections", len(d.sections), seatmap.MaxSections},
		{"rows", rows, seatmap.MaxRows},
		{"seats", seats, seatmap.MaxSeats},
		{"areas", areas, seatmap.MaxAreas},
	} {
		if b.n > b.most {
			rep.fault("", CodeTooMany, "%d %s, at most %d", b.n, b.what, b.most)
		}
	}
	if seats+areas == 0 {
		rep.fault("", CodeMissing, "no seats and no areas, nothing to sell")
	}
}

// short reports names, labels and keys that are too long for a plan.
func (d *draft) short(rep *Report) {
	check := func(path string, texts ...string) {
		for _, text := range texts {
			if len(text) > seatmap.MaxString {
				rep.fault(path, CodeTooLong, "%q… is %d bytes long, at most %d", strings.ToValidUTF8(text[:32], ""), len(text), seatmap.MaxString)
				return
			}
		}
	}
	check("name", d.name)
	for _, c := range d.categories {
		check(c.path, c.key, c.name)
	}
	for _, s := range d.sections {
		check(s.path, s.label, s.zone)
		for _, row := range s.rows {
			check(row.path, row.label)
			for i := range row.seats {
				seat := &row.seats[i]
				check(seat.keyPath, seat.key)
				check(seat.path, seat.label)
			}
		}
		for _, a := range s.areas {
			check(a.keyPath, a.key, a.label)
		}
	}
}

// uniqueCategories reports categories that share a key.
func (d *draft) uniqueCategories(rep *Report) {
	seen := map[string]string{}
	for _, c := range d.categories {
		if first, ok := seen[c.key]; ok {
			rep.fault(c.path, CodeDuplicateKey, "%q is also the key of %s", c.key, first)
			continue
		}
		seen[c.key] = c.path
	}
}

// frame is the box around everything that is drawn, focal points aside.
type frame struct{ min, max point }

func (f *frame) add(p point) {
	f.min = point{min(f.min.x, p.x), min(f.min.y, p.y)}
	f.max = point{max(f.max.x, p.x), max(f.max.y, p.y)}
}

// frame is the box of the drawing's own size, grown by what stands outside of it.
func (d *draft) frame() frame {
	f := frame{max: point{max(d.width, 0), max(d.height, 0)}}
	for _, s := range d.sections {
		for _, row := range s.rows {
			for i := range row.seats {
				f.add(row.seats[i].at)
			}
		}
		for _, a := range s.areas {
			f.add(a.at)
			for _, p := range a.outline {
				f.add(p)
			}
		}
	}
	return f
}

// plan turns a sound draft into a plan: hundredths of the source's unit, moved so that nothing is negative.
func (d *draft) plan(rep *Report) *seatmap.Plan {
	f := d.frame()
	hundredth := func(p point) (x, y int32) {
		return int32(math.Round((p.x - f.min.x) * 100)), int32(math.Round((p.y - f.min.y) * 100))
	}
	p := &seatmap.Plan{Name: d.name}
	p.Width, p.Height = hundredth(f.max)
	p.Width, p.Height = max(1, p.Width), max(1, p.Height)
	if w, h := f.max.x-f.min.x, f.max.y-f.min.y; w > maxUnits || h > maxUnits {
		rep.fault("", CodeOutOfRange, "the drawing is %.0f × %.0f, each side at most %d", w, h, maxUnits)
		return p
	}
	for i, s := range d.sections {
		sec := seatmap.Section{Label: s.label, Zone: s.zone}
		sec.FocalX, sec.FocalY = hundredth(s.lookAt())
		p.Sections = append(p.Sections, sec)
		ranks := s.ranks()
		for j, row := range s.rows {
			r := seatmap.Row{Section: uint16(i), Label: row.label, First: seatmap.UnitID(len(p.Seats)), Count: uint16(len(row.seats)), Rank: ranks[j]}
			for _, seat := range row.seats {
				x, y := hundredth(seat.at)
				p.Seats = append(p.Seats, seatmap.Seat{Key: seat.key, Label: seat.label, X: x, Y: y,
					Row: uint32(len(p.Rows)), Category: uint16(seat.category), Flags: seat.flags})
			}
			p.Rows = append(p.Rows, r)
		}
		for _, a := range s.areas {
			area := seatmap.Area{Key: a.key, Label: a.label, Section: uint16(i), Category: uint16(a.category), Capacity: a.capacity}
			area.X, area.Y = hundredth(a.at)
			for _, c := range a.outline {
				x, y := hundredth(c)
				area.Outline = append(area.Outline, seatmap.Point{X: x, Y: y})
			}
			p.Areas = append(p.Areas, area)
		}
	}
	return p
}

// price makes the categories of the plan. Without prices everything is free; with them every category in use needs one.
func (d *draft) price(prices map[string]Price, rep *Report) []seatmap.Category {
	used := d.used()
	spent := map[string]bool{}
	var out []seatmap.Category
	for i, c := range d.categories {
		name := c.key
		price, ok := prices[name]
		if !ok {
			name = c.name
			price, ok = prices[name]
		}
		spent[name] = true
		if !ok && len(prices) > 0 && used[i] {
			rep.fault(c.path, CodeNoPrice, "no price is given for category %q (%s)", c.key, c.name)
		}
		out = append(out, seatmap.Category{Key: c.key, Name: c.name, Color: c.color, Price: price.Price, Fee: price.Fee})
	}
	var unused []string
	for name := range prices {
		if !spent[name] {
			unused = append(unused, name)
		}
	}
	slices.Sort(unused)
	for _, name := range unused {
		rep.warn("", CodeUnusedPrice, "the price for %q fits no category of the plan", name)
	}
	return out
}

// used tells which categories have seats or areas.
func (d *draft) used() []bool {
	used := make([]bool, len(d.categories)+1) // the last for units of an unknown category
	at := func(c int) int { return (c + len(used)) % len(used) }
	for _, s := range d.sections {
		for _, row := range s.rows {
			for i := range row.seats {
				used[at(row.seats[i].category)] = true
			}
		}
		for _, a := range s.areas {
			used[at(a.category)] = true
		}
	}
	return used
}

// validate reports what the sale itself would refuse.
func validate(p *seatmap.Plan, rep *Report) {
	err := p.Validate()
	if err == nil {
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		path, message, ok := strings.Cut(line, ": ")
		if !ok {
			path, message = "", line
		}
		rep.fault(path, CodeInvalid, "%s", message)
	}
}

// count fills in what the plan holds.
func (r *Report) count(p *seatmap.Plan) {
	r.Seats, r.Areas, r.Rows, r.Sections = len(p.Seats), len(p.Areas), len(p.Rows), len(p.Sections)
}
