package seating

import (
	"cmp"
	"math"
	"slices"

	"github.com/catraca/catraca/actors/sale/seatmap"
)

// aisle is how many times the usual distance between neighbours parts them.
const aisle = 1.6

// arrange puts the seats of every row into physical order and marks what lies behind an aisle. Printed numbers play no part.
func (d *draft) arrange() {
	for _, s := range d.sections {
		var all []float64
		for _, row := range s.rows {
			row.seats = physical(row)
			all = append(all, gaps(row.seats)...)
		}
		usual := median(all)
		for _, row := range s.rows {
			row.divide(usual)
		}
	}
}

// physical is the seats of a row in order along its principal direction, in the sense the file numbers them. A row that bends too
// far for that, a horseshoe for example, shows as a longer way and keeps the order of the file.
func physical(row *draftRow) []draftSeat {
	if row.closed || len(row.seats) < 3 {
		return row.seats
	}
	along := slices.Clone(row.seats)
	axis := direction(along)
	where := func(s *draftSeat) float64 { return s.at.x*axis.x + s.at.y*axis.y }
	slices.SortStableFunc(along, func(a, b draftSeat) int { return cmp.Compare(where(&a), where(&b)) })
	if length(row.seats) <= length(along)*(1+1e-9) {
		return row.seats
	}
	return along
}

// direction is the unit vector along which points spread most, pointing from the earlier seats to the later ones.
func direction(seats []draftSeat) point {
	var mean point
	for i := range seats {
		mean = mean.plus(seats[i].at)
	}
	n := float64(len(seats))
	mean = point{mean.x / n, mean.y / n}
	var xx, xy, yy float64
	for i := range seats {
		dx, dy := seats[i].at.x-mean.x, seats[i].at.y-mean.y
		xx, xy, yy = xx+dx*dx, xy+dx*dy, yy+dy*dy
	}
	sin, cos := math.Sincos(math.Atan2(2*xy, xx-yy) / 2)
	axis, trend := point{cos, sin}, 0.0
	for i := range seats {
		trend += (float64(i) - (n-1)/2) * (seats[i].at.x*axis.x + seats[i].at.y*axis.y)
	}
	if trend < 0 {
		return point{-axis.x, -axis.y}
	}
	return axis
}

// length is the way from the first seat to the last.
func length(seats []draftSeat) float64 {
	sum := 0.0
	for _, g := range gaps(seats) {
		sum += g
	}
	return sum
}

// gaps are the distances between neighbours.
func gaps(seats []draftSeat) []float64 {
	var out []float64
	for i := 1; i < len(seats); i++ {
		out = append(out, seats[i].at.distance(seats[i-1].at))
	}
	return out
}

// median is the lower median, 0 of nothing.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return sorted[(len(sorted)-1)/2]
}

// divide marks the seats behind an aisle. A row of one or two gaps has no pitch of its own worth the name, so that of the section
// counts.
func (row *draftRow) divide(usual float64) {
	g := gaps(row.seats)
	pitch := median(g)
	if len(g) < 3 {
		pitch = min(pitch, usual)
	}
	for i, gap := range g {
		if !row.closed && gap > aisle*pitch {
			row.seats[i+1].flags |= seatmap.BreakBefore
		}
	}
}

// centre is the mean of where the seats of a row stand.
func (row *draftRow) centre() point {
	var sum point
	for i := range row.seats {
		sum = sum.plus(row.seats[i].at)
	}
	n := float64(max(1, len(row.seats)))
	return point{sum.x / n, sum.y / n}
}

// lookAt is the focal point of a section: the one it was given, else the middle of its first row, else of its first area.
func (s *draftSection) lookAt() point {
	switch {
	case s.focal != nil:
		return *s.focal
	case len(s.rows) > 0:
		return s.rows[0].centre()
	case len(s.areas) > 0:
		return s.areas[0].at
	}
	return point{}
}

// ranks numbers the rows of a section by their distance to the focal point, equal ones alike.
func (s *draftSection) ranks() []uint16 {
	focal := s.lookAt()
	distance := make([]float64, len(s.rows))
	order := make([]int, len(s.rows))
	for i, row := range s.rows {
		distance[i], order[i] = math.Round(row.centre().distance(focal)*100), i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(distance[a], distance[b]) })
	out := make([]uint16, len(order))
	rank := 0
	for i, row := range order {
		if i > 0 && distance[row] != distance[order[i-1]] {
			rank = i
		}
		out[row] = uint16(min(rank, math.MaxUint16))
	}
	return out
}
