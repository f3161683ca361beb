package eventfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/pass"
	"github.com/catraca/catraca/transport/seating"
)

// now of every test: 2027-09-01 12:00 UTC.
func now() time.Time { return time.Date(2027, 9, 1, 12, 0, 0, 0, time.UTC) }

// standing is a small right file; tests change it.
const standing = `slug: baile
name: Baile da Lua
venue: Clube da Lua
starts_at: 2027-11-20T22:00:00-03:00
opens_at: 2027-11-01T12:00:00-03:00
categories:
  pista: {price: 90}
  camarote: {name: Camarote, price: 240.5, fee: "24.00", color: "#00ff00"}
areas:
  - {name: Pista, category: pista, capacity: 3000}
  - {name: Norte, category: camarote, capacity: 150}
`

func read(t *testing.T, text string, plan []byte) (*sale.Config, *seating.Report, error) {
	t.Helper()
	f, err := Parse("event.yaml", []byte(text))
	if err != nil {
		return nil, nil, err
	}
	return f.Config(now(), plan)
}

func must(t *testing.T, text string) *sale.Config {
	t.Helper()
	c, _, err := read(t, text, nil)
	if err != nil {
		t.Fatal(detail(err))
	}
	return c
}

func detail(err error) string {
	var d interface{ Detail() string }
	if errors.As(err, &d) {
		return d.Detail()
	}
	return err.Error()
}

func TestStanding(t *testing.T) {
	c := must(t, standing)
	if c.Currency != "BRL" || c.TimeZone != "America/Sao_Paulo" || c.Rehearsal || c.Event != 0 {
		t.Errorf("got %+v", c)
	}
	if c.LobbyAt != now().UnixMilli() || c.ClosesAt != c.StartsAt || c.OpensAt != time.Date(2027, 11, 1, 15, 0, 0, 0, time.UTC).UnixMilli() {
		t.Errorf("lobby %d opens %d closes %d", c.LobbyAt, c.OpensAt, c.ClosesAt)
	}
	p := c.Plan
	if len(p.Seats) != 0 || len(p.Areas) != 2 || p.Areas[0].Capacity != 3000 || p.Areas[1].Label != "Norte" {
		t.Errorf("areas %+v", p.Areas)
	}
	for _, want := range []struct {
		name, color string
		price, fee  int64
	}{{"Camarote", "#00ff00", 24050, 2400}, {"pista", "#4a6fa5", 9000, 0}} {
		found := false
		for _, k := range p.Categories {
			found = found || k.Name == want.name && k.Color == want.color && k.Price == want.price && k.Fee == want.fee
		}
		if !found {
			t.Errorf("no category %+v in %+v", want, p.Categories)
		}
	}
}

