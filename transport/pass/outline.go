package pass

// corner is a point between modules, counted in modules from the top left of the symbol.
type corner struct{ x, y int }

// outline traces the edges between dark and light as closed loops of right angles, to be filled by the even-odd
// rule. Loops instead of one rectangle per module: no hairline shows between neighbours, at any zoom, in any
// viewer, and the drawing is a third of the size.
//
// An edge runs with the dark module on its right; where two dark modules touch only at a corner the walk turns
// right, so that it stays with the module it came from.
func (s symbol) outline() [][]corner {
	w := s.size + 1
	seen := make([]bool, w*w) // by corner: the edge leaving it to the right (the top of a dark module) was walked
	var loops [][]corner
	for y := range s.size {
		for x := range s.size {
			if s.at(x, y) && !s.at(x, y-1) && !seen[y*w+x] {
				loops = append(loops, s.walk(corner{x, y}, seen))
			}
		}
	}
	return loops
}

// walk follows one loop from the top edge of the dark module below and right of start. Every loop has such an
// edge, so remembering those alone visits each loop once.
func (s symbol) walk(start corner, seen []bool) []corner {
	const east = 0 // then south, west, north: clockwise
	step := [4]corner{{1, 0}, {0, 1}, {-1, 0}, {0, -1}}
	at, dir := start, east
	loop := []corner{start}
	for {
		if dir == east {
			seen[at.y*(s.size+1)+at.x] = true
		}
		at = corner{at.x + step[dir].x, at.y + step[dir].y}
		next := s.turn(at, dir)
		if at == start && next == east {
			return loop
		}
		if next != dir {
			loop = append(loop, at)
			dir = next
		}
	}
}

// turn picks the direction of the edge after reaching a corner.
func (s symbol) turn(at corner, dir int) int {
	// The four modules around the corner, clockwise from the one north-east of it.
	around := [4]bool{s.at(at.x, at.y-1), s.at(at.x, at.y), s.at(at.x-1, at.y), s.at(at.x-1, at.y-1)}
	// An edge may leave in direction d with dark on its right and light on its left.
	open := func(d int) bool { return around[(d+1)%4] && !around[d] }
	for _, d := range [3]int{(dir + 1) % 4, dir, (dir + 3) % 4} {
		if open(d) {
			return d
		}
	}
	return dir
}
