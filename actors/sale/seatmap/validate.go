package seatmap

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxDefects bounds the report of a hopeless plan.
const maxDefects = 1_000

// Validate lists every defect of the plan, one error each, joined, in plan order; each begins with a path such as
// rows[3].seats[2].key, where seats count from the start of their row. Beyond 1,000 defects only their number is told.
func (p *Plan) Validate() error {
	c := checker{p: p, keys: make(map[string]UnitID, len(p.Seats)+len(p.Areas))}
	c.whole()
	c.allCategories()
	c.allSections()
	c.allRows()
	c.allAreas()
	if c.more > 0 {
		c.defects = append(c.defects, fmt.Errorf("plan: %d more defects", c.more))
	}
	return errors.Join(c.defects...)
}

// checker gathers defects.
type checker struct {
	p       *Plan
	keys    map[string]UnitID // of seats and areas: who has it first
	sized   bool              // the size is sound, so positions can be judged
	defects []error
	more    int
}

func (c *checker) bad(path, format string, args ...any) {
	if len(c.defects) >= maxDefects {
		c.more++
		return
	}
	c.defects = append(c.defects, fmt.Errorf(path+": "+format, args...))
}

func (c *checker) whole() {
	p := c.p
	c.text("name", p.Name, false)
	if c.sized = p.Width >= 1 && p.Width <= MaxCoordinate && p.Height >= 1 && p.Height <= MaxCoordinate; !c.sized {
		c.bad("size", "%d × %d, each side must be 1 to %d", p.Width, p.Height, MaxCoordinate)
	}
	c.most("categories", len(p.Categories), MaxCategories)
	c.most("sections", len(p.Sections), MaxSections)
	c.most("rows", len(p.Rows), MaxRows)
	c.most("seats", len(p.Seats), MaxSeats)
	c.most("areas", len(p.Areas), MaxAreas)
	if len(p.Categories) == 0 {
		c.bad("categories", "none, need at least one")
	}
	if p.Units() == 0 {
		c.bad("seats", "no seats and no areas, nothing to sell")
	}
}

func (c *checker) most(path string, n, most int) {
	if n > most {
		c.bad(path, "%d of them, at most %d", n, most)
	}
}

// text checks a string; an empty one only if it is needed.
func (c *checker) text(path, s string, need bool) {
	switch {
	case need && s == "":
		c.bad(path, "empty")
	case len(s) > MaxString:
		c.bad(path, "%d bytes long, at most %d", len(s), MaxString)
	case strings.ToValidUTF8(s, "") != s:
		c.bad(path, "not UTF-8")
	}
}

func (c *checker) allCategories() {
	seen := make(map[string]int, len(c.p.Categories))
	for i := range c.p.Categories {
		k := &c.p.Categories[i]
		path := fmt.Sprintf("categories[%d]", i)
		c.text(path+".key", k.Key, true)
		c.text(path+".name", k.Name, true)
		if j, ok := seen[k.Key]; ok {
			c.bad(path+".key", "%q is also the key of categories[%d]", k.Key, j)
		} else {
			seen[k.Key] = i
		}
		if !isColor(k.Color) {
			c.bad(path+".color", "%q is not #rrggbb", k.Color)
		}
		if k.Price < 0 || k.Price > MaxMoney {
			c.bad(path+".price", "%d is not within 0 to %d", k.Price, int64(MaxMoney))
		}
		if k.Fee < 0 || k.Fee > MaxMoney {
			c.bad(path+".fee", "%d is not within 0 to %d", k.Fee, int64(MaxMoney))
		}
	}
}

