package seatmap

import (
	"slices"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	v := NewInventory(withArea(draw(t, []string{"...."}), 10))
	v.Hold([]Line{{1, 1}, {4, 8}}, 5)
	for _, c := range []struct {
		name      string
		lines     []Line
		valid     bool
		conflicts []UnitID
	}{
		{"nothing", nil, true, nil},
		{"free", []Line{{0, 1}, {2, 1}, {4, 2}}, true, nil},
		{"seat twice", []Line{{0, 1}, {0, 1}}, false, nil},
		{"area twice", []Line{{4, 1}, {4, 1}}, false, nil},
		{"seat by two", []Line{{0, 2}}, false, []UnitID{0}},
		{"seat by none", []Line{{0, 0}}, false, nil},
		{"area by none", []Line{{4, 0}}, false, nil},
		{"unknown", []Line{{5, 1}}, false, []UnitID{5}},
		{"far away", []Line{{1<<32 - 1, 1}}, false, []UnitID{1<<32 - 1}},
		{"held", []Line{{0, 1}, {1, 1}, {3, 1}}, true, []UnitID{1}},
		{"area short", []Line{{4, 3}, {1, 1}}, true, []UnitID{4, 1}},
	} {
		if got := v.ValidLines(c.lines); got != c.valid {
			t.Errorf("%s: valid is %v", c.name, got)
		}
		if got := v.Conflicts(nil, c.lines); !slices.Equal(got, c.conflicts) {
			t.Errorf("%s: conflicts %v, want %v", c.name, got, c.conflicts)
		}
	}
}

func TestLinesAcrossEpochs(t *testing.T) {
	v := NewInventory(draw(t, []string{".."}))
	v.epoch = 1<<32 - 2
	for range 4 {
		if !v.ValidLines(seatsOf(0, 1)) || v.ValidLines(seatsOf(1, 1)) {
			t.Fatalf("wrong at epoch %d", v.epoch)
		}
	}
}

// A life of one seat and some places of an area.
func TestChanges(t *testing.T) {
	v := NewInventory(withArea(draw(t, []string{".."}), 10))
	lines := []Line{{1, 1}, {2, 4}}
	step := func(name string, do func(), seat Status, owner uint32, total Count) {
		t.Helper()
		do()
		if v.Status(1) != seat || v.Owner(1) != owner || v.Totals() != total {
			t.Errorf("%s: seat %d of %d, totals %+v; want %d of %d, %+v", name, v.Status(1), v.Owner(1), v.Totals(), seat, owner, total)
		}
		if err := v.Verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	step("hold", func() { v.Hold(lines, 7) }, Held, 7, Count{12, 7, 5, 0, 0})
	step("sell", func() { v.Sell(lines, 7, 3) }, Sold, 3, Count{12, 7, 0, 5, 0})
	step("unsell", func() { v.Unsell(lines, 3) }, Free, 0, Count{12, 12, 0, 0, 0})
	step("sell free", func() { v.SellFree(lines, 4) }, Sold, 4, Count{12, 7, 0, 5, 0})
	step("unsell", func() { v.Unsell(lines, 4) }, Free, 0, Count{12, 12, 0, 0, 0})
	step("hold", func() { v.Hold(lines, 8) }, Held, 8, Count{12, 7, 5, 0, 0})
	step("release", func() { v.Release(lines, 8) }, Free, 0, Count{12, 12, 0, 0, 0})
	step("block", func() { v.Block(1, 1); v.Block(2, 10) }, Blocked, 0, Count{12, 1, 0, 0, 11})
	if v.Status(2) != Blocked || v.FreeIn(2) != 0 || v.AreaCount(2) != (Count{10, 0, 0, 0, 10}) {
		t.Errorf("area: status %d, %d free, %+v", v.Status(2), v.FreeIn(2), v.AreaCount(2))
	}
	step("unblock", func() { v.Unblock(1, 1); v.Unblock(2, 10) }, Free, 0, Count{12, 12, 0, 0, 0})
	v.Hold([]Line{{2, 6}}, 1)
	v.SellFree([]Line{{2, 4}}, 1)
	if v.Status(2) != Held || v.Status(3) != Blocked || v.FreeIn(3) != 0 || v.Owner(2) != 0 || v.AreaCount(0) != (Count{}) || v.Category(9) != (Count{}) {
		t.Error("full area or unknown unit is misjudged")
	}
}

func TestMisusePanics(t *testing.T) {
	for name, do := range map[string]func(v *Inventory){
		"hold a held seat":        func(v *Inventory) { v.Hold(seatsOf(0), 2) },
		"hold for nobody":         func(v *Inventory) { v.Hold(seatsOf(1), 0) },
		"hold an unknown unit":    func(v *Inventory) { v.Hold(seatsOf(9), 2) },
		"hold a seat twice over":  func(v *Inventory) { v.Hold([]Line{{1, 2}}, 2) },
		"hold too many places":    func(v *Inventory) { v.Hold([]Line{{2, 11}}, 2) },
		"hold no places":          func(v *Inventory) { v.Hold([]Line{{2, 0}}, 2) },
		"release another's seat":  func(v *Inventory) { v.Release(seatsOf(0), 2) },
		"release a free seat":     func(v *Inventory) { v.Release(seatsOf(1), 1) },
		"sell another's seat":     func(v *Inventory) { v.Sell(seatsOf(0), 2, 1) },
		"sell to nobody":          func(v *Inventory) { v.Sell(seatsOf(0), 1, 0) },
		"sell a held seat":        func(v *Inventory) { v.SellFree(seatsOf(0), 1) },
		"unsell what is not sold": func(v *Inventory) { v.Unsell(seatsOf(0), 1) },
		"block a held seat":       func(v *Inventory) { v.Block(0, 1) },
		"unblock a free seat":     func(v *Inventory) { v.Unblock(1, 1) },
	} {
		v := NewInventory(withArea(draw(t, []string{".."}), 10))
		v.Hold(seatsOf(0), 1)
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(r.(string), "seatmap: ") {
					t.Errorf("%s: recovered %v", name, r)
				}
			}()
			do(v)
		}()
	}
}

