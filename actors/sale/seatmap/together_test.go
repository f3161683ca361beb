package seatmap

import "testing"

func TestTogether(t *testing.T) {
	p := &Plan{
		Seats: []Seat{{Row: 0}, {Row: 0}, {Row: 0}, {Row: 0, Flags: BreakBefore}, {Row: 0}, {Row: 1}, {Row: 1}},
		Areas: []Area{{Capacity: 10}, {Capacity: 10}},
	}
	tests := []struct {
		name  string
		units []UnitID
		want  bool
	}{
		{"nothing", nil, false},
		{"one seat", []UnitID{3}, true},
		{"neighbours", []UnitID{0, 1, 2}, true},
		{"neighbours in another order", []UnitID{2, 0, 1}, true},
		{"a seat between", []UnitID{0, 2}, false},
		{"over an aisle", []UnitID{2, 3}, false},
		{"after the aisle", []UnitID{3, 4}, true},
		{"end of a row and start of the next", []UnitID{4, 5}, false},
		{"an area", []UnitID{7}, true},
		{"two areas", []UnitID{7, 8}, false},
		{"a seat and an area", []UnitID{6, 7}, false},
	}
	for _, tt := range tests {
		var lines []Line
		for _, u := range tt.units {
			lines = append(lines, Line{Unit: u, Count: 1})
		}
		if got := p.Together(lines); got != tt.want {
			t.Errorf("%s: Together(%v) = %v, want %v", tt.name, tt.units, got, tt.want)
		}
	}
}
