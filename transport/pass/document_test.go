package pass

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	"github.com/ledongthuc/pdf"
	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"golang.org/x/image/font/gofont/gomonobold"
)

func testDocument(t testing.TB) Document {
	return Document{
		Event: "Aurora ao Vivo: Última Noite", Venue: "Arena do Morro, São Paulo",
		StartsAt: time.Date(2026, 12, 12, 23, 0, 0, 0, time.UTC), TimeZone: "America/Sao_Paulo",
		Section: "Cadeira Inferior 104", Row: "AA", Seat: "17",
		Category: "Inteira", Color: "#0b6e4f", Price: Money{12000, "BRL"}, Fee: Money{1800, "BRL"},
		Holder: "María José Conceição Muñoz", Order: "o1-5", Ticket: "t1-42",
		Code:     testKeyring(t, 1).Sign(Claims{Event: 1, Ticket: 42, Version: 1, Unit: 17, Number: 1}),
		IssuedAt: time.Date(2026, 11, 24, 15, 4, 5, 0, time.UTC), Lang: "pt-BR",
	}
}

func writePDF(t testing.TB, docs ...Document) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := PDF(&out, docs); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pdfPages(t *testing.T, data []byte) []string {
	t.Helper()
	r, err := pdf.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for n := 1; n <= r.NumPage(); n++ {
		text, err := r.Page(n).GetPlainText(nil)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, strings.ReplaceAll(text, nbsp, " "))
	}
	return pages
}

func TestPDFSaysEverythingInThreeLanguages(t *testing.T) {
	var docs []Document
	for _, lang := range Languages() {
		d := testDocument(t)
		d.Lang = lang
		docs = append(docs, d)
	}
	docs[1].Section, docs[1].Row, docs[1].Seat = "", "", ""
	docs[1].Area, docs[1].Number, docs[1].Rehearsal = "Pista Premium", 117, true
	data := writePDF(t, docs...)
	conf := model.NewDefaultConfiguration()
	conf.Offline = true
	if err := api.Validate(bytes.NewReader(data), conf); err != nil {
		t.Fatalf("not a valid PDF: %v", err)
	}
	pages := pdfPages(t, data)
	if len(pages) != 3 {
		t.Fatalf("%d pages, want 3", len(pages))
	}
	shared := []string{"Arena do Morro, São Paulo", "María José Conceição Muñoz", "t1-42", "o1-5", docs[0].Code[:72], docs[0].Code[72:]}
	for i, want := range [][]string{
		{"Ingresso 1 de 3", "Aurora ao Vivo: Última Noite", "sábado, 12 de dezembro de 2026, 20:00 (horário de Brasília)", "SETOR", "Cadeira Inferior 104", "AA", "17", "R$ 120,00", "Taxa de serviço", "R$ 138,00", "No portão"},
		{"Ticket 2 of 3", "REHEARSAL: not valid for entry", "8:00 PM (Brasília time)", "AREA", "Pista Premium", "117", "R$138.00", "At the gate"},
		{"Entrada 3 de 3", "12 de diciembre de 2026", "ASIENTO", "Gastos de gestión", "R$ 18,00", "Muestre el código"},
	} {
		for _, w := range append(want, shared...) {
			if !strings.Contains(pages[i], w) {
				t.Errorf("page %d does not say %q; it says %q", i+1, w, pages[i])
			}
		}
	}
	if strings.Contains(pages[0], "ENSAIO") {
		t.Error("a real ticket says that it is a rehearsal")
	}
}

func TestSameTicketSamePDF(t *testing.T) {
	d := testDocument(t)
	if !bytes.Equal(writePDF(t, d, d), writePDF(t, d, d)) {
		t.Error("two runs differ")
	}
	later := d
	later.Price.Amount++
	if bytes.Equal(writePDF(t, d), writePDF(t, later)) {
		t.Error("another price gives the same bytes")
	}
}

