package seatmap

import "encoding/binary"

const planVersion = 1

// AppendBinary appends the plan to dst: a version byte, then every field in the order of the types, numbers as the shortest
// uvarint (signed ones zigzag), strings and lists after their length. Rows carry no First and seats no Row, because both follow
// from the counts. Equal plans give equal bytes.
func (p *Plan) AppendBinary(dst []byte) []byte {
	e := encoder(append(dst, planVersion))
	e.text(p.Name)
	e.signed(int64(p.Width), int64(p.Height))
	e.count(len(p.Categories))
	for i := range p.Categories {
		c := &p.Categories[i]
		e.text(c.Key, c.Name, c.Color)
		e.signed(c.Price, c.Fee)
	}
	e.count(len(p.Sections))
	for i := range p.Sections {
		s := &p.Sections[i]
		e.text(s.Label, s.Zone)
		e.signed(int64(s.FocalX), int64(s.FocalY))
	}
	e.count(len(p.Rows))
	for i := range p.Rows {
		r := &p.Rows[i]
		e.unsigned(uint64(r.Section))
		e.text(r.Label)
		e.unsigned(uint64(r.Count), uint64(r.Rank))
	}
	e.count(len(p.Seats))
	for i := range p.Seats {
		s := &p.Seats[i]
		e.text(s.Key, s.Label)
		e.signed(int64(s.X), int64(s.Y))
		e.unsigned(uint64(s.Category), uint64(s.Flags))
	}
	e.count(len(p.Areas))
	for i := range p.Areas {
		e.area(&p.Areas[i])
	}
	return e
}

type encoder []byte

func (e *encoder) area(a *Area) {
	e.text(a.Key, a.Label)
	e.unsigned(uint64(a.Section), uint64(a.Category), uint64(a.Capacity))
	e.signed(int64(a.X), int64(a.Y))
	e.count(len(a.Outline))
	for _, o := range a.Outline {
		e.signed(int64(o.X), int64(o.Y))
	}
}

func (e *encoder) count(n int) { e.unsigned(uint64(n)) }

func (e *encoder) unsigned(ns ...uint64) {
	for _, n := range ns {
		*e = binary.AppendUvarint(*e, n)
	}
}

func (e *encoder) signed(ns ...int64) {
	for _, n := range ns {
		*e = binary.AppendVarint(*e, n)
	}
}

func (e *encoder) text(ss ...string) {
	for _, s := range ss {
		*e = append(binary.AppendUvarint(*e, uint64(len(s))), s...)
	}
}
