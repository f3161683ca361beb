package seating

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/catraca/catraca/actors/sale/seatmap"
)

// sample imports an embedded plan.
func sample(t testing.TB, name string, o Options) (*seatmap.Plan, *Report, error) {
	t.Helper()
	data, err := Sample(name)
	if err != nil {
		t.Fatal(err)
	}
	return Import(data, o)
}

func ofCode(rep *Report, code string) (out []Defect) {
	for _, d := range rep.Defects {
		if d.Code == code {
			out = append(out, d)
		}
	}
	return out
}

func TestSamplesAreTheOriginals(t *testing.T) {
	files := map[string]string{"racetrack": "seatsio_sampleChartWithZones.json", "club": "seatsio_sampleChart.json", "stadium": "pretix_format_stadium.json"}
	if len(Samples()) != len(files) {
		t.Fatalf("samples are %q", Samples())
	}
	for _, name := range Samples() {
		got, err := Sample(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile("testdata/" + files[name])
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from %s", name, files[name])
		}
	}
	if _, err := Sample("opera"); err == nil || !strings.Contains(err.Error(), `"opera"`) {
		t.Errorf("unknown sample: %v", err)
	}
	origin, err := os.ReadFile("testdata/ORIGIN.md")
	if err != nil {
		t.Fatal(err)
	}
	beside, err := plans.ReadFile("plans/ORIGIN.md")
	if err != nil || !bytes.Equal(origin, beside) {
		t.Errorf("the embedded plans do not carry their licence: %v", err)
	}
}

func TestStadiumIsRefused(t *testing.T) {
	p, rep, err := sample(t, "stadium", Options{})
	if p != nil || err == nil {
		t.Fatalf("a plan with duplicate keys was taken: %v", err)
	}
	want := `import seating plan: 126 defects, the first: zones[0].rows[0].seats[0].seat_guid: seat_guid "Groundfloor-A-1" is used by 8 units: ` +
		"zones[0].rows[0].seats[0], zones[0].rows[6].seats[0], "
	if !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s…", err, want)
	}
	duplicates := ofCode(rep, CodeDuplicateKey)
	if len(duplicates) != 126 || rep.Fatal() != 126 {
		t.Errorf("%d duplicates of %d fatal defects, want 126 of 126", len(duplicates), rep.Fatal())
	}
	places := 0
	for _, d := range duplicates {
		places += strings.Count(d.Message, "zones[")
	}
	if places != 546 {
		t.Errorf("the duplicates name %d places, want all 546", places)
	}
	if rep.Format != FormatPretix || rep.Seats != 0 || rep.Rekeyed != 0 {
		t.Errorf("report of a refused plan: %+v", *rep)
	}
}

func TestStadiumRekeyed(t *testing.T) {
	p, rep, err := sample(t, "stadium", Options{Rekey: true})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Seats != 738 || rep.Rows != 90 || rep.Sections != 2 || rep.Areas != 0 || rep.Rekeyed != 546 {
		t.Errorf("report %+v", *rep)
	}
	widths := map[uint16]int{}
	for _, r := range p.Rows {
		widths[r.Count]++
	}
	if len(widths) != 2 || widths[7] != 72 || widths[13] != 18 {
		t.Errorf("rows by width: %v, want 72 of 7 and 18 of 13", widths)
	}
	for i, s := range p.Seats {
		if s.Flags != 0 {
			t.Fatalf("seat %d (%s) has flags %b, there is no aisle inside a row", i, s.Key, s.Flags)
		}
	}
	if got := len(ofCode(rep, CodeFraction)); got != 2 {
		t.Errorf("%d fractions, want the width and height of one rectangle", got)
	}
	if got := len(ofCode(rep, CodeOverlap)); got != 18 {
		t.Errorf("%d rows cover others, want the 18 of the floor drawn over the other", got)
	}
}

// Selling the stadium in pairs under the strict rule leaves three seats in every row of seven, and only threes anywhere.
func TestStadiumInPairs(t *testing.T) {
	p, _, err := sample(t, "stadium", Options{Rekey: true})
	if err != nil {
		t.Fatal(err)
	}
	v := seatmap.NewInventory(p)
	q := seatmap.BestQuery{Quantity: 2, AnyCategory: true, AnySection: true, Orphans: seatmap.OrphanStrict}
	pairs := 0
	for {
		lines, adjacent, ok := v.Best(nil, q)
		if !ok {
			break
		}
		if !adjacent || p.Seats[lines[0].Unit].Row != p.Seats[lines[1].Unit].Row {
			t.Fatalf("%v are not side by side", lines)
		}
		v.SellFree(lines, 1)
		pairs++
	}
	for i, r := range p.Rows {
		runs, free := 0, 0
		for u := r.First; u < r.First+seatmap.UnitID(r.Count); u++ {
			if v.Status(u) == seatmap.Free {
				if free++; u == r.First || v.Status(u-1) != seatmap.Free {
					runs++
				}
			}
		}
		if free != 3*runs || r.Count == 7 && runs != 1 {
			t.Errorf("row %d of %d seats: %d free in %d runs", i, r.Count, free, runs)
		}
	}
	if pairs < 72*2+18*2 || pairs > 72*2+18*5 {
		t.Errorf("%d pairs", pairs)
	}
}

