package seating

import (
	"strings"
	"testing"

	"github.com/catraca/catraca/actors/sale/seatmap"
)

const smallChart = `{"name":"Small","categories":{"list":[{"key":1,"label":"Near","color":"#112233"},{"key":"b","label":"Far","color":"#445566","accessible":false}]},
"zones":{"list":[{"key":"z","label":"North","focalPoint":{"x":50,"y":-20}}]},
"subChart":{"width":300,"height":200,"focalPoint":{"x":150,"y":0},
"rows":[{"label":"A","seats":[{"x":10,"y":50,"label":"1","categoryKey":1,"uuid":"u1"},{"x":30,"y":50,"label":"2","categoryKey":"b","uuid":"u2","companionSeat":true}]}],
"sections":[{"label":"Stand","zone":"z","categoryKey":"b","topLeft":{"x":100,"y":60},
"subChart":{"rows":[{"label":"B","seats":[{"x":1,"y":2,"label":"7","categoryKey":null,"restrictedView":true}]}],
"generalAdmissionAreas":[{"label":"Pit","capacity":40,"type":"polygon","points":[{"x":0,"y":0},{"x":40,"y":0},{"x":40,"y":40},{"x":0,"y":40}]}]}}],
"tables":[{"label":"T1","seats":[{"x":200,"y":150,"label":"1","categoryKey":1},{"x":230,"y":150,"label":"2","categoryKey":1}]}],
"generalAdmissionAreas":[{"label":"Floor","capacity":80,"categoryKey":1,"type":"rectangle","center":{"x":250,"y":100},"width":40,"height":20,"rotationAngle":90}]}}`

func TestChartSmall(t *testing.T) {
	p, rep, err := Import([]byte(smallChart), Options{})
	if err != nil || len(rep.Defects) != 0 {
		t.Fatal(err, defectsOf(rep))
	}
	var keys []string
	for _, s := range p.Seats {
		keys = append(keys, s.Key)
	}
	if got := strings.Join(keys, " "); got != "A-1 A-2 T1-1 T1-2 Stand-B-7" {
		t.Errorf("keys %q", got)
	}
	if len(p.Sections) != 2 || p.Sections[0] != (seatmap.Section{FocalX: 15000}) || p.Sections[1] != (seatmap.Section{Label: "Stand", Zone: "North", FocalX: 5000, FocalY: -2000}) {
		t.Errorf("sections %+v", p.Sections)
	}
	s := p.Seats[4]
	if s.X != 10100 || s.Y != 6200 || s.Category != 1 || s.Flags != seatmap.RestrictedView {
		t.Errorf("seat in the section %+v", s)
	}
	if p.Seats[1].Category != 1 || p.Seats[1].Flags != seatmap.Companion {
		t.Errorf("companion %+v", p.Seats[1])
	}
	floor, pit := p.Areas[0], p.Areas[1]
	if floor.Key != "Floor" || floor.Capacity != 80 || floor.X != 25000 || floor.Outline[0] != (seatmap.Point{X: 26000, Y: 8000}) {
		t.Errorf("turned rectangle %+v", floor)
	}
	if pit.Key != "Stand-Pit" || pit.Category != 1 || pit.X != 12000 || pit.Y != 8000 || len(pit.Outline) != 4 || pit.Section != 1 {
		t.Errorf("polygon %+v", pit)
	}
}

