package seatmap

import (
	"strings"
	"testing"
)

// TestValidate damages a sound plan in every way and wants the defect named by its path.
func TestValidate(t *testing.T) {
	long := strings.Repeat("x", MaxString+1)
	for _, c := range []struct {
		name   string
		damage func(p *Plan)
		want   []string // every one must be a prefix of a line, and there are no other lines
	}{
		{"sound", func(p *Plan) {}, nil},
		{"no size", func(p *Plan) { p.Width = 0 }, []string{"size: 0 × "}},
		{"too wide", func(p *Plan) { p.Width = MaxCoordinate + 1 }, []string{"size: 16777217 × "}},
		{"long name", func(p *Plan) { p.Name = long }, []string{"name: 201 bytes long, at most 200"}},
		{"bad UTF-8", func(p *Plan) { p.Name = "\xff" }, []string{"name: not UTF-8"}},
		{"category key", func(p *Plan) { p.Categories[1].Key = "" }, []string{"categories[1].key: empty"}},
		{"category key twice", func(p *Plan) { p.Categories[2].Key = "1" }, []string{`categories[2].key: "1" is also the key of categories[1]`}},
		{"color", func(p *Plan) { p.Categories[0].Color = "#12345g" }, []string{`categories[0].color: "#12345g" is not #rrggbb`}},
		{"price", func(p *Plan) { p.Categories[0].Price = -1 }, []string{"categories[0].price: -1 is not within"}},
		{"fee", func(p *Plan) { p.Categories[0].Fee = MaxMoney + 1 }, []string{"categories[0].fee: 1000000000001 is not"}},
		{"focal", func(p *Plan) { p.Sections[0].FocalX = -MaxCoordinate - 1 }, []string{"sections[0].focal: "}},
		{"row section", func(p *Plan) { p.Rows[1].Section = 7 }, []string{"rows[1].section: 7 does not exist, there are 1"}},
		{"row order", func(p *Plan) { p.Rows[1].First++ }, []string{"rows[1]: seats 4 to 6,"}},
		{"row too long", func(p *Plan) { p.Rows[1].Count++ }, []string{"rows[1]: seats 3 to 6,"}},
		{"empty row", func(p *Plan) { p.Rows = append(p.Rows, Row{First: 6}) }, []string{"rows[2]: has no seats"}},
		{"seat over", func(p *Plan) { p.Seats = append(p.Seats, Seat{Key: "z"}) }, []string{"seats: 1 stand in no row"}},
		{"two at once", func(p *Plan) { p.Seats[4].Category = 9; p.Seats[5].X = -1 },
			[]string{"rows[1].seats[1].category: 9 does not exist, there are 3", "rows[1].seats[2]: stands at (-1, "}},
		{"seat key", func(p *Plan) { p.Seats[0].Key = "" }, []string{"rows[0].seats[0].key: empty"}},
		{"seat key twice", func(p *Plan) { p.Seats[4].Key = p.Seats[2].Key }, []string{`rows[1].seats[1].key: "0-0-2" is also the key of rows[0].seats[2]`}},
		{"seat and area key", func(p *Plan) { p.Areas[0].Key = p.Seats[4].Key }, []string{`areas[0].key: "0-1-1" is also the key of rows[1].seats[1]`}},
		{"area keys", func(p *Plan) { withArea(p, 5).Areas[1].Key = "area0" }, []string{`areas[1].key: "area0" is also the key of areas[0]`}},
		{"seat row", func(p *Plan) { p.Seats[0].Row = 1 }, []string{"rows[0].seats[0].row: 1, stands in row 0"}},
		{"flags", func(p *Plan) { p.Seats[0].Flags = 0x80 }, []string{"rows[0].seats[0].flags: 0x80 has unknown bits"}},
		{"chair and companion", func(p *Plan) { p.Seats[0].Flags = Accessible | Companion }, []string{"rows[0].seats[0].flags: a seat is"}},
		{"area capacity", func(p *Plan) { p.Areas[0].Capacity = 0 }, []string{"areas[0].capacity: 0 is not within 1 to 1000000"}},
		{"area category", func(p *Plan) { p.Areas[0].Category = 3 }, []string{"areas[0].category: 3 does not exist, there are 3"}},
		{"area section", func(p *Plan) { p.Areas[0].Section = 1 }, []string{"areas[0].section: 1 does not exist"}},
		{"area outside", func(p *Plan) { p.Areas[0].Y = p.Height + 1 }, []string{"areas[0]: stands at ("}},
		{"outline", func(p *Plan) { p.Areas[0].Outline[1].X = -5 }, []string{"areas[0].outline[1]: (-5, 0) is outside"}},
		{"long outline", func(p *Plan) { p.Areas[0].Outline = make([]Point, MaxOutline+1) }, []string{"areas[0].outline: 1001 of them, at most 1000"}},
		{"nothing", func(p *Plan) { *p = Plan{Width: 1, Height: 1} }, []string{"categories: none", "seats: no seats and no areas"}},
	} {
		p := withArea(draw(t, []string{"...", "..."}), 10)
		c.damage(p)
		var lines []string
		if err := p.Validate(); err != nil {
			lines = strings.Split(err.Error(), "\n")
		}
		for i := range max(len(lines), len(c.want)) {
			if i >= len(lines) || i >= len(c.want) || !strings.HasPrefix(lines[i], c.want[i]) {
				t.Errorf("%s: got defects\n\t%s\nwant\n\t%s", c.name, strings.Join(lines, "\n\t"), strings.Join(c.want, "\n\t"))
				break
			}
		}
	}
}

