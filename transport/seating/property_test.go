package seating

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/catraca/catraca/actors/sale/seatmap"
)

// checkImport is what must hold of any import of anything.
func checkImport(t interface{ Fatalf(string, ...any) }, data []byte, o Options) {
	p, rep, err := Import(data, o)
	if rep == nil {
		t.Fatalf("no report")
	}
	if (err != nil) != (rep.Fatal() > 0) || (err != nil) != (p == nil) {
		t.Fatalf("error %v with %d fatal defects and plan %v", err, rep.Fatal(), p != nil)
	}
	if p == nil {
		return
	}
	if err := p.Validate(); err != nil {
		t.Fatalf("imported plan is not valid: %v", err)
	}
	if rep.Seats != len(p.Seats) || rep.Areas != len(p.Areas) || rep.Rows != len(p.Rows) || rep.Sections != len(p.Sections) {
		t.Fatalf("report counts %+v", *rep)
	}
	b := p.AppendBinary(nil)
	q, n, err := seatmap.DecodePlan(b)
	if err != nil || n != len(b) || !bytes.Equal(q.AppendBinary(nil), b) {
		t.Fatalf("the plan does not survive its bytes: %v", err)
	}
	if err := seatmap.NewInventory(p).Verify(); err != nil {
		t.Fatalf("%v", err)
	}
}

// oddly draws a value that is mostly the good one and now and then anything else.
func oddly(t *rapid.T, name string, good any) any {
	if rapid.IntRange(0, 40).Draw(t, name+"?") > 0 {
		return good
	}
	return rapid.SampledFrom([]any{nil, true, "", "?", "x", -1.5, 1e30, []any{}, map[string]any{}, map[string]any{"x": "1"}}).Draw(t, name)
}

type object = map[string]any

func anyPoint(t *rapid.T, name string) any {
	return oddly(t, name, object{"x": rapid.IntRange(-300, 300).Draw(t, "x"), "y": rapid.IntRange(-300, 300).Draw(t, "y")})
}

// anySome draws up to most objects.
func anySome(t *rapid.T, name string, most int, one func(i int) any) any {
	out := []any{}
	for i := range rapid.IntRange(0, most).Draw(t, name+" number") {
		out = append(out, one(i))
	}
	return oddly(t, name, out)
}

func anyPretix(t *rapid.T) object {
	categories := rapid.SampledFrom([]string{"a", "b", "c"})
	return object{"name": oddly(t, "name", "plan"), "size": oddly(t, "size", object{"width": 100, "height": 100}),
		"categories": []any{object{"name": "a", "color": oddly(t, "color", "#fff")}, object{"name": "b"}, object{"name": oddly(t, "category name", "c")}},
		"zones": anySome(t, "zones", 3, func(z int) any {
			return object{"name": oddly(t, "zone", fmt.Sprint("Z", z)), "position": anyPoint(t, "zone position"),
				"rows": anySome(t, "rows", 3, func(r int) any {
					return object{"row_number": oddly(t, "row", fmt.Sprint(r)), "position": anyPoint(t, "row position"),
						"seats": anySome(t, "seats", 6, func(s int) any {
							return object{"seat_guid": oddly(t, "guid", fmt.Sprint(z, r, s/rapid.SampledFrom([]int{1, 1, 1, 1, 2}).Draw(t, "by"))),
								"seat_number": oddly(t, "number", fmt.Sprint(s)), "category": oddly(t, "category", categories.Draw(t, "c")),
								"uuid": oddly(t, "uuid", fmt.Sprint("u", z, r, s)), "position": anyPoint(t, "position")}
						})}
				})}
		})}
}

