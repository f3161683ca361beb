package seatmap

// Units is the number of units of the plan: its seats, then its areas.
func (p *Plan) Units() int { return len(p.Seats) + len(p.Areas) }

// IsArea tells whether u is a general-admission area of the plan.
func (p *Plan) IsArea(u UnitID) bool {
	return int(u) >= len(p.Seats) && int(u) < p.Units()
}

// Area is the area with unit id u, or nil when u is a seat or unknown.
func (p *Plan) Area(u UnitID) *Area {
	if !p.IsArea(u) {
		return nil
	}
	return &p.Areas[int(u)-len(p.Seats)]
}

// CategoryOf is the price category of a known unit. It panics on an unknown one.
func (p *Plan) CategoryOf(u UnitID) uint16 {
	if a := p.Area(u); a != nil {
		return a.Category
	}
	return p.Seats[u].Category
}

// SectionOf is the section of a known unit. It panics on an unknown one.
func (p *Plan) SectionOf(u UnitID) uint16 {
	if a := p.Area(u); a != nil {
		return a.Section
	}
	return p.Rows[p.Seats[u].Row].Section
}

// Capacity is the number of places of the whole plan.
func (p *Plan) Capacity() uint32 {
	n := uint32(len(p.Seats))
	for i := range p.Areas {
		n += p.Areas[i].Capacity
	}
	return n
}
