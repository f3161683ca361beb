package seating

import (
	"math"
	"strings"
	"testing"

	"github.com/catraca/catraca/actors/sale/seatmap"
)

// rowOf stands seats at points, labelled a, b, c… in the order of the file.
func rowOf(points ...point) *draftRow {
	row := &draftRow{}
	for i, p := range points {
		row.seats = append(row.seats, draftSeat{label: string(rune('a' + i)), at: p})
	}
	return row
}

// order writes the labels of a row, with a bar for an aisle.
func order(row *draftRow) string {
	var b strings.Builder
	for _, s := range row.seats {
		if s.flags&seatmap.BreakBefore != 0 {
			b.WriteByte('|')
		}
		b.WriteString(s.label)
	}
	return b.String()
}

func arc(degrees ...float64) (out []point) {
	for _, d := range degrees {
		sin, cos := math.Sincos(d * math.Pi / 180)
		out = append(out, point{100 * cos, 100 * sin})
	}
	return out
}

func TestArrange(t *testing.T) {
	for _, c := range []struct {
		name string
		row  *draftRow
		want string
	}{
		{"in order", rowOf(point{0, 0}, point{10, 0}, point{20, 0}), "abc"},
		{"numbered from the right", rowOf(point{20, 0}, point{10, 0}, point{0, 0}), "abc"},
		{"odd numbers left, even numbers right", rowOf(point{30, 0}, point{40, 0}, point{20, 0}, point{50, 0}, point{10, 0}), "dbace"},
		{"upright", rowOf(point{5, 0}, point{5, 20}, point{5, 10}, point{5, 30}), "acbd"},
		{"slanted", rowOf(point{0, 0}, point{20, 20}, point{10, 10}, point{30, 30}), "acbd"},
		{"curved and shuffled", rowOf(arc(60, 80, 70, 90, 100)...), "acbde"},
		{"horseshoe", rowOf(arc(-150, -120, -90, -60, -30, 0, 30, 60, 90, 120, 150)...), "abcdefghijk"},
		{"aisle", rowOf(point{0, 0}, point{10, 0}, point{20, 0}, point{37, 0}, point{47, 0}), "abc|de"},
		{"just no aisle", rowOf(point{0, 0}, point{10, 0}, point{20, 0}, point{36, 0}, point{46, 0}), "abcde"},
		{"two aisles", rowOf(point{0, 0}, point{20, 0}, point{30, 0}, point{40, 0}, point{60, 0}), "a|bcd|e"},
		{"aisle in a shuffled row", rowOf(point{50, 0}, point{0, 0}, point{60, 0}, point{10, 0}, point{20, 0}), "ca|edb"},
		{"one seat", rowOf(point{3, 3}), "a"},
		{"all at one point", rowOf(point{}, point{}, point{}, point{}), "abcd"},
		{"a pair stands as its section does", rowOf(point{0, 0}, point{10, 0}), "ab"},
		{"a pair over an aisle", rowOf(point{0, 0}, point{30, 0}), "a|b"},
		{"three over an aisle", rowOf(point{0, 0}, point{30, 0}, point{60, 0}), "a|b|c"},
	} {
		usual := rowOf(point{0, 90}, point{10, 90}, point{20, 90}, point{30, 90}, point{40, 90}, point{50, 90}, point{60, 90}, point{70, 90})
		d := draft{sections: []*draftSection{{rows: []*draftRow{c.row, usual}}}}
		d.arrange()
		if got := order(c.row); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// A table goes around: neither order nor aisles are sought.
func TestArrangeTable(t *testing.T) {
	row := rowOf(point{0, 0}, point{100, 0}, point{10, 0}, point{110, 0})
	row.closed = true
	d := draft{sections: []*draftSection{{rows: []*draftRow{row}}}}
	d.arrange()
	if got := order(row); got != "abcd" {
		t.Errorf("got %s", got)
	}
}

func TestRanks(t *testing.T) {
	s := &draftSection{focal: &point{0, 0}, rows: []*draftRow{rowOf(point{0, 30}), rowOf(point{0, 10}), rowOf(point{10, 0}), rowOf(point{0, 20})}}
	want := []uint16{3, 0, 0, 2}
	for i, r := range s.ranks() {
		if r != want[i] {
			t.Errorf("row %d has rank %d, want %d", i, r, want[i])
		}
	}
}

func TestFocalPoint(t *testing.T) {
	row, area := rowOf(point{0, 10}, point{20, 10}), &draftArea{at: point{7, 7}}
	for _, c := range []struct {
		name string
		s    draftSection
		want point
	}{
		{"given", draftSection{focal: &point{1, 2}, rows: []*draftRow{row}}, point{1, 2}},
		{"first row", draftSection{rows: []*draftRow{row, rowOf(point{9, 9})}, areas: []*draftArea{area}}, point{10, 10}},
		{"first area", draftSection{areas: []*draftArea{area}}, point{7, 7}},
	} {
		if got := c.s.lookAt(); got != c.want {
			t.Errorf("%s: looks at %v, want %v", c.name, got, c.want)
		}
	}
}

// What stands left of or above the drawing moves everything, and what stands beyond it makes it larger.
func TestFrameHoldsEverything(t *testing.T) {
	file := strings.NewReplacer(`"position":{"x":0,"y":0}`, `"position":{"x":-150,"y":-40}`, `"x":50`, `"x":500`).Replace(smallPretix)
	p, _, err := Import([]byte(file), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s := p.Seats[0]; s.X != 0 || s.Y != 0 {
		t.Errorf("outermost seat at (%d, %d)", s.X, s.Y)
	}
	if p.Width != 65000 || p.Height != 31500 || p.Seats[2].X != p.Width {
		t.Errorf("%d × %d, last seat at %d", p.Width, p.Height, p.Seats[2].X)
	}
}
