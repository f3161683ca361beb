package page

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func loaded(t testing.TB) *bundle {
	t.Helper()
	b, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var argument = regexp.MustCompile(`\{\w+\}`)

// TestTextsAreWholeInEveryLanguage: the same keys, the same kind, the same arguments, nothing empty.
func TestTextsAreWholeInEveryLanguage(t *testing.T) {
	b := loaded(t)
	first := b.tongues[tags()[0]]
	for _, l := range b.tongues {
		for key, p := range first.texts {
			q, ok := l.texts[key]
			if !ok {
				t.Errorf("%s: %s is missing", l.tag, key)
				continue
			}
			if (p.forms == nil) != (q.forms == nil) {
				t.Errorf("%s: %s is a plural in one language and not in the other", l.tag, key)
			}
			if got, want := arguments(q), arguments(p); !slices.Equal(got, want) {
				t.Errorf("%s: %s has the arguments %v, want %v", l.tag, key, got, want)
			}
			if q.forms == nil && strings.TrimSpace(q.plain) == "" {
				t.Errorf("%s: %s is empty", l.tag, key)
			}
		}
		for key := range l.texts {
			if !first.Has(key) {
				t.Errorf("%s: %s is not in %s", l.tag, key, first.tag)
			}
		}
	}
}

// arguments are the names in all forms of a text.
func arguments(p phrase) []string {
	all := p.plain
	for _, f := range p.forms {
		all += f
	}
	list := argument.FindAllString(all, -1)
	slices.Sort(list)
	return slices.Compact(list)
}

// TestTextsAreUsed finds keys that nothing names, and names that are no key.
func TestTextsAreUsed(t *testing.T) {
	b := loaded(t)
	l := b.tongues["pt-BR"]
	used := map[string]bool{}
	families := []string{"problem.", "decline.", "queue.title.", "checkout.title.", "order.title."}
	named := []*regexp.Regexp{
		regexp.MustCompile(`\bt "([a-z0-9_.]+)"`), regexp.MustCompile(`\bt\("([a-z0-9_.]+)"`), regexp.MustCompile(`"(seat\.[a-z]+)"`),
		regexp.MustCompile(`\.T\("([a-z0-9_.]+)"`), regexp.MustCompile(`\.list\("([a-z]+)"`),
	}
	family := regexp.MustCompile(`(?:join|\bt\(|\bhas\() ?"([a-z_.]+\.)"`)
	for _, dir := range []string{".", "files/html", "files/js"} {
		for file, text := range sources(t, dir) {
			for _, m := range family.FindAllStringSubmatch(text, -1) {
				families = append(families, m[1])
			}
			for _, re := range named {
				for _, m := range re.FindAllStringSubmatch(text, -1) {
					key := strings.TrimSuffix(m[1], ".")
					if !l.Has(m[1]) && !slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(key+".", f) }) {
						t.Errorf("%s names the text %q, which is not there", file, m[1])
					}
					used[m[1]] = true
				}
			}
		}
	}
	for key := range l.texts {
		if !used[key] && !slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(key, f) }) {
			t.Errorf("nothing uses the text %q", key)
		}
	}
}