func TestRefuses(t *testing.T) {
	seated := strings.Replace(standing[:strings.Index(standing, "areas:")], "venue", "plan: club\nvenue", 1)
	tests := []struct{ name, from, to, want string }{
		{"no slug", "slug: baile\n", "", "slug: \"\", allowed are 1 to 64"},
		{"slug", "slug: baile", "slug: Baile da Lua", "event.yaml:1:7: slug: \"Baile da Lua\", allowed are 1 to 64 of a-z, 0-9 and -\n  slug: Baile da Lua\n        ^"},
		{"no name", "name: Baile da Lua\n", "", "name: has 0 bytes, allowed are 1 to 200"},
		{"long venue", "Clube da Lua", strings.Repeat("x", 201), "venue: has 201 bytes"},
		{"no start", "starts_at: 2027-11-20T22:00:00-03:00\n", "", "starts_at: is needed"},
		{"no opening", "opens_at: 2027-11-01T12:00:00-03:00\n", "", "opens_at: is needed"},
		{"time without a zone", "2027-11-20T22:00:00-03:00", "2027-11-20T22:00:00", "starts_at: \"2027-11-20T22:00:00\", allowed is a time with its zone like"},
		{"date alone", "2027-11-20T22:00:00-03:00", "2027-11-20", "starts_at: \"2027-11-20\", allowed is a time with its zone"},
		{"relative in earnest", "2027-11-20T22:00:00-03:00", "now+3h", "starts_at: \"now+3h\" is for rehearsals only"},
		{"relative backwards", "starts_at: 2027-11-20T22:00:00-03:00", "rehearsal: true\nstarts_at: now-3h", "starts_at: \"now-3h\", allowed is now+ and a duration"},
		{"relative without plus", "starts_at: 2027-11-20T22:00:00-03:00", "rehearsal: true\nstarts_at: now3h", "starts_at: \"now3h\", allowed is now+"},
		{"before time", "2027-11-20T22:00:00-03:00", "1969-01-01T00:00:00Z", "allowed are times from 1970 to 3084"},
		{"lobby too late", "slug:", "lobby_at: 2027-11-02T00:00:00Z\nslug:", "lobby_at: is after opens_at"},
		{"closes too early", "slug:", "closes_at: 2027-10-02T00:00:00Z\nslug:", "closes_at: is not after opens_at"},
		{"starts before it opens", "2027-11-20", "2027-10-20", "starts_at: is not after opens_at"},
		{"zone", "slug:", "time_zone: Recife\nslug:", "time_zone: \"Recife\", allowed is an IANA name"},
		{"local zone", "slug:", "time_zone: Local\nslug:", "time_zone: \"Local\", allowed is an IANA name"},
		{"currency in small letters", "slug:", "currency: brl\nslug:", "currency: \"brl\", allowed are three capital letters"},
		{"no such currency", "slug:", "currency: QQQ\nslug:", "currency: \"QQQ\" is no currency"},
		{"odd currency", "slug:", "currency: KWD\nslug:", "currency: KWD cannot be sold in"},
		{"orphan", "slug:", "orphan: never\nslug:", "orphan: \"never\", allowed are avoid, strict and ignore"},
		{"no categories", standing[strings.Index(standing, "categories:"):strings.Index(standing, "areas:")], "", "categories: is needed"},
		{"no price", "{price: 90}", "{fee: 90}", "categories.pista.price: is needed"},
		{"free", "{price: 90}", "{price: 0}", "categories.pista.price: is 0"},
		{"price", "{price: 90}", "{price: 90.505}", "event.yaml:7:18: categories.pista.price: \"90.505\", allowed is an amount like 120 or 120.50, with at most 2 decimals"},
		{"decimals of a whole currency", "slug:", "currency: CLP\nslug:", "categories.camarote.price: \"240.5\", allowed is a whole amount"},
		{"fee", "fee: \"24.00\"", "fee: -1", "categories.camarote.fee: \"-1\", allowed is an amount"},
		{"too dear", "{price: 90}", "{price: 99999999999}", "categories.pista.price: with its fee is more than a place may cost"},
		{"color", "#00ff00", "green", "categories.camarote.color: \"green\", allowed is #rrggbb"},
		{"category name", "name: Camarote", "name: " + strings.Repeat("x", 201), "categories.camarote.name: has 201 bytes"},
		{"no areas", standing[strings.Index(standing, "areas:"):], "", "plan: is needed: a seating plan's file, a built-in sample (racetrack, stadium, club), or areas"},
		{"rekey without a plan", "slug:", "rekey: true\nslug:", "rekey: counts only with a plan"},
		{"area of nothing", "category: pista", "category: piste", "event.yaml:10:29: areas[0].category: \"piste\" is none of the categories"},
		{"area without a name", "name: Norte", "name: ''", "areas[1].name: has 0 bytes"},
		{"areas of one name", "name: Norte", "name: Pista", "areas[1].name: \"Pista\" is the name of another area too"},
		{"empty area", "capacity: 150", "capacity: 0", "areas[1].capacity: 0, allowed are 1 to 1000000"},
		{"huge area", "capacity: 150", "capacity: 1000001", "areas[1].capacity: 1000001, allowed are"},
		{"never sold", "category: camarote", "category: pista", "categories.camarote: is in no area"},
		{"too many areas", "areas:\n", "areas:\n" + strings.Repeat("  - {name: x, category: pista, capacity: 1}\n", 100), "areas: 102 of them, allowed are at most 100"},
		{"areas beside a plan", "slug:", "plan: club\nslug:", "areas: are in the plan already"},
		{"rate", "slug:", "queue: {rate_per_minute: 60000001}\nslug:", "queue.rate_per_minute: 60000001, allowed are 1 to 60000000"},
		{"claim", "slug:", "queue: {claim: 10ms}\nslug:", "event.yaml:1:16: queue.claim: 10ms, allowed are 1s to 168h"},
		{"negative lease", "slug:", "queue: {lease: -10m}\nslug:", "queue.lease: -10m0s, allowed are 1s to 168h"},
		{"lease cap", "slug:", "queue: {lease: 20m, lease_cap: 10m}\nslug:", "queue.lease_cap: 10m0s is shorter than queue.lease, 20m0s"},
		{"per hold", "slug:", "limits: {per_hold: 101}\nslug:", "limits.per_hold: 101, allowed are 1 to 100"},
		{"attempts", "slug:", "limits: {attempts: 51}\nslug:", "limits.attempts: 51, allowed are 1 to 50"},
		{"hold", "slug:", "times: {hold: 25h}\nslug:", "times.hold: 25h0m0s, allowed are 1s to 24h"},
		{"hold cap", "slug:", "times: {hold_cap: 5m}\nslug:", "times.hold_cap: times.hold_cap 5m0s is shorter than times.hold 10m0s"},
		{"hold beyond the cap", "slug:", "times: {hold: 1h}\nslug:", "times.hold: times.hold_cap 30m0s is shorter than times.hold 1h0m0s"},
		{"unknown key", "slug:", "price: 7\nslug:", `unknown key "price"`},
		{"unknown key of a category", "{price: 90}", "{prise: 90}", `unknown key "categories.pista.prise", did you mean "categories.pista.price"?`},
		{"no such sample", "seated", "plan: arena", `plan: "arena" is no built-in sample (racetrack, stadium, club), and no file came with it`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(standing, tt.from, tt.to, 1)
			if tt.from == "seated" {
				text = strings.Replace(seated, "plan: club", tt.to, 1)
			} else if text == standing {
				t.Fatalf("%q is not in the file", tt.from)
			}
			_, _, err := read(t, text, nil)
			var refused *RefusedError
			if !errors.As(err, &refused) {
				t.Fatalf("error = %v", err)
			}
			if got := refused.Detail(); !strings.Contains(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if f := refused.Fields(); len(f) == 0 || f[0].Detail == "" {
				t.Errorf("fields %+v", f)
			}
		})
	}
}

