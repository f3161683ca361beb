package hall

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/catraca/catraca/transport/wire"
)

// text is a plan of rows of seats, one letter each: a and b are categories, w a wheelchair place, and a | before a seat is
// an aisle. The first row is nearest to what there is to see. Areas have so many places.
func text(t testing.TB, rows []string, areas ...uint32) []byte {
	t.Helper()
	var in planJSON
	in.Sections = append(in.Sections, struct {
		Focal [2]int32 `json:"focal"`
	}{})
	for y, r := range rows {
		first, aisle := len(in.Seats.X), false
		for _, c := range r {
			flags := uint16(0)
			switch {
			case c == '|':
				aisle = true
				continue
			case c == 'w':
				flags = flagAccessible
			case aisle:
				flags = flagBreakBefore
			}
			aisle = false
			in.Seats.X = append(in.Seats.X, int32(10*(len(in.Seats.X)-first))) //nolint:gosec // few
			in.Seats.Y = append(in.Seats.Y, int32(30*(y+1)))                   //nolint:gosec // few
			in.Seats.Category = append(in.Seats.Category, uint16(max(c-'a', 0)&1))
			in.Seats.Flags = append(in.Seats.Flags, flags)
		}
		in.Rows = append(in.Rows, struct {
			Section int `json:"section"`
			First   int `json:"first"`
			Count   int `json:"count"`
		}{0, first, len(in.Seats.X) - first})
	}
	for i, n := range areas {
		in.Areas = append(in.Areas, struct {
			Unit     uint32 `json:"unit"`
			Category uint16 `json:"category"`
			Capacity uint32 `json:"capacity"`
			X        int32  `json:"x"`
			Y        int32  `json:"y"`
		}{Unit: uint32(len(in.Seats.X) + i), Category: 7, Capacity: n}) //nolint:gosec // few
	}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func plan(t testing.TB, rows []string, areas ...uint32) *Plan {
	t.Helper()
	p, err := Decode(text(t, rows, areas...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func picture(t testing.TB, p *Plan, status string, areas ...uint32) *Picture {
	t.Helper()
	m := p.Picture()
	s := States{Version: 5, Status: status}
	for i, n := range areas {
		s.Areas = append(s.Areas, struct {
			Unit uint32 `json:"unit"`
			Free uint32 `json:"free"`
		}{uint32(p.Seats() + i), n}) //nolint:gosec // few
	}
	if err := m.Set(s); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestChoose(t *testing.T) {
	one := uint16(1)
	area := uint16(7)
	for name, c := range map[string]struct {
		rows   []string
		status string
		areas  []uint32
		wish   Wish
		seats  []uint32
		area   wire.AreaCount
	}{
		"at the favourite":       {rows: []string{"aaaaaaa"}, status: "fffffff", wish: Wish{Near: 3, Quantity: 1}, seats: []uint32{3}},
		"side by side":           {rows: []string{"aaaaaaa"}, status: "fffffff", wish: Wish{Near: 3, Quantity: 3}, seats: []uint32{2, 3, 4}},
		"no single is left":      {rows: []string{"aaaaaaa"}, status: "fffffff", wish: Wish{Near: 1, Quantity: 2}, seats: []uint32{0, 1}},
		"a single if it must be": {rows: []string{"aaa"}, status: "fff", wish: Wish{Near: 0, Quantity: 2}, seats: []uint32{0, 1}},
		"not what is taken":      {rows: []string{"aaaaaaa"}, status: "fffhsbf", wish: Wish{Near: 5, Quantity: 1}, seats: []uint32{6}},
		"not over an aisle":      {rows: []string{"aa|aa"}, status: "hffh", wish: Wish{Near: 1, Quantity: 2}},
		"not over categories":    {rows: []string{"aabb"}, status: "hffh", wish: Wish{Near: 1, Quantity: 2}},
		"not a wheelchair place": {rows: []string{"awa"}, status: "hfh", wish: Wish{Near: 1, Quantity: 1}},
		"the category":           {rows: []string{"aabb"}, status: "ffff", wish: Wish{Near: 0, Quantity: 1, Category: &one}, seats: []uint32{2}},
		"another row":            {rows: []string{"aaaa", "aaaa"}, status: "hhhhffff", wish: Wish{Near: 0, Quantity: 2}, seats: []uint32{4, 5}},
		"apart":                  {rows: []string{"aaaaa"}, status: "fhfhf", wish: Wish{Near: 4, Quantity: 2, Scatter: true}, seats: []uint32{4, 2}},
		"not apart":              {rows: []string{"aaaaa"}, status: "fhfhf", wish: Wish{Near: 4, Quantity: 2}},
		"too many":               {rows: []string{"aa"}, status: "ff", wish: Wish{Quantity: 3, Scatter: true}},
		"none wanted":            {rows: []string{"aa"}, status: "ff"},
		"the area":               {rows: []string{"aa"}, status: "ff", areas: []uint32{9, 30}, wish: Wish{Near: 2, Quantity: 4}, area: wire.AreaCount{Unit: 2, Count: 4}},
		"another area":           {rows: []string{"aa"}, status: "ff", areas: []uint32{3, 30}, wish: Wish{Near: 2, Quantity: 4}, area: wire.AreaCount{Unit: 3, Count: 4}},
		"an area for a seat":     {rows: []string{"aa"}, status: "hh", areas: []uint32{3, 30}, wish: Wish{Near: 0, Quantity: 1}, area: wire.AreaCount{Unit: 3, Count: 1}},
		"a seat for an area":     {rows: []string{"aa"}, status: "ff", areas: []uint32{0, 0}, wish: Wish{Near: 2, Quantity: 1}, seats: []uint32{0}},
		"only areas":             {rows: []string{"aa"}, status: "ff", areas: []uint32{2, 2}, wish: Wish{Near: 0, Quantity: 1, Category: &area}, area: wire.AreaCount{Unit: 2, Count: 1}},
		"a unit there is not":    {rows: []string{"aa"}, status: "ff", wish: Wish{Near: 1 << 31, Quantity: 1}, seats: []uint32{0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := picture(t, plan(t, c.rows, c.areas...), c.status, c.areas...).Choose(c.wish)
			if !slices.Equal(got.Seats, c.seats) {
				t.Errorf("seats %v, want %v", got.Seats, c.seats)
			}
			if c.area.Count > 0 && (len(got.Areas) != 1 || got.Areas[0] != c.area) || c.area.Count == 0 && len(got.Areas) > 0 {
				t.Errorf("areas %v, want %v", got.Areas, c.area)
			}
		})
	}
}

// Whatever is free and wished for, what is chosen is free, of the category, as many, and side by side.
func TestChooseIsFree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.StringMatching(`[abw]{1,8}(\|[ab]{1,4})?`), 1, 6).Draw(t, "rows")
		p, err := Decode(textOf(rows))
		if err != nil {
			t.Fatal(err)
		}
		status := rapid.StringOfN(rapid.RuneFrom([]rune("ffhsb")), p.Seats(), p.Seats(), -1).Draw(t, "status")
		m := p.Picture()
		if err := m.Set(States{Status: status}); err != nil {
			t.Fatal(err)
		}
		w := Wish{Near: rapid.Uint32Range(0, uint32(p.Seats()+2)).Draw(t, "near"), Quantity: rapid.Uint32Range(1, 4).Draw(t, "quantity")} //nolint:gosec // few
		if rapid.Bool().Draw(t, "one category") {
			c := rapid.Uint16Range(0, 2).Draw(t, "category")
			w.Category = &c
		}
		w.Scatter = rapid.Bool().Draw(t, "scatter")
		c := m.Choose(w)
		if n := c.Places(); n != 0 && n != w.Quantity {
			t.Fatalf("%d places, %d were wished for", n, w.Quantity)
		}
		for i, u := range c.Seats {
			if status[u] != 'f' || w.Category != nil && p.category[u] != *w.Category || slices.Contains(c.Seats[:i], u) {
				t.Fatalf("chose seats %v of %s for %+v", c.Seats, status, w)
			}
		}
		if c.Places() == 0 && w.Quantity == 1 && slices.ContainsFunc(p.list(w.Category), func(u uint32) bool { return status[u] == 'f' }) {
			t.Fatalf("found nothing in %s for %+v", status, w)
		}
	})
}

// textOf is [text] for a test that can only fail in its own way.
func textOf(rows []string) []byte { return text(&testing.T{}, rows) }

func TestPictureFollows(t *testing.T) {
	p := plan(t, []string{"aaaa"}, 10)
	m := picture(t, p, "ffff", 10)
	m.Apply(&wire.StockDown{Version: 4, Changes: []wire.UnitState{{Unit: 0, Letter: 's'}}}) // older than what is known
	m.Apply(&wire.StockDown{Version: 6, Changes: []wire.UnitState{{Unit: 1, Letter: 'h'}, {Unit: 99, Letter: 'h'}}, Areas: []wire.AreaState{{4, 3}, {0, 1}, {77, 1}}})
	m.Gone([]uint32{2, 99})
	if string(m.status) != "fhhf" || m.areas[0] != 3 || m.Version() != 6 {
		t.Errorf("the picture is %s %v at version %d", m.status, m.areas, m.Version())
	}
	m.Apply(&wire.StockDown{Version: 7, Reset: true})
	m.Apply(&wire.StockDown{Version: 8, Changes: []wire.UnitState{{Unit: 3, Letter: 's'}}}) // what came between is not known
	if !m.Stale() || m.Version() != 0 || string(m.status) != "fhhf" {
		t.Errorf("after a loss it is %s, version %d", m.status, m.Version())
	}
	if err := m.Set(States{Version: 9, Status: "fff"}); err == nil {
		t.Error("a map of another plan was taken")
	}
	if err := m.Set(States{Version: 9, Status: "ssff"}); err != nil || m.Version() != 9 || m.Stale() {
		t.Errorf("the whole map was not taken: %v, version %d", err, m.Version())
	}
	if err := m.Set(States{Version: 10, Changes: []wire.UnitState{{Unit: 2, Letter: 'h'}}}); err != nil || string(m.status) != "sshf" {
		t.Errorf("changes alone were not taken: %v, %s", err, m.status)
	}
}

func TestFavourite(t *testing.T) {
	p := plan(t, []string{"aaaaaaaaaa", "aaaaaaaaaa", "wwbbbbbbbb", "aaaaaaaaaa"}, 20)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable
	front, areas := 0, 0
	for range 1000 {
		u, ok := p.Favourite(random, nil)
		switch {
		case !ok || u == 20 || u == 21 || int(u) > p.Seats():
			t.Fatalf("a favourite is %d, %t", u, ok)
		case u < 10:
			front++
		case int(u) == p.Seats():
			areas++
		}
	}
	// 38 seats and 20 places of an area; the front row is a quarter of the seats, so about 336 and 345.
	if front < 280 || front > 400 || areas < 280 || areas > 410 {
		t.Errorf("%d of 1000 want the front row, %d the area", front, areas)
	}
	one, none := uint16(1), uint16(3)
	if u, ok := p.Favourite(random, &one); !ok || u < 22 || u > 29 {
		t.Errorf("of a category: %d, %t", u, ok)
	}
	if u, ok := p.Favourite(random, &none); ok {
		t.Errorf("of no category: %d", u)
	}
	if u, ok := p.Wanted(nil); !ok || u != 0 {
		t.Errorf("the most wanted is %d, %t", u, ok)
	}
	if _, ok := p.Wanted(&none); ok {
		t.Error("something of no category is wanted")
	}
}

func TestStocksAreShared(t *testing.T) {
	var s Stocks
	a := []byte(`{"t":"stock","seq":1,"version":3,"changes":[[4,"h"]],"areas":[[9,2]],"reset":false}`)
	first, err := s.Decode(a)
	if err != nil || !IsStock(a) || first.Version != 3 || first.Changes[0] != (wire.UnitState{Unit: 4, Letter: 'h'}) || first.Areas[0] != (wire.AreaState{9, 2}) {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := s.Decode(slices.Clone(a))
	if err != nil || again != first {
		t.Errorf("the same bytes were decoded again: %v", err)
	}
	a[len(a)-2] = 'x' // the caller's again
	if again, err = s.Decode([]byte(strings.Replace(string(a), "x}", "e}", 1))); err != nil || again != first {
		t.Errorf("a reference to the caller's bytes was kept: %v", err)
	}
	if _, err := s.Decode([]byte(`{"t":"stock","changes":[[4]]}`)); err == nil {
		t.Error("half a change was taken")
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, b := range map[string]string{
		"no JSON":        `{`,
		"short column":   `{"sections":[{}],"rows":[{"count":2}],"seats":{"x":[1,2],"y":[1,2],"category":[0],"flags":[0,0]}}`,
		"row too long":   `{"sections":[{}],"rows":[{"count":3}],"seats":{"x":[1,2],"y":[1,2],"category":[0,0],"flags":[0,0]}}`,
		"row too short":  `{"sections":[{}],"rows":[{"count":1}],"seats":{"x":[1,2],"y":[1,2],"category":[0,0],"flags":[0,0]}}`,
		"rows twice":     `{"sections":[{}],"rows":[{"count":1},{"count":1}],"seats":{"x":[1,2],"y":[1,2],"category":[0,0],"flags":[0,0]}}`,
		"no section":     `{"rows":[{"count":1}],"seats":{"x":[1],"y":[1],"category":[0],"flags":[0]}}`,
		"negative row":   `{"sections":[{}],"rows":[{"count":-1}]}`,
		"area elsewhere": `{"areas":[{"unit":4}]}`,
		"far away":       `{"sections":[{}],"rows":[{"count":1}],"seats":{"x":[2000000000],"y":[1],"category":[0],"flags":[0]}}`,
	} {
		if _, err := Decode([]byte(b)); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(text(f, []string{"aa|bw", "ab"}, 4), "fffffff")
	f.Add([]byte(`{}`), "")
	f.Fuzz(func(t *testing.T, b []byte, status string) {
		p, err := Decode(b)
		if err != nil {
			return
		}
		m := p.Picture()
		if m.Set(States{Status: status}) != nil && m.Choose(Wish{Quantity: 2}).Places() > 0 {
			t.Error("something was free on a map that nobody has seen")
		}
		near, _ := p.Favourite(rand.New(rand.NewPCG(1, 2)), nil) //nolint:gosec // repeatable
		if n := m.Choose(Wish{Near: near, Quantity: 2, Scatter: true}).Places(); n != 0 && n != 2 {
			t.Errorf("%d places", n)
		}
	})
}

func BenchmarkChoose(b *testing.B) {
	rows := slices.Repeat([]string{strings.Repeat("a", 20) + "|" + strings.Repeat("b", 20)}, 220)
	p := plan(b, rows)
	m := picture(b, p, strings.Repeat("ffffffhfs", p.Seats()/9+1)[:p.Seats()])
	for b.Loop() {
		if m.Choose(Wish{Near: 4000, Quantity: 3}).Places() != 3 {
			b.Fatal("found nothing")
		}
	}
}
