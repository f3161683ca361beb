package seating

import "math"

// near is the share of the usual distance between neighbours below which two seats cover each other in a drawing.
const near = 0.3

// cell is a square of the drawing.
type cell struct{ x, y int64 }

// overlaps warns, once a row, about seats that cover seats read before them. Two floors drawn over each other do that.
func (d *draft) overlaps(rep *Report) {
	var all []float64
	for _, s := range d.sections {
		for _, row := range s.rows {
			for _, gap := range gaps(row.seats) {
				if gap > 0 {
					all = append(all, gap)
				}
			}
		}
	}
	reach := max(median(all)*near, 0.01)
	seen := map[cell][]*draftSeat{}
	for _, s := range d.sections {
		for _, row := range s.rows {
			if first, count := row.covers(seen, reach); count > 0 {
				rep.warn(row.path, CodeOverlap, "%d of its seats cover others, the first is %s", count, first.path)
			}
		}
	}
}

// covers counts the seats of a row that stand on one in the map, and adds the others to it.
func (row *draftRow) covers(seen map[cell][]*draftSeat, reach float64) (first *draftSeat, count int) {
	for i := range row.seats {
		seat := &row.seats[i]
		if seat.lost {
			continue
		}
		at := cell{int64(math.Floor(seat.at.x / reach)), int64(math.Floor(seat.at.y / reach))}
		other := covered(seen, at, seat, reach)
		if other == nil {
			seen[at] = append(seen[at], seat)
			continue
		}
		if count++; first == nil {
			first = other
		}
	}
	return first, count
}

// covered finds a seat nearer than reach. Seats in the map are further apart than that, so a cell holds few.
func covered(seen map[cell][]*draftSeat, at cell, seat *draftSeat, reach float64) *draftSeat {
	for dx := int64(-1); dx <= 1; dx++ {
		for dy := int64(-1); dy <= 1; dy++ {
			for _, other := range seen[cell{at.x + dx, at.y + dy}] {
				if other.at.distance(seat.at) < reach {
					return other
				}
			}
		}
	}
	return nil
}
