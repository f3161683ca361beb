package seating

import (
	"fmt"
	"strings"
	"testing"
)

// rows of the small plan below: three seats of one zone.
const smallPretix = `{"name":"Small","size":{"width":400,"height":300},
"categories":[{"name":"Stalls","color":"#112233"},{"name":"Balcony","color":"#445566"}],
"zones":[{"name":"Ground","position":{"x":10,"y":20},"rows":[
{"row_number":"A","position":{"x":100,"y":5},"seats":[
{"seat_guid":"A1","seat_number":"1","position":{"x":0,"y":0},"category":"Stalls","uuid":"u1"},
{"seat_guid":"A2","seat_number":"2","position":{"x":25,"y":0},"category":"Stalls","uuid":"u2"},
{"seat_guid":"A3","seat_number":"3","position":{"x":50,"y":0},"category":"Balcony","uuid":"u3"}]}]}]}`

// defectsOf writes a report as lines "code path: message", fatal ones with an exclamation mark.
func defectsOf(rep *Report) []string {
	var lines []string
	for _, d := range rep.Defects {
		mark := ""
		if d.Fatal {
			mark = "!"
		}
		lines = append(lines, fmt.Sprintf("%s%s %s", mark, d.Code, d))
	}
	return lines
}

// edits is a table of damages to a file and the whole list of what must be reported. A line is matched by its start.
type edits []struct {
	name     string
	old, new string
	want     []string
}

func (table edits) run(t *testing.T, file string, o Options) {
	t.Helper()
	for _, c := range table {
		if strings.Count(file, c.old) == 0 {
			t.Errorf("%s: %q is not in the file", c.name, c.old)
			continue
		}
		p, rep, err := Import([]byte(strings.Replace(file, c.old, c.new, 1)), o)
		got := defectsOf(rep)
		fatal := false
		for i := range max(len(got), len(c.want)) {
			if i >= len(got) || i >= len(c.want) || !strings.HasPrefix(got[i], c.want[i]) {
				t.Errorf("%s: reported\n\t%s\nwant\n\t%s", c.name, strings.Join(got, "\n\t"), strings.Join(c.want, "\n\t"))
				break
			}
			fatal = fatal || got[i][0] == '!'
		}
		if fatal != (err != nil) || fatal != (p == nil) {
			t.Errorf("%s: fatal %v, but error %v and plan %v", c.name, fatal, err, p != nil)
		}
	}
}

func TestPretixSmall(t *testing.T) {
	p, rep, err := Import([]byte(smallPretix), Options{})
	if err != nil || len(rep.Defects) != 0 {
		t.Fatal(err, defectsOf(rep))
	}
	s := p.Seats[1]
	if s.Key != "A2" || s.Label != "2" || s.X != 13500 || s.Y != 2500 || p.Width != 40000 || p.Height != 30000 || p.Seats[2].Category != 1 {
		t.Errorf("plan %+v", *p)
	}
	if f := p.Sections[0]; f.Label != "Ground" || f.FocalX != 13500 || f.FocalY != 2500 {
		t.Errorf("section %+v, the focal point should be the middle of the first row", f)
	}
}