// TestRefusesEverythingAtOnce has mistakes in the file and in the plan.
func TestRefusesEverythingAtOnce(t *testing.T) {
	_, report, err := read(t, `slug: É
name: Estádio
starts_at: now+1h
opens_at: 2027-11-01T12:00:00-03:00
plan: stadium
categories:
  Category I: {price: 10}
  Category II: {price: dez}
queue: {claim: 1ms}
`, nil)
	var refused *RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("error = %v", err)
	}
	paths := ""
	for _, e := range refused.File {
		paths += " " + e.Path
	}
	if want := " venue slug starts_at categories.Category II.price queue.claim"; paths != want {
		t.Errorf("mistakes at%s, want%s", paths, want)
	}
	codes := map[string]int{}
	for _, d := range refused.Plan.Defects {
		codes[d.Code]++
	}
	if codes[seating.CodeDuplicateKey] == 0 || codes[seating.CodeNoPrice] != 2 {
		t.Errorf("defects %v", codes)
	}
	if !strings.Contains(err.Error(), "mistakes, the first: event.yaml: venue:") || strings.Contains(err.Error(), "\n") {
		t.Errorf("one line: %q", err)
	}
	shown := refused.Detail()
	for _, d := range refused.Plan.Defects {
		if d.Fatal && !strings.Contains(shown, d.Path) {
			t.Errorf("%s is not shown", d.Path)
		}
	}
	fields := refused.Fields()
	if len(fields) != len(refused.File)+report.Fatal() || fields[4].Pointer != "/queue/claim" || !strings.HasPrefix(fields[len(fields)-1].Pointer, "/plan/") {
		t.Errorf("%d fields, the last %+v", len(fields), fields[len(fields)-1])
	}
	if _, ok := errors.AsType[*seating.DefectError](err); !ok {
		t.Error("the plan's own error is lost")
	}
}

func TestPlanFromOutside(t *testing.T) {
	text := strings.Replace(standing[:strings.Index(standing, "categories:")], "slug", "plan: my-plan.json\nslug", 1) +
		"categories:\n  \"9\": {name: Mesa, price: 60, color: '#ABCDEF'}\n  Cat2: {price: 80}\n  string11: {price: 45.50}\n"
	plan, err := seating.Sample("club")
	if err != nil {
		t.Fatal(err)
	}
	c, report, err := read(t, text, plan)
	if err != nil {
		t.Fatal(detail(err))
	}
	if report.Seats != 32 || report.Areas != 2 || c.Plan.Categories[0].Name != "Mesa" || c.Plan.Categories[0].Color != "#ABCDEF" ||
		c.Plan.Categories[1].Price != 8000 || c.Plan.Categories[2].Price != 4550 {
		t.Errorf("%+v %+v", report, c.Plan.Categories)
	}
	_, report, err = read(t, text, []byte(`{"zones": [`))
	var refused *RefusedError
	if !errors.As(err, &refused) || report == nil || refused.Plan == nil || !strings.Contains(refused.Error(), "not a JSON document") {
		t.Errorf("a broken plan: %v", err)
	}
}