// The library that cuts the fonts down writes to what it was given, which must not be the fonts of the next.
func TestPDFLeavesTheFontsAlone(t *testing.T) {
	d := testDocument(t)
	before := sha256.Sum256(gomonobold.TTF)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := PDF(io.Discard, []Document{d}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if sha256.Sum256(gomonobold.TTF) != before {
		t.Error("writing a ticket changed the embedded font")
	}
}

// The printed symbol is read from the rendered page where poppler is installed.
func TestPrintedQRIsReadFromThePage(t *testing.T) {
	tool, err := exec.LookPath("pdftoppm")
	if err != nil {
		t.Skip("pdftoppm (poppler-utils) is not installed")
	}
	d := testDocument(t)
	cmd := exec.CommandContext(t.Context(), tool, "-r", "100", "-png", "-singlefile", "-")
	cmd.Stdin = bytes.NewReader(writePDF(t, d))
	page, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := scanPNG(t, page); got != d.Code {
		t.Errorf("scanned %q, want %q", got, d.Code)
	}
}

func TestPDFSurvivesForeignText(t *testing.T) {
	long := strings.Repeat("Nome muito comprido ", 60)
	var docs []Document
	for _, s := range []string{"", long, strings.Repeat("W", 500), "\x00\x1b[31m\xff\xfe", "演唱会 🎸 مرحبا", "a\u202eb", "(paren) \\ /", "e\u0301", "\uffff\ufffe", "ﬁn"} {
		d := testDocument(t)
		d.Event, d.Venue, d.Section, d.Row, d.Seat, d.Category, d.Holder, d.Order, d.Ticket = s, s, s, s, s, s, s, s, s
		d.Color, d.TimeZone, d.Lang = s, s, s
		docs = append(docs, d)
	}
	data := writePDF(t, docs...)
	conf := model.NewDefaultConfiguration()
	conf.Offline = true
	if err := api.Validate(bytes.NewReader(data), conf); err != nil {
		t.Error(err)
	}
	if pages := pdfPages(t, data); len(pages) != len(docs) || !strings.Contains(pages[6], "(paren) \\ /") {
		t.Errorf("%d pages, want %d", len(pages), len(docs))
	}
}

func FuzzPDF(f *testing.F) {
	f.Add("Aurora", "Arena", "#ffffff")
	f.Add("演唱会", "\xff", "#gggggg")
	f.Fuzz(func(t *testing.T, event, venue, color string) {
		d := testDocument(t)
		d.Event, d.Venue, d.Holder, d.Color = event, venue, venue, color
		if err := PDF(&bytes.Buffer{}, []Document{d}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPDFRefuses(t *testing.T) {
	d := testDocument(t)
	noCode := d
	noCode.Code = ""
	for _, c := range []struct {
		docs []Document
		want string
	}{
		{nil, "no tickets"},
		{make([]Document, MaxDocuments+1), "at most 100"},
		{[]Document{d, noCode}, "ticket 2"},
	} {
		if err := PDF(&bytes.Buffer{}, c.docs); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v; want an error with %q", err, c.want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"João":                   "João",
		"Joa\u0303o":             "João",
		"  a \t\n b  ":           "a b",
		"a\u202eb\u200bc":        "abc",
		"北 Ω Ж":                  "? Ω Ж",
		"ﬁ":                      "ﬁ",
		"Ệ":                      "E",
		"🎸 rock":                 "? rock",
		"\xff":                   "?",
		strings.Repeat("é", 300): strings.Repeat("é", maxLine) + "…",
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPlace(t *testing.T) {
	d := testDocument(t)
	if got, want := d.Place(), "Setor Cadeira Inferior 104, Fila AA, Assento 17"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	d.Area, d.Number, d.Lang = "Pista", 7, "en"
	if got, want := d.Place(), "Area Pista, Place 7"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCalendarParsesBack(t *testing.T) {
	d := EventDoc{
		UID: "o1-5@catraca.example", Name: "Aurora; ao vivo, " + strings.Repeat("ção ", 30) + "fim",
		Venue: "Arena, São Paulo", StartsAt: time.Date(2026, 12, 12, 20, 0, 0, 0, time.FixedZone("", -3*3600)),
		Order: "o1-5", Seats: []string{"Setor A, Fila 1\nAssento 2"}, URL: "https://x.example/o?a=1&b=2",
		IssuedAt: time.Date(2026, 11, 24, 15, 4, 5, 0, time.UTC), Lang: "pt",
	}
	var out, again bytes.Buffer
	if err := ICS(&out, d); err != nil {
		t.Fatal(err)
	}
	if err := ICS(&again, d); err != nil || !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Errorf("second run differs, %v", err)
	}
	for l := range strings.SplitSeq(strings.TrimSuffix(out.String(), "\r\n"), "\r\n") {
		if len(l) > 75 || !utf8.ValidString(l) || strings.ContainsAny(l, "\r\n") {
			t.Errorf("line %q: want at most 75 octets of UTF-8 ended by CRLF", l)
		}
	}
	cal, err := ics.ParseCalendar(&out)
	if err != nil || len(cal.Events()) != 1 {
		t.Fatalf("parse: %v", err)
	}
	event := cal.Events()[0]
	start, err := event.GetStartAt()
	if err != nil || !start.Equal(d.StartsAt) || start.Location() != time.UTC {
		t.Errorf("starts at %v, %v; want %v in UTC", start, err, d.StartsAt)
	}
	if end, err := event.GetEndAt(); err != nil || !end.Equal(d.StartsAt.Add(defaultLength)) {
		t.Errorf("ends at %v, %v", end, err)
	}
	for property, want := range map[ics.ComponentProperty]string{
		ics.ComponentPropertyUniqueId:    d.UID,
		ics.ComponentPropertySummary:     d.Name,
		ics.ComponentPropertyLocation:    d.Venue,
		ics.ComponentPropertyUrl:         d.URL,
		ics.ComponentPropertyDescription: "Pedido o1-5\nIngressos:\n- Setor A, Fila 1 Assento 2\nVer ingressos: " + d.URL,
	} {
		if got := ics.FromText(event.GetProperty(property).Value); got != want {
			t.Errorf("%s = %q, want %q", property, got, want)
		}
	}
	if alarms := event.Alarms(); len(alarms) != 1 || alarms[0].GetProperty(ics.ComponentPropertyTrigger).Value != "-PT3H" {
		t.Errorf("alarms %v, want one three hours before", alarms)
	}
	if err := ICS(&out, EventDoc{Name: "x"}); err == nil {
		t.Error("an entry without UID and time was written")
	}
}

func BenchmarkPDF(b *testing.B) {
	d := testDocument(b)
	for b.Loop() {
		if err := PDF(&bytes.Buffer{}, []Document{d}); err != nil {
			b.Fatal(err)
		}
	}
}
