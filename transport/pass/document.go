package pass

import (
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
)

// maxLine bounds a line of foreign text (a name, a venue) in runes. Longer ones end in an ellipsis.
const maxLine = 200

// Document is one ticket as printed.
type Document struct {
	Event    string
	Venue    string
	StartsAt time.Time
	TimeZone string // IANA name of the venue's zone

	Section string
	Row     string // empty in an area
	Seat    string // empty in an area
	Area    string // set instead of Row and Seat
	Number  uint32 // place within the area, 1..n

	Category string
	Color    string // of the category, "#rrggbb"; anything else is the house's colour
	Price    Money
	Fee      Money

	Holder    string
	Order     string // public reference, "o1-5"
	Ticket    string // public reference, "t1-42"
	Code      string // from Keyring.Sign
	IssuedAt  time.Time
	Lang      string
	Rehearsal bool // prints a warning that it opens no gate
}

// Place says where the ticket's holder sits or stands, on one line: "Setor 3, Fila A, Assento 12".
func (d Document) Place() string {
	words := textsFor(d.Lang)
	var parts []string
	for _, f := range d.placeFields(words) {
		parts = append(parts, f.label+" "+f.value)
	}
	return strings.Join(parts, ", ")
}

// field is a labelled value.
type field struct{ label, value string }

// placeFields are what finds the place, from the large to the small; empty ones are left out.
func (d Document) placeFields(words *texts) []field {
	all := []field{{words.Section, d.Section}, {words.Row, d.Row}, {words.Seat, d.Seat}}
	if d.Area != "" {
		all = []field{{words.Area, d.Area}, {words.Place, decimals(uint64(d.Number), 0, "", "")}}
		if d.Number == 0 {
			all = all[:1]
		}
	}
	var out []field
	for _, f := range all {
		if f.value = line(f.value); f.value != "" {
			out = append(out, f)
		}
	}
	return out
}

// line makes foreign text fit for one line: valid UTF-8 in composed form, every run of white space and control
// characters one space, no direction marks, at most maxLine runes.
func line(s string) string {
	s = norm.NFC.String(strings.ToValidUTF8(s, "?"))
	var b strings.Builder
	count, space := 0, false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			space = b.Len() > 0
			continue
		case unicode.Is(unicode.Cf, r):
			continue
		}
		if count >= maxLine {
			b.WriteRune('…')
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
		count++
	}
	return b.String()
}

// printable is line with everything replaced that the embedded fonts have no picture for: by the letter without
// its marks when there is one, else by a question mark.
func printable(s string) string {
	var b strings.Builder
	for _, r := range line(s) {
		b.WriteRune(glyphFor(r))
	}
	return b.String()
}

func glyphFor(r rune) rune {
	if hasGlyph(r) {
		return r
	}
	if base, _ := utf8.DecodeRuneInString(norm.NFKD.String(string(r))); base != r && hasGlyph(base) {
		return base
	}
	return '?'
}

// printFont is the font whose repertoire all weights of the family share.
var printFont = sync.OnceValue(func() *sfnt.Font {
	f, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		panic("parse embedded font: " + err.Error())
	}
	return f
})

func hasGlyph(r rune) bool {
	if r > 0xFFFF { // the PDF writer addresses glyphs by 16 bits
		return false
	}
	var buf sfnt.Buffer
	i, err := printFont().GlyphIndex(&buf, r)
	return err == nil && i != 0
}