func TestAmounts(t *testing.T) {
	for _, tt := range []struct {
		in     string
		digits int
		want   int64 // -1: refused
	}{
		{"120", 2, 12000}, {"120.5", 2, 12050}, {"120.50", 2, 12050}, {"0.01", 2, 1}, {"0", 2, 0}, {"007", 2, 700}, {"120", 0, 120},
		{"999999999999", 2, 99999999999900},
		{"", 2, -1}, {".5", 2, -1}, {"5.", 2, -1}, {"1.234", 2, -1}, {"120.0", 0, -1}, {"1,50", 2, -1}, {"1_000", 2, -1}, {"1 000", 2, -1},
		{"-1", 2, -1}, {"+1", 2, -1}, {"1e3", 2, -1}, {"0x10", 2, -1}, {"1.2.3", 2, -1}, {"R$ 5", 2, -1}, {"9999999999999", 2, -1}, {"١٢", 2, -1},
	} {
		got, err := Amount(tt.in).minor(tt.digits)
		if err != nil {
			got = -1
		}
		if got != tt.want {
			t.Errorf("%q with %d decimals is %d (%v), want %d", tt.in, tt.digits, got, err, tt.want)
		}
	}
}

// TestAmountsAsWritten reads amounts in every way YAML writes them.
func TestAmountsAsWritten(t *testing.T) {
	for _, in := range []string{"12.30", "12.3", "'12.30'", `"12.30"`, "12.30 # with tax", "12.300"} {
		c, _, err := read(t, strings.Replace(standing, "pista: {price: 90}", "pista:\n    price: "+in, 1), nil)
		if in == "12.300" {
			if err == nil {
				t.Errorf("%s was read", in)
			}
			continue
		}
		if err != nil {
			t.Fatal(detail(err))
		}
		if got := c.Plan.Categories[1].Price; got != 1230 {
			t.Errorf("%s is %d", in, got)
		}
	}
}

// TestDecimalsAgree holds the decimals of every currency to those by which prices are shown.
func TestDecimalsAgree(t *testing.T) {
	n := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				code := string([]rune{a, b, c})
				digits, err := decimals(code)
				if err != nil {
					continue
				}
				n++
				shown := pass.FormatMoney(1, code, "en")
				_, fraction, _ := strings.Cut(shown, ".")
				if len(fraction) != digits {
					t.Errorf("%s is read with %d decimals and shown as %s", code, digits, shown)
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d currencies are known", n)
	}
}

func TestInstants(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"now", "2027-09-01T12:00:00Z"}, {"now+20s", "2027-09-01T12:00:20Z"}, {"now+1h30m", "2027-09-01T13:30:00Z"},
		{"2027-12-12T20:00:00-03:00", "2027-12-12T23:00:00Z"}, {"2027-12-12T20:00:00.250Z", "2027-12-12T20:00:00.25Z"},
		{"now+", ""}, {"now+x", ""}, {"now+-5s", ""}, {"nower", ""}, {"tomorrow", ""}, {"2027-12-12 20:00", ""}, {"9999-01-01T00:00:00Z", ""},
	} {
		at, err := Instant(tt.in).resolve(now())
		got := ""
		if err == nil {
			got = at.UTC().Format(time.RFC3339Nano)
		}
		if got != tt.want {
			t.Errorf("%q is %q (%v), want %q", tt.in, got, err, tt.want)
		}
	}
}

// TestAmountsRoundTrip writes amounts as people do and reads them.
func TestAmountsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cents := rapid.Int64Range(0, 99_999_999_999_999).Draw(t, "cents")
		text := strings.ReplaceAll(strings.TrimPrefix(pass.FormatMoney(cents, "BRL", "en"), "R$"), ",", "")
		if got, err := Amount(text).minor(2); err != nil || got != cents {
			t.Errorf("%s is %d (%v)", text, got, err)
		}
	})
}

// TestDocumentation reads every example of docs/EVENT-FILE.md.
func TestDocumentation(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "EVENT-FILE.md"))
	if err != nil {
		t.Fatal(err)
	}
	var sales []*sale.Config
	for _, part := range strings.Split(string(data), "\n```")[1:] {
		kind, text, _ := strings.Cut(part, "\n")
		if kind != "yaml" && kind != "json" {
			continue
		}
		sales = append(sales, must(t, text))
		if kind != "yaml" || len(sales) > 1 {
			continue
		}
		// The values of the first example are the defaults.
		short := text[:strings.Index(text, "queue:")]
		if d := cmp.Diff(sales[0], must(t, short)); d != "" {
			t.Errorf("not the defaults: %s", d)
		}
	}
	if len(sales) != 3 || len(sales[0].Plan.Seats) != 8897 || len(sales[1].Plan.Areas) != 3 || len(sales[2].Plan.Seats) != 32 {
		t.Errorf("%d examples", len(sales))
	}
}
