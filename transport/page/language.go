package page

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

// tags are the languages of the pages, the first is the fallback.
func tags() [3]string { return [3]string{"pt-BR", "en", "es"} }

// tongue is one language: its texts and how it writes numbers. Immutable after loading.
type tongue struct {
	tag            string
	texts          map[string]phrase
	group, decimal string
}

// phrase is one text, or one form per plural category (one, many, other).
type phrase struct {
	plain string
	forms map[string]string
}

// UnmarshalJSON takes a string, or an object of plural forms that has at least "other".
func (p *phrase) UnmarshalJSON(b []byte) error {
	if err := json.Unmarshal(b, &p.plain); err == nil {
		return nil
	}
	if err := json.Unmarshal(b, &p.forms); err != nil {
		return fmt.Errorf("read text: want a string or plural forms: %w", err)
	}
	for form := range p.forms {
		if form != "one" && form != "many" && form != "other" {
			return fmt.Errorf("read text: plural form %q, allowed are one, many, other", form)
		}
	}
	if p.forms["other"] == "" {
		return fmt.Errorf("read text: plural form other is missing")
	}
	return nil
}

// MarshalJSON is what the scripts get.
func (p phrase) MarshalJSON() ([]byte, error) {
	if p.forms != nil {
		return json.Marshal(p.forms)
	}
	return json.Marshal(p.plain)
}

func loadTongue(files fs.FS, tag string) (*tongue, error) {
	raw, err := fs.ReadFile(files, "text/"+tag+".json")
	if err != nil {
		return nil, fmt.Errorf("read texts: %w", err)
	}
	l := &tongue{tag: tag, group: ".", decimal: ","}
	if tag == "en" {
		l.group, l.decimal = ",", "."
	}
	if err := json.Unmarshal(raw, &l.texts); err != nil {
		return nil, fmt.Errorf("read texts of %s: %w", tag, err)
	}
	return l, nil
}

// plural is the CLDR cardinal category of a whole number.
func (l *tongue) plural(n int64) string {
	if n < 0 {
		n = -n
	}
	switch {
	case n == 1, n == 0 && l.tag == "pt-BR":
		return "one"
	case n != 0 && n%1_000_000 == 0 && l.tag != "en":
		return "many"
	}
	return "other"
}

// T gives the text of key. Arguments come in pairs, name and value; {name} in the text is replaced. Whole numbers
// are written in the language's way, and the one called n chooses the plural form. A missing key shows as ⟦key⟧.
func (l *tongue) T(key string, args ...any) string {
	p, ok := l.texts[key]
	if !ok {
		return "⟦" + key + "⟧"
	}
	text, pairs := p.plain, make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		name, _ := args[i].(string)
		value, number, whole := l.argument(args[i+1])
		if p.forms != nil && name == "n" && whole {
			if text = p.forms[l.plural(number)]; text == "" {
				text = p.forms["other"]
			}
		}
		pairs = append(pairs, "{"+name+"}", value)
	}
	if text == "" {
		text = p.forms["other"]
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func (l *tongue) argument(v any) (text string, number int64, whole bool) {
	switch v := v.(type) {
	case int:
		return l.Number(int64(v)), int64(v), true
	case int64:
		return l.Number(v), v, true
	case string:
		return v, 0, false
	}
	return fmt.Sprint(v), 0, false
}

// Has says whether there is a text for key.
func (l *tongue) Has(key string) bool { _, ok := l.texts[key]; return ok }

// Number writes a whole number with the language's thousands separator.
func (l *tongue) Number(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + l.group + s[i:]
	}
	return sign + s
}

// pickTag chooses the language of a visit: the account's, else the lang cookie's, else the browser's wish.
func pickTag(r *http.Request, account string) string {
	wishes := []string{account}
	if c, err := r.Cookie("lang"); err == nil {
		wishes = append(wishes, c.Value)
	}
	for _, w := range wishes {
		for _, t := range tags() {
			if t == w {
				return t
			}
		}
	}
	header := r.Header.Get("Accept-Language")
	if len(header) > 512 {
		header = header[:512]
	}
	ts := tags()
	asked, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(asked) == 0 {
		return ts[0]
	}
	m := language.NewMatcher([]language.Tag{language.BrazilianPortuguese, language.English, language.Spanish})
	_, i, _ := m.Match(asked...)
	return ts[i]
}