func isColor(s string) bool {
	if len(s) != 7 || s[0] != '#' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

func (c *checker) allSections() {
	for i := range c.p.Sections {
		s := &c.p.Sections[i]
		path := fmt.Sprintf("sections[%d]", i)
		c.text(path+".label", s.Label, false)
		c.text(path+".zone", s.Zone, false)
		for _, f := range [2]int32{s.FocalX, s.FocalY} {
			if f < -MaxCoordinate || f > 2*MaxCoordinate {
				c.bad(path+".focal", "%d is not within %d to %d", f, -MaxCoordinate, 2*MaxCoordinate)
			}
		}
	}
}

func (c *checker) allRows() {
	next := 0
	for i := range c.p.Rows {
		r := &c.p.Rows[i]
		path := fmt.Sprintf("rows[%d]", i)
		c.text(path+".label", r.Label, false)
		c.section(path, r.Section)
		if r.Count == 0 {
			c.bad(path, "has no seats")
		}
		if int64(r.First) != int64(next) || next+int(r.Count) > len(c.p.Seats) {
			c.bad(path, "seats %d to %d, they must follow the row before (%d) and exist (%d)",
				r.First, int64(r.First)+int64(r.Count)-1, next, len(c.p.Seats))
			return // what follows would be about the wrong seats
		}
		for j := range int(r.Count) {
			c.seat(i, j, &c.p.Seats[next+j])
		}
		next += int(r.Count)
	}
	if next < len(c.p.Seats) {
		c.bad("seats", "%d stand in no row", len(c.p.Seats)-next)
	}
}

func (c *checker) seat(row, i int, s *Seat) {
	at := func(field string) string { return fmt.Sprintf("rows[%d].seats[%d]%s", row, i, field) }
	if s.Key == "" || len(s.Key) > MaxString || strings.ToValidUTF8(s.Key, "") != s.Key {
		c.text(at(".key"), s.Key, true)
	}
	if s.Label == "" || len(s.Label) > MaxString || strings.ToValidUTF8(s.Label, "") != s.Label {
		c.text(at(".label"), s.Label, false)
	}
	c.once(UnitID(int(c.p.Rows[row].First)+i), s.Key, at)
	if s.Row != uint32(row) {
		c.bad(at(".row"), "%d, stands in row %d", s.Row, row)
	}
	if int(s.Category) >= len(c.p.Categories) {
		c.bad(at(".category"), "%d does not exist, there are %d", s.Category, len(c.p.Categories))
	}
	if !c.inside(s.X, s.Y) {
		c.bad(at(""), "stands at (%d, %d), outside of the plan", s.X, s.Y)
	}
	if s.Flags&^(Accessible|Companion|RestrictedView|BreakBefore) != 0 {
		c.bad(at(".flags"), "%#x has unknown bits", s.Flags)
	}
	if s.Flags&special == special {
		c.bad(at(".flags"), "a seat is a wheelchair place or a companion's, not both")
	}
}

// once checks that a key is unique. Paths are only built when there is something to say.
func (c *checker) once(u UnitID, key string, at func(string) string) {
	if key == "" {
		return
	}
	if first, ok := c.keys[key]; ok {
		c.bad(at(".key"), "%q is also the key of %s", key, c.where(first))
		return
	}
	c.keys[key] = u
}

// where is the path of a unit whose row has been found sound.
func (c *checker) where(u UnitID) string {
	if i := int(u) - len(c.p.Seats); i >= 0 {
		return fmt.Sprintf("areas[%d]", i)
	}
	r, found := slices.BinarySearchFunc(c.p.Rows, u, func(r Row, u UnitID) int { return cmp.Compare(r.First, u) })
	if !found {
		r--
	}
	return fmt.Sprintf("rows[%d].seats[%d]", r, u-c.p.Rows[r].First)
}

func (c *checker) inside(x, y int32) bool {
	return !c.sized || x >= 0 && x <= c.p.Width && y >= 0 && y <= c.p.Height
}

func (c *checker) section(path string, s uint16) {
	if int(s) >= len(c.p.Sections) {
		c.bad(path+".section", "%d does not exist, there are %d", s, len(c.p.Sections))
	}
}

func (c *checker) allAreas() {
	for i := range c.p.Areas {
		a := &c.p.Areas[i]
		path := fmt.Sprintf("areas[%d]", i)
		c.text(path+".key", a.Key, true)
		c.text(path+".label", a.Label, false)
		c.once(UnitID(len(c.p.Seats)+i), a.Key, func(f string) string { return path + f })
		c.section(path, a.Section)
		if int(a.Category) >= len(c.p.Categories) {
			c.bad(path+".category", "%d does not exist, there are %d", a.Category, len(c.p.Categories))
		}
		if a.Capacity < 1 || a.Capacity > MaxAreaPlaces {
			c.bad(path+".capacity", "%d is not within 1 to %d", a.Capacity, MaxAreaPlaces)
		}
		if !c.inside(a.X, a.Y) {
			c.bad(path, "stands at (%d, %d), outside of the plan", a.X, a.Y)
		}
		c.most(path+".outline", len(a.Outline), MaxOutline)
		for j, o := range a.Outline {
			if !c.inside(o.X, o.Y) {
				c.bad(fmt.Sprintf("%s.outline[%d]", path, j), "(%d, %d) is outside of the plan", o.X, o.Y)
			}
		}
	}
}