func TestVerifyNoticesDamage(t *testing.T) {
	for name, damage := range map[string]func(v *Inventory){
		"seat 0 has status 1 and owner 0": func(v *Inventory) { v.status[0] = Held },
		"seat 0 has status 0 and owner 9": func(v *Inventory) { *v.owner.Mut(int(0)) = 9 },
		"seat 0 has status 7":             func(v *Inventory) { v.status[0] = 7 },
		"category 0 counts":               func(v *Inventory) { v.status[0] = Blocked },
		"category 2 counts":               func(v *Inventory) { v.areas[0][Free]--; v.areas[0][Held]++ },
		"area 0 adds up to 11 places":     func(v *Inventory) { v.areas[0][Held]++ },
		"total counts":                    func(v *Inventory) { v.total[Sold]++ },
	} {
		v := NewInventory(withArea(draw(t, []string{".."}), 10))
		if err := v.Verify(); err != nil {
			t.Fatal(err)
		}
		damage(v)
		if err := v.Verify(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	p := withArea(draw(t, []string{"....."}), 10)
	v := NewInventory(p)
	v.Hold([]Line{{1, 1}, {5, 4}}, 7)
	good := v.AppendBinary(nil)
	edit := func(i int, x byte) []byte {
		b := slices.Clone(good)
		b[i] = x
		return b
	}
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"nothing", nil, "cut short in its head"},
		{"version", edit(0, 9), "version 9, this build reads 1"},
		{"seats", edit(4, 6), "state has 6 seats and 1 areas, the plan has 5 and 1"},
		{"areas", edit(8, 0), "state has 5 seats and 0 areas"},
		{"no seats", good[:9], "cut short in the seats"},
		{"padding", edit(10, 0x40), "bits beyond the last seat"},
		{"no owner", good[:12], "cut short in the owner of seat 1"},
		{"nobody", edit(14, 0), "seat 1 is taken by nobody"},
		{"no area", good[:len(good)-1], "cut short in the areas"},
		{"area overfull", edit(18, 11), "area 0 has 11 places taken of 10"},
	} {
		w := NewInventory(p)
		w.Hold(seatsOf(0), 3)
		before := w.AppendBinary(nil)
		if n, err := w.Restore(c.b); err == nil || n != 0 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: read %d, error %v, want %q", c.name, n, err, c.want)
		}
		if !slices.Equal(w.AppendBinary(nil), before) || w.Verify() != nil {
			t.Errorf("%s: the refused state left traces", c.name)
		}
	}
}