// sources are the texts of a directory's Go, HTML or JavaScript files, tests left out.
func sources(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && p != "." {
			return fs.SkipDir
		}
		if !d.IsDir() && !strings.HasSuffix(p, "_test.go") && (strings.HasSuffix(p, ".go") || strings.HasSuffix(p, ".html") || strings.HasSuffix(p, ".js")) {
			raw, err := fs.ReadFile(os.DirFS(dir), p)
			out[dir+"/"+p] = string(raw)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestFamiliesAreComplete: each value the API may send has its text.
func TestFamiliesAreComplete(t *testing.T) {
	l := loaded(t).tongues["pt-BR"]
	for family, values := range map[string][]string{
		"phase.":          {"scheduled", "lobby", "open", "paused", "closed"},
		"chance.":         {"", "likely", "uncertain", "unlikely"},
		"queue.title.":    {"waiting", "offered", "shopping", "parked", "done", "left", "removed", "none", "early", "closed"},
		"checkout.title.": {"choose", "pix", "action", "confirming"},
		"order.title.":    {"paid", "fulfilled", "expired", "canceled", "refunding", "refunded"},
		"order.body.":     {"paid", "fulfilled", "expired", "canceled", "refunding", "refunded"},
		"order.state.":    {"awaiting", "committed", "paid", "fulfilled", "expired", "canceled", "refunding", "refunded"},
		"pay.":            {"card", "card_note", "pix", "pix_note"},
		"net.":            {"live", "connecting", "offline", "poll", "moving", "stopped", "still"},
	} {
		for _, v := range values {
			if !l.Has(family + v) {
				t.Errorf("text %s%s is missing", family, v)
			}
		}
	}
	for _, c := range codes() {
		if !l.Has("problem."+c+".title") || !l.Has("problem."+c+".body") {
			t.Errorf("problem %s has no help page", c)
		}
	}
}

func TestPlural(t *testing.T) {
	b := loaded(t)
	for _, c := range []struct {
		tag  string
		n    int64
		want string
	}{
		{"pt-BR", 0, "one"}, {"pt-BR", 1, "one"}, {"pt-BR", 2, "other"}, {"pt-BR", 1_000_000, "many"}, {"pt-BR", 1_000_001, "other"},
		{"en", 0, "other"}, {"en", 1, "one"}, {"en", 2, "other"}, {"en", 1_000_000, "other"},
		{"es", 0, "other"}, {"es", 1, "one"}, {"es", 2_000_000, "many"},
	} {
		if got := b.tongues[c.tag].plural(c.n); got != c.want {
			t.Errorf("%s %d is %s, want %s", c.tag, c.n, got, c.want)
		}
	}
}

func TestFormats(t *testing.T) {
	b := loaded(t)
	pt, en, es := b.tongues["pt-BR"], b.tongues["en"], b.tongues["es"]
	at := instant{}
	if err := at.UnmarshalJSON([]byte(`"2027-03-14T00:00:00.000Z"`)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want string }{
		{pt.Money(money{123450, "BRL"}), "R$\u00a01.234,50"},
		{en.Money(money{123450, "BRL"}), "R$1,234.50"},
		{es.Money(money{5, "EUR"}), "€\u00a00,05"},
		{en.Money(money{-123, "CHF"}), "-CHF\u00a01.23"},
		{pt.Number(1234567), "1.234.567"},
		{en.Number(-1000), "-1,000"},
		{pt.Number(999), "999"},
		{pt.Day(at, "America/Recife"), "sábado, 13 de março de 2027"},
		{en.Day(at, "America/Recife"), "Saturday 13 March 2027"},
		{es.Day(at, "Nowhere/Atlantis"), "domingo 14 de marzo de 2027"},
		{pt.Clock(at, "America/Recife"), "21:00"},
		{pt.Clock(instant{}, "America/Recife"), ""},
		{Clockface(95e9), "1:35"},
		{Clockface(3725e9), "1:02:05"},
		{Clockface(-1), "0:00"},
		{pt.Span(40e9), "40 s"},
		{pt.Span(600e9), "10 min"},
		{pt.Span(7500e9), "2 h 5 min"},
		{pt.Span(100000e9), "1 d 3 h"},
		{pt.T("queue.say_ahead", "n", 1), "Falta 1 pessoa na sua frente."},
		{pt.T("queue.say_ahead", "n", 4538), "Faltam 4.538 pessoas na sua frente."},
		{pt.T("queue.say_ahead", "n", 2_000_000), "Faltam 2.000.000 de pessoas na sua frente."},
		{en.T("no.such.key"), "⟦no.such.key⟧"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// waits are estimates with what a fan reads; the scripts are held to the same table.
var waits = []struct {
	e    *eta
	want string
}{
	{nil, "Calculando…"},
	{&eta{OverHour: true}, "Mais de 1 hora"},
	{&eta{LoMs: 5_000, HiMs: 50_000}, "Menos de 1 min"},
	{&eta{LoMs: 5_000, HiMs: 150_000}, "Até 3 min"},
	{&eta{LoMs: 120_000, HiMs: 119_000}, "Cerca de 2 min"},
	{&eta{LoMs: 660_000, HiMs: 1_080_000}, "11 a 18 min"},
}

func TestWait(t *testing.T) {
	l := loaded(t).tongues["pt-BR"]
	for _, c := range waits {
		if got := l.Wait(c.e); got != c.want {
			t.Errorf("%+v is %q, want %q", c.e, got, c.want)
		}
	}
}