func anyChart(t *rapid.T) object {
	keys := rapid.SampledFrom([]any{1, 2, "three"})
	rows := func(z int) any {
		return anySome(t, "rows", 3, func(r int) any {
			return object{"label": oddly(t, "row", fmt.Sprint(r)), "seats": anySome(t, "seats", 6, func(s int) any {
				return object{"label": oddly(t, "seat", fmt.Sprint(s)), "uuid": fmt.Sprint(z, r, s), "categoryKey": oddly(t, "category", keys.Draw(t, "k")),
					"x": oddly(t, "x", rapid.IntRange(-300, 300).Draw(t, "x at")), "y": oddly(t, "y", rapid.IntRange(-300, 300).Draw(t, "y at")),
					"accessible": oddly(t, "accessible", s == 3), "companionSeat": oddly(t, "companion", s == 4)}
			})}
		})
	}
	areas := anySome(t, "areas", 2, func(a int) any {
		return object{"label": oddly(t, "area", fmt.Sprint("GA", a)), "capacity": oddly(t, "capacity", 10), "categoryKey": keys.Draw(t, "k"),
			"type": rapid.SampledFrom([]string{"circle", "rectangle", "polygon"}).Draw(t, "type"), "center": anyPoint(t, "center"),
			"radius1": 5, "radius2": oddly(t, "radius", 6), "width": 7, "height": 8, "points": anySome(t, "points", 5, func(int) any { return anyPoint(t, "corner") })}
	})
	return object{"name": "chart",
		"categories": object{"list": []any{object{"key": 1, "label": "One"}, object{"key": 2, "label": "Two", "accessible": true}, object{"key": "three"}}},
		"zones":      object{"list": []any{object{"key": "z", "label": "Z", "focalPoint": anyPoint(t, "focal")}}},
		"subChart": object{"width": 100, "height": 100, "focalPoint": anyPoint(t, "focal"), "rows": rows(9), "generalAdmissionAreas": areas,
			"sections": anySome(t, "sections", 2, func(s int) any {
				return object{"label": fmt.Sprint("S", s), "zone": oddly(t, "zone", "z"), "categoryKey": 2, "topLeft": anyPoint(t, "top left"), "subChart": object{"rows": rows(s)}}
			})}}
}

func TestImportAnything(t *testing.T) {
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		file := rapid.SampledFrom([]func(*rapid.T) object{anyPretix, anyChart}).Draw(t, "format")(t)
		data, err := json.Marshal(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []Options{{}, {Rekey: true, SkipUnsupported: true}} {
			checkImport(t, data, o)
			if p, _, _ := Import(data, o); p != nil {
				taken++
			}
		}
	})
	if taken == 0 {
		t.Error("not one plan was taken; the property says nothing")
	}
}

// The order in which a straight row is listed does not change who sits beside whom.
func TestOrderOfTheFileDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 12).Draw(t, "seats")
		sort := rapid.Permutation(rapid.Just(numbers(n)).Draw(t, "numbers")).Draw(t, "order")
		dx, dy := rapid.IntRange(1, 9).Draw(t, "dx"), rapid.IntRange(-9, 9).Draw(t, "dy")
		row := &draftRow{}
		for _, i := range sort {
			row.seats = append(row.seats, draftSeat{label: string(rune('a' + i)), at: point{float64(i * dx), float64(i * dy)}})
		}
		d := draft{sections: []*draftSection{{rows: []*draftRow{row}}}}
		d.arrange()
		got := order(row)
		want := order(&draftRow{seats: slices.SortedFunc(slices.Values(row.seats), func(a, b draftSeat) int { return int(a.label[0]) - int(b.label[0]) })})
		back := []byte(want)
		slices.Reverse(back)
		if got != want && got != string(back) {
			t.Fatalf("listed %v, stand as %s, want %s or back", sort, got, want)
		}
	})
}

func numbers(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(smallPretix))
	f.Add([]byte(smallChart))
	f.Add([]byte(`{"subChartFloors":[{"rows":[]}]}`))
	f.Add([]byte(`{"zones":[{"rows":[{"seats":[{}]}]}]}`))
	if club, err := Sample("club"); err == nil {
		f.Add(club)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		checkImport(t, data, Options{})
		checkImport(t, data, Options{Rekey: true, SkipUnsupported: true, Prices: map[string]Price{"1": {100, 10}, "Stalls": {5, 0}}})
	})
}