func TestRacetrack(t *testing.T) {
	p, rep, err := sample(t, "racetrack", Options{Name: "Interlagos", Prices: map[string]Price{"1": {90000, 9000}, "Mid Track Stand": {45000, 4500}}})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Seats != 8897 || rep.Rows != 131 || rep.Sections != 4 || rep.Areas != 0 || len(rep.Defects) != 0 || rep.Format != FormatSeatsio {
		t.Errorf("report %+v", *rep)
	}
	if p.Name != "Interlagos" || p.Width != 5_580_000 || p.Height != 3_000_000 {
		t.Errorf("%q is %d × %d", p.Name, p.Width, p.Height)
	}
	want := []seatmap.Category{{Key: "1", Name: "Goal Stands", Color: "#4176A5", Price: 90000, Fee: 9000},
		{Key: "2", Name: "Mid Track Stand", Color: "#FCA700", Price: 45000, Fee: 4500}}
	if !slices.Equal(p.Categories, want) {
		t.Errorf("categories %+v", p.Categories)
	}
	seats := map[string]int{}
	for _, r := range p.Rows {
		seats[p.Sections[r.Section].Label] += int(r.Count)
		if r.Count < 19 || r.Count > 139 {
			t.Errorf("row %s has %d seats", r.Label, r.Count)
		}
	}
	if seats["Goal Stand 4"] != 650 || seats["Goal Stand 3"] != 2215 || seats["MT1"] != 2418 || seats["MT3"] != 3614 {
		t.Errorf("seats by section: %v", seats)
	}
	if s := p.Sections[0]; s != (seatmap.Section{Label: "Goal Stand 4", Zone: "Finish Line", FocalX: 1544545, FocalY: 1818182}) {
		t.Errorf("first section %+v", s)
	}
	// Each stand keeps to its outline, and the category comes from the section.
	outline := map[string][4]int32{ // left, top, right, bottom in whole units
		"Goal Stand 4": {39736, 22019, 41854, 23937}, "Goal Stand 3": {43466, 19475, 45462, 20971},
		"MT1": {12811, 15145, 15170, 16973}, "MT3": {11938, 17777, 15147, 20065}}
	for _, s := range p.Seats {
		label := p.Sections[p.Rows[s.Row].Section].Label
		o := outline[label]
		if s.X < o[0]*100 || s.X > o[2]*100 || s.Y < o[1]*100 || s.Y > o[3]*100 {
			t.Fatalf("seat %s stands at (%d, %d), outside of %s", s.Key, s.X, s.Y, label)
		}
		if (s.Category == 0) != strings.HasPrefix(label, "Goal") {
			t.Fatalf("seat %s is of category %d", s.Key, s.Category)
		}
	}
	if k := p.Seats[0].Key; k != "Goal Stand 4-A-1" {
		t.Errorf("first key %q", k)
	}
}

func TestClub(t *testing.T) {
	p, rep, err := sample(t, "club", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if rep.Seats != 32 || rep.Areas != 2 || rep.Rows != 4 || rep.Sections != 1 || len(rep.Defects) != 0 {
		t.Errorf("report %+v", *rep)
	}
	if p.Capacity() != 232 || p.Areas[0].Capacity != 100 || p.Areas[1].Capacity != 100 || p.Areas[0].Key != "GA1" {
		t.Errorf("areas %+v", p.Areas)
	}
	var keys []string
	for _, c := range p.Categories {
		keys = append(keys, c.Key)
	}
	if !slices.Equal(keys, []string{"9", "10", "string11"}) {
		t.Errorf("category keys %q", keys)
	}
	for _, s := range p.Seats {
		if (s.Flags&seatmap.Accessible != 0) != (s.Key == "A-7") {
			t.Errorf("seat %s has flags %b", s.Key, s.Flags)
		}
	}
	if f := p.Sections[0]; f.FocalX != 22500 || f.FocalY != 3323 {
		t.Errorf("focal point (%d, %d)", f.FocalX, f.FocalY)
	}
	for i, r := range p.Rows {
		if int(r.Rank) != i {
			t.Errorf("row %s has rank %d, want %d", r.Label, r.Rank, i)
		}
	}
	if o := p.Areas[0].Outline; len(o) != 32 || o[0].X <= p.Areas[0].X || p.Areas[0].X != 5322 {
		t.Errorf("outline of %d corners around %d", len(o), p.Areas[0].X)
	}
}
