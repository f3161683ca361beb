package page

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestPlanPicture(t *testing.T) {
	w := newWorld()
	h := open(t, w, Options{})
	for range 3 {
		r := fetch(t, h, "/e/aurora/plan/0a1b2c3d.svg", false, "en")
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
			t.Fatalf("picture: %d %v", r.StatusCode, r.Header)
		}
		if n := wire(t, r); n > 12<<10 {
			t.Errorf("picture is %d bytes compressed, want at most 12 KB", n)
		}
	}
	if n := strings.Count(strings.Join(w.calls, "\n"), "plan/"); n != 1 {
		t.Errorf("the plan was fetched %d times, want once", n)
	}
	for _, path := range []string{"/e/aurora/plan/x.json", "/e/aurora/plan/a%2fb.svg", "/e/a%20b/plan/x.svg"} {
		if got := fetch(t, h, path, false, "en").StatusCode; got != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, got)
		}
	}
}

// TestSqueeze holds the picture to the same rule as the map; testdata/rules.js has the other half.
func TestSqueeze(t *testing.T) {
	f := closer([][2]float64{{98, 100}, {0, 2}})
	for x, want := range map[float64]float64{0: 0, 2: 2, 50: 2.2, 98: 2.4, 100: 4.4} {
		if got := math.Round(f(x)*10) / 10; got != want {
			t.Errorf("%v becomes %v, want %v", x, got, want)
		}
	}
	p := buildArena()
	before := slices.Clone(p.Seats.X)
	p.squeeze()
	if !slices.Equal(before, p.Seats.X) {
		t.Error("a plan without wide gaps is changed")
	}
}

// FuzzPlan shows that no plan makes the picture or the list fail, and that the picture is well-formed whatever the
// labels are.
func FuzzPlan(f *testing.F) {
	for _, s := range []string{
		`{}`,
		`{"sections":[{"label":"<A&"}],"rows":[{"section":0,"first":0,"count":2}],"seats":{"x":[1,2],"y":[1,1],"label":["1","2"],"category":[0,9],"flags":[0,1]}}`,
		`{"sections":[{}],"rows":[{"section":0,"first":0,"count":3}],"seats":{"x":[5,5,5],"y":[5,5,5],"label":["","",""],"category":[-1,0,1],"flags":[0,0,0]}}`,
		`{"sections":[{}],"areas":[{"section":0,"category":7,"x":1e300,"y":-1e300,"outline":[[0,0],[1,1],[2,0]],"label":"\u0000"}]}`,
		`{"sections":[],"rows":[{"section":0}]}`,
		`{"seats":{"x":[1]}}`,
		`{"categories":[{"id":0,"color":"red\"/><script>"}],"sections":[{}],"rows":[{"section":0,"first":0,"count":1}],"seats":{"x":[1],"y":[1],"label":["1"],"category":[0],"flags":[0]}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := &plan{}
		if json.Unmarshal([]byte(s), p) != nil || p.check() != nil {
			return
		}
		p.squeeze()
		d := xml.NewDecoder(strings.NewReader(string(p.picture())))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("picture is not well-formed: %v", err)
			}
		}
		if len(p.Sections) > 0 {
			p.openSection(0, strings.Repeat("f", len(p.Seats.X)), map[int]category{})
		}
	})
}
