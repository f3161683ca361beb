package seatmap

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// DecodePlan reads a plan written by [Plan.AppendBinary] from the start of b and returns how many bytes it took. It accepts exactly
// the bytes AppendBinary writes for a valid plan; memory stays in proportion to len(b).
func DecodePlan(b []byte) (*Plan, int, error) {
	if len(b) == 0 {
		return nil, 0, errors.New("decode plan: no bytes")
	}
	if b[0] != planVersion {
		return nil, 0, fmt.Errorf("decode plan: version %d, this build reads %d", b[0], planVersion)
	}
	d := decoder{b: b, at: 1}
	p := d.plan()
	if d.err != nil {
		return nil, 0, fmt.Errorf("decode plan: byte %d: %w", d.at, d.err)
	}
	if err := p.Validate(); err != nil {
		return nil, 0, fmt.Errorf("decode plan: %w", err)
	}
	return p, d.at, nil
}

// decoder reads until the first error; after it every read gives zero.
type decoder struct {
	b   []byte
	at  int
	err error
}

func (d *decoder) plan() *Plan {
	p := &Plan{Name: d.text("name"), Width: d.coordinate("width"), Height: d.coordinate("height")}
	p.Categories = list(d, "categories", MaxCategories, 5, func(c *Category) {
		*c = Category{d.text("key"), d.text("name"), d.text("color"), d.signed("price", MaxMoney), d.signed("fee", MaxMoney)}
	})
	p.Sections = list(d, "sections", MaxSections, 4, func(s *Section) {
		*s = Section{d.text("label"), d.text("zone"), d.coordinate("focal"), d.coordinate("focal")}
	})
	first := uint64(0)
	p.Rows = list(d, "rows", MaxRows, 4, func(r *Row) {
		*r = Row{Section: uint16(d.unsigned("section", 1<<16-1)), Label: d.text("label"), First: UnitID(first),
			Count: uint16(d.unsigned("count", MaxRowSeats)), Rank: uint16(d.unsigned("rank", 1<<16-1))}
		if first += uint64(r.Count); first > MaxSeats {
			d.fail("rows have more than %d seats", MaxSeats)
		}
	})
	row, left := 0, uint16(0)
	if len(p.Rows) > 0 {
		left = p.Rows[0].Count
	}
	p.Seats = list(d, "seats", MaxSeats, 6, func(s *Seat) {
		for left == 0 && row+1 < len(p.Rows) {
			row++
			left = p.Rows[row].Count
		}
		left--
		*s = Seat{Key: d.text("key"), Label: d.text("label"), X: d.coordinate("x"), Y: d.coordinate("y"), Row: uint32(row),
			Category: uint16(d.unsigned("category", 1<<16-1)), Flags: Flags(d.unsigned("flags", 1<<8-1))}
	})
	p.Areas = list(d, "areas", MaxAreas, 8, func(a *Area) {
		*a = Area{Key: d.text("key"), Label: d.text("label"), Section: uint16(d.unsigned("section", 1<<16-1)),
			Category: uint16(d.unsigned("category", 1<<16-1)), Capacity: uint32(d.unsigned("capacity", MaxAreaPlaces)),
			X: d.coordinate("x"), Y: d.coordinate("y")}
		a.Outline = list(d, "outline", MaxOutline, 2, func(o *Point) {
			*o = Point{d.coordinate("x"), d.coordinate("y")}
		})
	})
	return p
}

// list reads a length and as many items, each of which takes at least size bytes.
func list[T any](d *decoder, what string, most uint64, size int, item func(*T)) []T {
	n := d.unsigned(what, most)
	if d.err == nil && n > uint64(len(d.b)-d.at)/uint64(size) {
		d.fail("%s: %d of them do not fit the %d bytes left", what, n, len(d.b)-d.at)
	}
	if d.err != nil || n == 0 {
		return nil
	}
	items := make([]T, n)
	for i := range items {
		if item(&items[i]); d.err != nil {
			return nil
		}
	}
	return items
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

func (d *decoder) unsigned(what string, most uint64) uint64 {
	if d.err != nil {
		return 0
	}
	n, size := binary.Uvarint(d.b[d.at:])
	if size <= 0 {
		d.fail("%s: no number here", what)
		return 0
	}
	if size > 1 && d.b[d.at+size-1] == 0 {
		d.fail("%s: number is longer than it must be", what)
		return 0
	}
	if n > most {
		d.fail("%s: %d, at most %d", what, n, most)
		return 0
	}
	d.at += size
	return n
}

// signed reads a zigzag number within ±most.
func (d *decoder) signed(what string, most int64) int64 {
	z := d.unsigned(what, 2*uint64(most))
	return int64(z>>1) ^ -int64(z&1)
}

func (d *decoder) coordinate(what string) int32 {
	return int32(d.signed(what, 2*MaxCoordinate))
}

func (d *decoder) text(what string) string {
	n := d.unsigned(what, MaxString)
	if d.err != nil {
		return ""
	}
	if n > uint64(len(d.b)-d.at) {
		d.fail("%s: %d bytes announced, %d left", what, n, len(d.b)-d.at)
		return ""
	}
	d.at += int(n)
	return string(d.b[d.at-int(n) : d.at])
}