func TestChartDefects(t *testing.T) {
	edits{
		{"seat of no category", `"label":"1","categoryKey":1,"uuid":"u1"`, `"label":"1","uuid":"u1"`,
			[]string{"!missing subChart.rows[0].seats[0].categoryKey: has no category and no section to inherit one from"}},
		{"seat of an unknown category", `"label":"1","categoryKey":1,"uuid":"u1"`, `"label":"1","categoryKey":99,"uuid":"u1"`,
			[]string{`!unknown_category subChart.rows[0].seats[0].categoryKey: "99" is not listed in categories`}},
		{"number or string, the same key", `"categoryKey":1,"uuid":"u1"`, `"categoryKey":"1","uuid":"u1"`, nil},
		{"section of an unknown category", `"zone":"z","categoryKey":"b"`, `"zone":"z","categoryKey":"c"`, []string{
			`!unknown_category subChart.sections[0].categoryKey: "c" is not listed`}},
		{"category key of the wrong type", `"key":"b"`, `"key":true`, []string{"!wrong_type categories.list[1].key: is a boolean, must be a number or a string",
			"!unknown_category subChart.rows[0].seats[1].categoryKey", "!unknown_category subChart.sections[0].categoryKey"}},
		{"category twice", `"key":"b","label":"Far","color":"#445566"`, `"key":"1","label":"Far","color":"#445566"`, []string{
			"!unknown_category subChart.rows[0].seats[1].categoryKey", "!unknown_category subChart.sections[0].categoryKey", "!duplicate_key categories.list[1].key"}},
		{"category without label", `"key":"b","label":"Far"`, `"key":"b"`, []string{`missing categories.list[1].label: missing, the category is called "b"`}},
		{"no categories", `"categories":{"list"`, `"kinds":{"list"`, []string{"!missing categories: missing", "!unknown_category", "!unknown_category", "!unknown_category",
			"!unknown_category", "!unknown_category", "!unknown_category", "unknown_property kinds"}},
		{"label twice", `"label":"2","categoryKey":"b"`, `"label":"1","categoryKey":"b"`, []string{
			`!duplicate_key subChart.rows[0].seats[0].label: label "A-1" is used by 2 units: subChart.rows[0].seats[0], subChart.rows[0].seats[1]`}},
		{"question mark", `"label":"2","categoryKey":"b"`, `"label":"?","categoryKey":"b"`, []string{"!no_label subChart.rows[0].seats[1].label: the seat has no label"}},
		{"row without label", `"label":"A",`, ``, []string{"!missing subChart.rows[0].label: missing"}},
		{"section without label", `"label":"Stand",`, `"label":"",`, []string{"!no_label subChart.sections[0].label: the section has no label"}},
		{"unknown zone", `"zone":"z"`, `"zone":"y"`, []string{`!unknown_value subChart.sections[0].zone: zone "y" is not listed`}},
		{"no topLeft", `"topLeft":{"x":100,"y":60},`, ``, []string{"!missing subChart.sections[0].topLeft: missing"}},
		{"empty section", `"subChart":{"rows":[{"label":"B"`, `"oldChart":{"rows":[{"label":"B"`, []string{"missing subChart.sections[0].subChart: the section has no seats",
			"unknown_property subChart.sections[0].oldChart"}},
		{"section in a section", `"subChart":{"rows":[{"label":"B"`, `"subChart":{"sections":[{}],"rows":[{"label":"B"`,
			[]string{"!unsupported subChart.sections[0].subChart.sections: a section inside a section cannot be sold"}},
		{"infinite", `"x":30,"y":50`, `"x":-1e400,"y":50`, []string{"!not_finite subChart.rows[0].seats[1].x: -1e400 is not a finite number"}},
		{"bool as string", `"companionSeat":true`, `"companionSeat":"true"`, []string{`wrong_type subChart.rows[0].seats[1].companionSeat: is the string "true", should be a boolean`}},
		{"bool as number", `"companionSeat":true`, `"companionSeat":1`, []string{"wrong_type subChart.rows[0].seats[1].companionSeat: is a number, must be a boolean"}},
		{"chair and companion", `"companionSeat":true`, `"companionSeat":true,"accessible":true`, []string{"unknown_value subChart.rows[0].seats[1].companionSeat"}},
		{"unknown property", `"companionSeat":true`, `"heated":true`, []string{`unknown_property subChart.rows[0].seats[1].heated: a seat has no property "heated", ignored`}},
		{"table as a whole", `"label":"T1",`, `"label":"T1","bookAsAWhole":true,`, []string{"!unsupported subChart.tables[0]: a table sold as a whole (bookAsAWhole) cannot be sold"}},
		{"booth", `"tables":[`, `"booths":[{}],"tables":[`, []string{"!unsupported subChart.booths[0]: a booth cannot be sold"}},
		{"area as a whole", `"label":"Floor",`, `"label":"Floor","bookAsAWhole":true,`, []string{"!unsupported subChart.generalAdmissionAreas[0]: an area sold as a whole"}},
		{"capacity missing", `"capacity":80,`, ``, []string{"!missing subChart.generalAdmissionAreas[0].capacity: missing"}},
		{"capacity zero", `"capacity":80`, `"capacity":0`, []string{"!out_of_range subChart.generalAdmissionAreas[0].capacity: 0 is not within 1 to 1000000"}},
		{"capacity of a part", `"capacity":80`, `"capacity":80.5`, []string{"fraction subChart.generalAdmissionAreas[0].capacity: 80.5 is not a whole number, taken as 80"}},
		{"area without shape", `"type":"rectangle","center":{"x":250,"y":100},`, ``, []string{"!missing subChart.generalAdmissionAreas[0].points: missing",
			"!missing subChart.generalAdmissionAreas[0]: the area has no center and no points"}},
		{"area with the key of a seat", `"label":"Floor"`, `"label":"A-1"`, []string{`!duplicate_key subChart.rows[0].seats[0].label: label "A-1" is used by 2 units: subChart.rows[0].seats[0], subChart.generalAdmissionAreas[0]`}},
		{"focal point far out", `"focalPoint":{"x":150,"y":0}`, `"focalPoint":{"x":1e7,"y":0}`, []string{"out_of_range subChart.focalPoint.x: is beyond ±167772"}},
		{"nothing to sell", smallChart, `{"subChart":{},"categories":{"list":[]}}`, []string{"!missing no seats and no areas, nothing to sell"}},
	}.run(t, smallChart, Options{})
}