func TestValidateBoundsItsReport(t *testing.T) {
	p := stadium(t, 40, 50)
	for i := range p.Seats {
		p.Seats[i].Category = 9
	}
	lines := strings.Split(p.Validate().Error(), "\n")
	if len(lines) != maxDefects+1 || lines[maxDefects] != "plan: 1000 more defects" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func TestUnits(t *testing.T) {
	p := withArea(draw(t, []string{"..:"}), 10)
	if p.Units() != 4 || p.Capacity() != 13 {
		t.Errorf("%d units, %d places", p.Units(), p.Capacity())
	}
	for u, want := range []bool{false, false, false, true, false} {
		if p.IsArea(UnitID(u)) != want || (p.Area(UnitID(u)) != nil) != want {
			t.Errorf("unit %d: area is %v", u, !want)
		}
	}
	if p.CategoryOf(2) != 1 || p.CategoryOf(3) != 2 {
		t.Errorf("categories %d and %d", p.CategoryOf(2), p.CategoryOf(3))
	}
}

func TestDecodePlanRefuses(t *testing.T) {
	good := withArea(draw(t, []string{"..:"}), 10).AppendBinary(nil)
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"nothing", nil, "decode plan: no bytes"},
		{"version", []byte{9}, "decode plan: version 9, this build reads 1"},
		{"cut", good[:len(good)-1], "outline"},
		{"cut string", good[:4], "name: 5 bytes announced, 2 left"},
		{"long number", append([]byte{1, 0x85, 0x00}, good[2:]...), "name: number is longer than it must be"},
		{"huge list", []byte{1, 0, 2, 2, 0xe8, 0x07}, "categories: 1000 of them do not fit the 0 bytes left"},
		{"too many", []byte{1, 0, 2, 2, 0xe9, 0x07}, "categories: 1001, at most 1000"},
		{"invalid", []byte{1, 0, 2, 2, 0, 0, 0, 0, 0}, "categories: none"},
	} {
		_, n, err := DecodePlan(c.b)
		if err == nil || n != 0 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: read %d, error %v, want %q", c.name, n, err, c.want)
		}
	}
}

func TestDecodePlanRefusesEveryCut(t *testing.T) {
	good := withArea(draw(t, []string{"..:", "w c"}), 10).AppendBinary(nil)
	for n := range good {
		if _, _, err := DecodePlan(good[:n]); err == nil {
			t.Errorf("took %d of %d bytes for a plan", n, len(good))
		}
	}
}