func TestPretixDefects(t *testing.T) {
	edits{
		{"sound", "Small", "Small", nil},
		{"name missing", `"name":"Small",`, ``, []string{"missing name: missing"}},
		{"size missing", `"size":{"width":400,"height":300},`, ``, []string{"missing size: missing"}},
		{"size of strings", `"width":400`, `"width":"400"`, []string{"wrong_type size.width: is a string, must be a number"}},
		{"categories missing", `"categories":[`, `"kategorien":[`, []string{"!missing categories: missing",
			"!unknown_category zones[0].rows[0].seats[0].category: \"Stalls\" is not", "!unknown_category zones[0].rows[0].seats[1].category",
			"!unknown_category zones[0].rows[0].seats[2].category", "unknown_property kategorien: a plan has no property \"kategorien\", ignored"}},
		{"category twice", `"name":"Balcony"`, `"name":"Stalls"`, []string{"!unknown_category zones[0].rows[0].seats[2].category",
			"!duplicate_key categories[1].name: \"Stalls\" is also the key of categories[0].name"}},
		{"category without name", `"name":"Balcony",`, ``, []string{"!missing categories[1].name: missing", "!unknown_category zones[0].rows[0].seats[2].category"}},
		{"category color", `#112233`, `red`, []string{"unknown_value categories[0].color: \"red\" is not #rrggbb, shown as #4176a5"}},
		{"category short color", `#112233`, `#abc`, nil},
		{"category as word", `{"name":"Balcony","color":"#445566"}`, `"Balcony"`, []string{"!wrong_type categories[1]: category is a string, must be an object",
			"!unknown_category zones[0].rows[0].seats[2].category"}},
		{"zones of the wrong type", `"zones":[{"name":"Ground","position":{"x":10,"y":20},"rows":[`, `"zones":[{"rows":4},{"position":{"x":10,"y":20},"rows":[`,
			[]string{"!missing zones[0].position: missing", "!wrong_type zones[0].rows: is a number, must be a list"}},
		{"zone position", `"position":{"x":10,"y":20}`, `"position":[10,20]`, []string{"!wrong_type zones[0].position: is a list, must be an object with x and y"}},
		{"row number missing", `"row_number":"A",`, ``, []string{"!missing zones[0].rows[0].row_number: missing"}},
		{"row number as number", `"row_number":"A"`, `"row_number":1`, []string{"wrong_type zones[0].rows[0].row_number: is the number 1, should be a string"}},
		{"row number empty", `"row_number":"A"`, `"row_number":""`, []string{"no_label zones[0].rows[0].row_number: empty"}},
		{"row number position", `"row_number":"A"`, `"row_number":"A","row_number_position":"top"`, []string{"unknown_value zones[0].rows[0].row_number_position: \"top\" is not one of"}},
		{"row number position null", `"row_number":"A"`, `"row_number":"A","row_number_position":null,"start_direction":"<>"`, nil},
		{"row without seats", `"rows":[`, `"rows":[{"row_number":"0","position":{"x":0,"y":0},"seats":[]},`, []string{"empty_row zones[0].rows[0]: has no seats, left out"}},
		{"guid missing", `"seat_guid":"A2",`, ``, []string{"!missing zones[0].rows[0].seats[1].seat_guid: missing"}},
		{"guid empty", `"seat_guid":"A2"`, `"seat_guid":""`, []string{"!missing zones[0].rows[0].seats[1].seat_guid: empty"}},
		{"guid twice", `"seat_guid":"A2"`, `"seat_guid":"A1"`, []string{"!duplicate_key zones[0].rows[0].seats[0].seat_guid: seat_guid \"A1\" is used by 2 units: " +
			"zones[0].rows[0].seats[0], zones[0].rows[0].seats[1]"}},
		{"category unknown", `"category":"Balcony"`, `"category":"Loge"`, []string{"!unknown_category zones[0].rows[0].seats[2].category: \"Loge\" is not listed"}},
		{"category missing", `,"category":"Balcony"`, ``, []string{"!missing zones[0].rows[0].seats[2].category: missing"}},
		{"position missing", `"position":{"x":25,"y":0},`, ``, []string{"!missing zones[0].rows[0].seats[1].position: missing"}},
		{"x missing", `"x":25,`, ``, []string{"!missing zones[0].rows[0].seats[1].position.x: missing"}},
		{"x as string", `"x":25`, `"x":"25"`, []string{"!wrong_type zones[0].rows[0].seats[1].position.x: is a string, must be a number"}},
		{"x infinite", `"x":25`, `"x":1e999`, []string{"!not_finite zones[0].rows[0].seats[1].position.x: 1e999 is not a finite number"}},
		{"x far out", `"x":25`, `"x":1e9`, []string{"!out_of_range zones[0].rows[0].seats[1].position.x: is beyond ±167772"}},
		{"unknown at seats", `"uuid":"u1"`, `"uuid":"u1","price":3`, []string{"unknown_property zones[0].rows[0].seats[0].price: a seat has no property \"price\", ignored"}},
		{"twice in one object", `"uuid":"u1"`, `"uuid":"u0","uuid":"u1"`, []string{"repeated zones[0].rows[0].seats[0].uuid: stands twice"}},
		{"one upon the other", `"x":25`, `"x":0`, []string{"overlap zones[0].rows[0]: 1 of its seats cover others, the first is zones[0].rows[0].seats[0]"}},
		{"fraction", `"rows":[`, `"areas":[{"shape":"rectangle","rectangle":{"width":1.5,"height":2}}],"rows":[`,
			[]string{"fraction zones[0].areas[0].rectangle.width: 1.5 is not a whole number"}},
		{"odd areas", `"rows":[`, `"areas":[7,{"shape":"star","circle":{"radius":"big"},"ellipse":{"radius":{"x":0.5,"y":1}},"text":{"text":"Bar","font":"x"}}],"rows":[`,
			[]string{"wrong_type zones[0].areas[0]: is a number", "unknown_value zones[0].areas[1].shape: \"star\"", "wrong_type zones[0].areas[1].circle.radius: is a string",
				"fraction zones[0].areas[1].ellipse.radius.x: 0.5", "unknown_property zones[0].areas[1].text.font: a text has no property"}},
		{"two at once", `"seat_guid":"A2","seat_number":"2"`, `"seat_guid":true`, []string{"!wrong_type zones[0].rows[0].seats[1].seat_guid: is a boolean, must be a string",
			"!missing zones[0].rows[0].seats[1].seat_number: missing"}},
		{"long guid", `"seat_guid":"A2"`, `"seat_guid":"` + strings.Repeat("x", 201) + `"`, []string{"!too_long zones[0].rows[0].seats[1].seat_guid: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"… is 201 bytes long, at most 200"}},
	}.run(t, smallPretix, Options{})
}

func TestPretixUnknownPropertiesAreCounted(t *testing.T) {
	_, rep, err := Import([]byte(strings.ReplaceAll(smallPretix, `"uuid"`, `"price":1,"uuid"`)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := `unknown_property zones[0].rows[0].seats[0].price: a seat has no property "price", ignored here and in 2 more places`
	if got := defectsOf(rep); len(got) != 1 || got[0] != want {
		t.Errorf("reported %q", got)
	}
}

func TestPretixLabels(t *testing.T) {
	file := strings.NewReplacer(`"row_number":"A"`, `"row_number":"A","row_label":"Row %s","seat_label":"No %s"`,
		`"seat_number":"2"`, `"seat_number":"2","seat_label":"Seat %s"`).Replace(smallPretix)
	p, _, err := Import([]byte(file), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Rows[0].Label != "Row A" || p.Seats[0].Label != "No 1" || p.Seats[1].Label != "Seat 2" {
		t.Errorf("labels %q, %q, %q", p.Rows[0].Label, p.Seats[0].Label, p.Seats[1].Label)
	}
}

func TestRekey(t *testing.T) {
	for _, c := range []struct {
		name string
		edit *strings.Replacer
		want string
	}{
		{"by uuid", strings.NewReplacer(`"A2"`, `"A1"`), "u1 u2 A3"},
		{"uuid twice", strings.NewReplacer(`"A2"`, `"A1"`, `"u2"`, `"u1"`), "z0r0s0 z0r0s1 A3"},
		{"no uuid", strings.NewReplacer(`"A2"`, `"A1"`, `,"uuid":"u2"`, ``), "u1 z0r0s1 A3"},
		{"uuid is a key already", strings.NewReplacer(`"A2"`, `"A1"`, `"A3"`, `"u2"`), "u1 z0r0s1 u2"},
		{"generated key is taken", strings.NewReplacer(`"A2"`, `"A1"`, `,"uuid":"u2"`, ``, `"A3"`, `"z0r0s1"`), "u1 z0r0s1-2 z0r0s1"},
	} {
		p, rep, err := Import([]byte(c.edit.Replace(smallPretix)), Options{Rekey: true})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := p.Seats[0].Key + " " + p.Seats[1].Key + " " + p.Seats[2].Key
		if got != c.want || rep.Rekeyed != 2 || len(ofCode(rep, CodeDuplicateKey)) != 1 {
			t.Errorf("%s: keys %q, %d replaced, %v", c.name, got, rep.Rekeyed, defectsOf(rep))
		}
	}
}

func TestPrices(t *testing.T) {
	table := map[string]struct {
		prices map[string]Price
		want   []string
	}{
		"all":      {map[string]Price{"Stalls": {100, 10}, "Balcony": {50, 5}}, nil},
		"none":     {nil, nil},
		"one left": {map[string]Price{"Stalls": {100, 10}}, []string{"!no_price categories[1].name: no price is given for category \"Balcony\" (Balcony)"}},
		"one over": {map[string]Price{"Stalls": {100, 10}, "Balcony": {50, 5}, "Loge": {1, 1}}, []string{"unused_price the price for \"Loge\" fits no category of the plan"}},
		"negative": {map[string]Price{"Stalls": {-1, 10}, "Balcony": {50, 5}}, []string{"!invalid categories[0].price: -1 is not within"}},
	}
	for name, c := range table {
		p, rep, err := Import([]byte(smallPretix), Options{Prices: c.prices})
		got := defectsOf(rep)
		if len(got) != len(c.want) || len(got) == 1 && !strings.HasPrefix(got[0], c.want[0]) {
			t.Errorf("%s: reported %q, want %q", name, got, c.want)
		}
		if err == nil && p.Categories[0].Price != c.prices["Stalls"].Price {
			t.Errorf("%s: category %+v", name, p.Categories[0])
		}
	}
}