func TestChartSkipsUnsupported(t *testing.T) {
	edits{
		{"table as a whole", `"label":"T1",`, `"label":"T1","variableOccupancy":true,`, []string{"unsupported subChart.tables[0]: a table sold as a whole (variableOccupancy)"}},
		{"booth", `"tables":[`, `"booths":[{}],"tables":[`, []string{"unsupported subChart.booths[0]: a booth cannot be sold"}},
	}.run(t, smallChart, Options{SkipUnsupported: true})
}

// Floors are drawn one below the other and name the zones of their sections.
func TestChartFloors(t *testing.T) {
	floor := func(name string) string {
		return `{"floorName":"` + name + `","width":100,"height":100,"sections":[{"label":"S` + name + `","topLeft":{"x":10,"y":20},
"subChart":{"rows":[{"label":"A","seats":[{"x":1,"y":2,"label":"1","categoryKey":1}]}]}}]}`
	}
	p, rep, err := Import([]byte(`{"categories":{"list":[{"key":1,"label":"All"}]},"subChartFloors":[`+floor("1")+","+floor("2")+`]}`), Options{})
	if err != nil || len(rep.Defects) != 0 {
		t.Fatal(err, defectsOf(rep))
	}
	if p.Seats[0].Y != 2200 || p.Seats[1].Y != 2200+10500 || p.Sections[0].Zone != "1" || p.Sections[1].Zone != "2" || p.Height != 20500 || p.Width != 10000 {
		t.Errorf("%d × %d, sections %+v, seats %+v", p.Width, p.Height, p.Sections, p.Seats)
	}
}

// Rows outside of sections may name one.
func TestChartSectionLabels(t *testing.T) {
	p, _, err := Import([]byte(strings.Replace(smallChart, `"rows":[{"label":"A"`, `"rows":[{"sectionLabel":"Box","label":"A"`, 1)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Sections[0].Label != "Box" || p.Seats[0].Key != "Box-A-1" || p.Sections[1].Label != "" {
		t.Errorf("sections %+v, first seat %q", p.Sections, p.Seats[0].Key)
	}
}

func TestNotAPlan(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{``, "!syntax not a JSON document: line 1, column 1: ends too early"},
		{`{"a":`, "!syntax not a JSON document: line 1, column 6: ends too early"},
		{"{\n \"zones\": [}\n", "!syntax not a JSON document: line 2, column "},
		{`{"zones":[]} x`, "!syntax not a JSON document: line 1, column "},
		{`{"zones":[]}{}`, "!syntax not a JSON document: line 1, column 14: something follows the end"},
		{strings.Repeat("[", 40), "!syntax not a JSON document: line 1, column 34: nested deeper than 32"},
		{`[]`, "!format is a list, a seating plan is an object"},
		{`null`, "!format is null, a seating plan is an object"},
		{`{"seats":[]}`, "!format neither a pretix seating plan (zones) nor a seats.io chart (subChart)"},
	} {
		p, rep, err := Import([]byte(c.file), Options{})
		got := defectsOf(rep)
		if p != nil || err == nil || len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
			t.Errorf("%s: reported %q, want %q", c.file, got, c.want)
		}
	}
}

func TestReportIsBounded(t *testing.T) {
	seat := `{"seat_guid":"x","seat_number":"1","position":{"x":0,"y":0},"category":"?"},`
	file := `{"name":"n","size":{},"categories":[],"zones":[{"position":{"x":0,"y":0},"rows":[{"row_number":"1","position":{"x":0,"y":0},"seats":[` +
		strings.TrimSuffix(strings.Repeat(seat, maxDefects+50), ",") + `]}]}]}`
	_, rep, err := Import([]byte(file), Options{})
	last := rep.Defects[len(rep.Defects)-1]
	if err == nil || len(rep.Defects) != maxDefects+1 || last.Code != CodeTooMany || !last.Fatal {
		t.Errorf("%d defects, the last %+v, error %v", len(rep.Defects), last, err)
	}
}
