package seatmap

import "testing"

func TestOrphans(t *testing.T) {
	for _, c := range []struct {
		name    string
		picture []string
		taken   []UnitID
		picks   []UnitID
		policy  OrphanPolicy
		suggest string
		bad     bool
	}{
		{"clean", []string{"......."}, nil, []UnitID{2, 3}, OrphanAvoid, "", false},
		{"leaves the first alone", []string{"......."}, nil, []UnitID{1, 2}, OrphanAvoid, "0 1", true},
		{"leaves the last alone", []string{"......."}, nil, []UnitID{4, 5}, OrphanAvoid, "3 4", true},
		{"ignored", []string{"......."}, nil, []UnitID{4, 5}, OrphanIgnore, "", false},
		{"leaves one in the middle", []string{"......."}, nil, []UnitID{2, 4}, OrphanAvoid, "2 3", true},
		{"two of the last three", []string{"..."}, nil, []UnitID{0, 1}, OrphanAvoid, "", false},
		{"two of the last three, strict", []string{"..."}, nil, []UnitID{0, 1}, OrphanStrict, "", true},
		{"two of three with room beyond the aisle", []string{"... ...."}, nil, []UnitID{0, 1}, OrphanAvoid, "3 4", true},
		{"another row is not the same row", []string{"...", "...."}, nil, []UnitID{0, 1}, OrphanAvoid, "", false},
		{"another category is not the same", []string{"...::::"}, nil, []UnitID{0, 1}, OrphanAvoid, "", false},
		{"was alone before", []string{"....."}, []UnitID{1}, []UnitID{2, 3, 4}, OrphanAvoid, "", false},
		{"beside what is taken", []string{"......"}, []UnitID{0}, []UnitID{2, 3}, OrphanAvoid, "1 2", true},
		{"wheelchair places are not counted", []string{"..w"}, nil, []UnitID{0, 1}, OrphanAvoid, "", false},
		{"one aside a wheelchair place is", []string{"...w"}, nil, []UnitID{0}, OrphanAvoid, "", false},
		{"a wheelchair place leaves no orphan", []string{"w.w.w"}, nil, []UnitID{2}, OrphanStrict, "", false},
		{"two parts, one bad", []string{".....", "....."}, nil, []UnitID{0, 1, 6, 7}, OrphanAvoid, "0 1 5 6", true},
		{"two bad parts", []string{".....", "....."}, nil, []UnitID{1, 2, 6, 7}, OrphanAvoid, "0 1 5 6", true},
		{"one bad, one without a way", []string{".....", "..."}, nil, []UnitID{1, 2, 5, 6}, OrphanAvoid, "0 1 5 6", true},
		{"strict cannot mend one without a way", []string{".....", "..."}, nil, []UnitID{1, 2, 5, 6}, OrphanStrict, "", true},
	} {
		v := hall(t, draw(t, c.picture), c.taken...)
		suggest, bad := v.Orphans(nil, seatsOf(c.picks...), c.policy)
		if got := unitsOf(suggest); got != c.suggest || bad != c.bad {
			t.Errorf("%s: got %q bad %v, want %q bad %v", c.name, got, bad, c.suggest, c.bad)
		}
	}
}

// Areas in the choice are kept as they are, and dst is appended to.
func TestOrphansKeepsAreas(t *testing.T) {
	v := NewInventory(withArea(draw(t, []string{"....."}), 10))
	dst := []Line{{99, 1}}
	got, bad := v.Orphans(dst, []Line{{5, 4}, {1, 1}}, OrphanAvoid)
	if !bad || unitsOf(got) != "99 0 5x4" && unitsOf(got) != "99 2 5x4" {
		t.Errorf("got %q bad %v", unitsOf(got), bad)
	}
}

// A hold that grows: the seats it already has are not free, and what stood beside them is not the fan's doing.
func TestOrphansOfAGrowingHold(t *testing.T) {
	v := NewInventory(draw(t, []string{"......"}))
	v.Hold(seatsOf(1, 2), 1)
	if _, bad := v.Orphans(nil, seatsOf(3), OrphanStrict); bad {
		t.Error("refused for the seat that was alone before")
	}
	if _, bad := v.Orphans(nil, seatsOf(4), OrphanAvoid); !bad {
		t.Error("allowed to strand seats 3 and 5")
	}
}
