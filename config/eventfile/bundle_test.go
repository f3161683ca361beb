package eventfile

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/catraca/catraca/transport/seating"
)

func TestImport(t *testing.T) {
	plan, err := seating.Sample("club")
	if err != nil {
		t.Fatal(err)
	}
	file := "slug: c\nname: C\nvenue: V\nstarts_at: 2028-01-01T00:00:00Z\nopens_at: 2027-10-01T00:00:00Z\nplan: a/b.json\n" +
		"categories: {\"9\": {price: 1}, \"10\": {price: 2}, string11: {price: 3}}\n"
	body, err := json.Marshal(Bundle{Name: "c.yaml", File: file, Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	c, report, err := Import(now(), body, BundleType+"; charset=utf-8")
	if err != nil {
		t.Fatal(detail(err))
	}
	if r, ok := report.(*seating.Report); !ok || r.Seats != 32 || c.Slug != "c" {
		t.Errorf("%T %+v", report, report)
	}
	c, report, err = Import(now(), []byte(standing), "application/yaml")
	if err != nil || report != nil || len(c.Plan.Areas) != 2 {
		t.Errorf("%v %v", report, err)
	}
	for name, tt := range map[string]struct{ body, kind, want string }{
		"no bundle":    {"slug: c", BundleType, "the bundle is not JSON with name, file and plan"},
		"plan missing": {file, "", `plan: "a/b.json" is no built-in sample`},
		"empty bundle": {"{}", BundleType, "mistakes, the first: event.yaml: slug"},
		"name":         {`{"name":"x.yaml","file":"slug: [1]"}`, BundleType, "x.yaml:1:7: a list does not fit here"},
		"not YAML":     {"\x00\x01", "", "event.yaml"},
	} {
		_, report, err := Import(now(), []byte(tt.body), tt.kind)
		var refused *RefusedError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.want) || report != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(refused.Fields()) == 0 {
			t.Errorf("%s: no fields", name)
		}
	}
}

func TestPointers(t *testing.T) {
	for path, want := range map[string]string{
		"": "", "slug": "/slug", "areas[12].name": "/areas/12/name", "zones[0].rows[3].seats[2].seat_guid": "/zones/0/rows/3/seats/2/seat_guid",
		"categories.a/b~c": "/categories/a~1b~0c",
	} {
		if got := pointer(path); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}

// FuzzParse wants of every file that is read either a sale or a refusal that names something.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", standing, "slug: a\nplan: club\nrekey: true\ncategories: {a: {price: 1e5}}\n", "areas: [{}]\n", "categories: {a: }\n",
		"starts_at: now\nopens_at: now+1ns\nrehearsal: true\n", "queue: {claim: 9999999h, rate_per_minute: 4294967295}\n", "limits: {attempts: 300}\n"} {
		f.Add([]byte(s))
	}
	if doc, err := os.ReadFile("../../docs/EVENT-FILE.md"); err == nil {
		for _, part := range strings.Split(string(doc), "\n```")[1:] {
			_, text, _ := strings.Cut(part, "\n")
			f.Add([]byte(strings.Replace(text, "plan: racetrack", "plan: club", 1)))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Parse("event.yaml", b)
		if err == nil {
			if file.Plan == "racetrack" || file.Plan == "stadium" {
				return // right, and slow
			}
			c, _, cerr := file.Config(now(), nil)
			if cerr == nil {
				if c.Plan == nil || c.OpensAt >= c.ClosesAt {
					t.Fatalf("made %+v", c)
				}
				return
			}
			err = cerr
		}
		var refused *RefusedError
		if !errors.As(err, &refused) || refused.Detail() == "" || len(refused.Fields()) == 0 || strings.TrimSpace(refused.Error()) == "" {
			t.Fatalf("%T %v names nothing", err, err)
		}
	})
}
