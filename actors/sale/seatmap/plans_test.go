package seatmap

import (
	"fmt"
	"strings"
	"testing"
)

// draw builds a plan from pictures of rows, front row first, one section each block of lines. Letters:
//
//	. ordinary seat of category 0   : of category 1   w wheelchair place   c companion place   r restricted view
//	a space is an aisle
//
// Seats stand 100 apart, rows 150, and the focal point is above the middle of the section's first row.
func draw(t testing.TB, sections ...[]string) *Plan {
	t.Helper()
	p := &Plan{Name: "drawn", Categories: []Category{
		{"0", "Near", "#aa0000", 5000, 500},
		{"1", "Far", "#00aa00", 3000, 300},
		{"2", "Floor", "#0000aa", 2000, 200},
	}}
	y := int32(1000)
	for i, rows := range sections {
		width := len(rows[0])
		p.Sections = append(p.Sections, Section{Label: fmt.Sprint("S", i), FocalX: 1000 + int32(width-1)*50, FocalY: y - 500})
		for r, picture := range rows {
			row := Row{Section: uint16(i), Label: string(rune('A' + r)), First: UnitID(len(p.Seats)), Rank: uint16(r)}
			var flags Flags
			for x, ch := range picture {
				if ch == ' ' {
					flags = BreakBefore
					continue
				}
				s := Seat{Key: fmt.Sprintf("%d-%d-%d", i, r, x), Label: fmt.Sprint(x + 1), X: 1000 + int32(x)*100, Y: y,
					Row: uint32(len(p.Rows)), Flags: flags}
				switch ch {
				case ':':
					s.Category = 1
				case 'w':
					s.Flags |= Accessible
				case 'c':
					s.Flags |= Companion
				case 'r':
					s.Flags |= RestrictedView
				}
				flags = 0
				p.Seats = append(p.Seats, s)
				row.Count++
			}
			p.Rows = append(p.Rows, row)
			y += 150
		}
		y += 1000
	}
	p.Width, p.Height = 100_000, y+1000
	mustValid(t, p)
	return p
}

func mustValid(t testing.TB, p *Plan) {
	t.Helper()
	if err := p.Validate(); err != nil {
		t.Fatalf("plan is not valid:\n%v", err)
	}
}

// withArea adds an area of a capacity in category 2 to the first section.
func withArea(p *Plan, capacity uint32) *Plan {
	p.Areas = append(p.Areas, Area{Key: fmt.Sprint("area", len(p.Areas)), Label: "Floor", Category: 2, Capacity: capacity,
		X: 10, Y: 10, Outline: []Point{{0, 0}, {20, 0}, {20, 20}}})
	return p
}

// stadium is a plan of rows × width seats in sections of 20 rows and two categories, with an aisle in the middle of a row.
func stadium(t testing.TB, rows, width int) *Plan {
	t.Helper()
	p := &Plan{Name: "stadium", Width: MaxCoordinate, Height: MaxCoordinate, Categories: []Category{
		{"0", "Near", "#aa0000", 5000, 500}, {"1", "Far", "#00aa00", 3000, 300}}}
	for r := range rows {
		if r%20 == 0 {
			p.Sections = append(p.Sections, Section{Label: fmt.Sprint("S", r/20), FocalX: int32(width) * 50, FocalY: 0})
		}
		row := Row{Section: uint16(r / 20), Label: fmt.Sprint(r%20 + 1), First: UnitID(len(p.Seats)), Count: uint16(width), Rank: uint16(r % 20)}
		for x := range width {
			s := Seat{Key: fmt.Sprintf("%d-%d", r, x), Label: fmt.Sprint(x + 1), X: int32(x) * 100, Y: int32(r)*150 + 500,
				Row: uint32(r), Category: uint16(r / ((rows + 1) / 2))}
			if x == width/2 {
				s.Flags = BreakBefore
			}
			p.Seats = append(p.Seats, s)
		}
		p.Rows = append(p.Rows, row)
	}
	mustValid(t, p)
	return p
}

// seatsOf makes lines of single seats.
func seatsOf(units ...UnitID) []Line {
	var lines []Line
	for _, u := range units {
		lines = append(lines, Line{u, 1})
	}
	return lines
}

// unitsOf writes lines as "1 2 3", areas as "7x3".
func unitsOf(lines []Line) string {
	var b strings.Builder
	for i, l := range lines {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprint(&b, l.Unit)
		if l.Count != 1 {
			fmt.Fprint(&b, "x", l.Count)
		}
	}
	return b.String()
}
