package mail

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/catraca/catraca/transport/pass"
)

func testOrder(t testing.TB) OrderDoc {
	t.Helper()
	keys, err := pass.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	d := OrderDoc{
		To: "maria@example.com", Name: "María José", Lang: "pt-BR", Domain: "ingressos.example",
		Order: "o1-5", Event: "Aurora ao Vivo: Última Noite", Venue: "Arena do Morro, São Paulo",
		StartsAt: time.Date(2026, 12, 12, 23, 0, 0, 0, time.UTC), TimeZone: "America/Sao_Paulo",
		URL: "https://ingressos.example/orders/o1-5?a=1&b=2", IssuedAt: time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC),
	}
	for i := range uint32(2) {
		d.Tickets = append(d.Tickets, pass.Document{
			Event: d.Event, Venue: d.Venue, StartsAt: d.StartsAt, TimeZone: d.TimeZone,
			Section: "Cadeira Inferior 104", Row: "AA", Seat: fmt.Sprint(17 + i), Category: "Inteira", Color: "#0b6e4f",
			Price: pass.Money{Amount: 12000, Currency: "BRL"}, Fee: pass.Money{Amount: 1800, Currency: "BRL"},
			Holder: "María José Conceição", Order: "o1-5", Ticket: fmt.Sprintf("t1-%d", 42+i), IssuedAt: d.IssuedAt, Lang: d.Lang,
			Code: keys.Sign(pass.Claims{Event: 1, Ticket: 42 + i, Version: 1, Unit: 17 + i, Number: 1}),
		})
	}
	return d
}

func TestEveryLanguageHasEveryText(t *testing.T) {
	files, err := fs.Glob(textFiles, "texts/*.json")
	if err != nil || len(files) != len(pass.Languages()) {
		t.Fatalf("text files %v, %v; want one for each of %v", files, err, pass.Languages())
	}
	for _, lang := range pass.Languages() {
		requireTexts(t, lang, reflect.ValueOf(*wordsFor(lang)))
		if got, want := slices.Sorted(maps.Keys(wordsFor(lang).Reasons)), slices.Sorted(maps.Keys(wordsFor("en").Reasons)); !slices.Equal(got, want) {
			t.Errorf("%s: reasons %v, want %v", lang, got, want)
		}
	}
}

// requireTexts fails for every empty string below v.
func requireTexts(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		if strings.TrimSpace(v.String()) == "" {
			t.Errorf("%s is empty", path)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			requireTexts(t, path+"/"+v.Type().Field(i).Tag.Get("json"), v.Field(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			requireTexts(t, path+"/"+key.String(), v.MapIndex(key))
		}
	default:
		t.Errorf("%s is a %s", path, v.Kind())
	}
}

func TestConfirmationInThreeLanguages(t *testing.T) {
	for lang, want := range map[string][]string{
		"pt-BR": {"Seus ingressos: Aurora ao Vivo: Última Noite", "Olá, María José!", "sábado, 12 de dezembro de 2026, 20:00 (horário de Brasília)", "Setor Cadeira Inferior 104, Fila AA, Assento 18", "R$ 138,00", "R$ 276,00", "R$ 36,00", "Ver meus ingressos", "ingressos-o1-5.pdf", "agenda-o1-5.ics"},
		"en-GB": {"Your tickets: Aurora ao Vivo: Última Noite", "Hello María José,", "8:00 PM (Brasília time)", "Section Cadeira Inferior 104, Row AA, Seat 18", "R$276.00", "See my tickets", "tickets-o1-5.pdf", "calendar-o1-5.ics"},
		"es":    {"Sus entradas: Aurora ao Vivo: Última Noite", "Hola, María José:", "12 de diciembre de 2026", "Sector Cadeira Inferior 104, Fila AA, Asiento 18", "Ver mis entradas", "entradas-o1-5.pdf"},
	} {
		d := testOrder(t)
		d.Lang = lang
		m, err := Confirmation(d)
		if err != nil {
			t.Fatal(err)
		}
		if m.MessageID != "tickets.o1-5@ingressos.example" || m.To != d.To || m.Lang != pass.Language(lang) {
			t.Errorf("%s: id %q to %q in %q", lang, m.MessageID, m.To, m.Lang)
		}
		all := strings.ReplaceAll(m.Subject+m.Text+m.Attachments[0].Name+m.Attachments[1].Name, "\u00a0", " ")
		html := strings.ReplaceAll(m.Subject+m.HTML+m.Attachments[0].Name+m.Attachments[1].Name, "\u00a0", " ")
		for _, w := range want {
			if !strings.Contains(all, w) || !strings.Contains(html, w) {
				t.Errorf("%s: %q is not in both text and HTML", lang, w)
			}
		}
		if !strings.Contains(m.Text, d.URL) || !strings.Contains(m.HTML, `href="https://ingressos.example/orders/o1-5?a=1&amp;b=2"`) {
			t.Errorf("%s: the address of the order is missing", lang)
		}
		if strings.Contains(m.Text+m.HTML, "CT1.") {
			t.Errorf("%s: the letter itself carries a code", lang)
		}
		if err := m.check(); err != nil {
			t.Errorf("%s: %v", lang, err)
		}
	}
}

func TestConfirmationCarriesPDFAndCalendar(t *testing.T) {
	d := testOrder(t)
	m, err := Confirmation(d)
	if err != nil {
		t.Fatal(err)
	}
	var pdf bytes.Buffer
	if err := pass.PDF(&pdf, d.Tickets); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.Attachments[0].Data, pdf.Bytes()) {
		t.Error("the PDF is not that of the tickets")
	}
	cal, err := ics.ParseCalendar(bytes.NewReader(m.Attachments[1].Data))
	if err != nil || len(cal.Events()) != 1 || cal.Events()[0].Id() != "o1-5@ingressos.example" {
		t.Errorf("calendar: %v", err)
	}
	again, err := Confirmation(d)
	if err != nil || !reflect.DeepEqual(m, again) {
		t.Errorf("the same order gives another letter, %v", err)
	}
}

func TestConfirmationThroughTheSink(t *testing.T) {
	sink := startSink(t, SinkOptions{})
	m := startMailer(t, optionsFor(sink.Addr()))
	want, err := Confirmation(testOrder(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Send(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got, err := sink.Await(t.Context(), func(s Summary) bool { return s.MessageID == want.MessageID })
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Attachments) != 2 || strings.TrimSpace(got.HTML) != strings.TrimSpace(strings.ReplaceAll(want.HTML, "\n", "\r\n")) {
		t.Fatalf("%d attachments, HTML equal: %t", len(got.Attachments), got.HTML == want.HTML)
	}
	for i, a := range got.Attachments {
		kind, _, _ := strings.Cut(want.Attachments[i].Type, ";")
		if a.Name != want.Attachments[i].Name || a.Type != kind || !bytes.Equal(a.Data, want.Attachments[i].Data) {
			t.Errorf("attachment %d: %s (%s), byte-equal: %t", i, a.Name, a.Type, bytes.Equal(a.Data, want.Attachments[i].Data))
		}
	}
	if !bytes.Contains(got.Raw, []byte("method=PUBLISH")) {
		t.Error("the calendar part has lost its method")
	}
}

func TestForeignTextIsHarmless(t *testing.T) {
	const evil = "<script>alert(1)</script>\r\nBcc: x@y.example {event} {{.Lang}}"
	d := testOrder(t)
	d.Name, d.Event, d.Venue = evil, evil, evil
	d.URL = "javascript:alert(1)"
	for i := range d.Tickets {
		d.Tickets[i].Category, d.Tickets[i].Section, d.Tickets[i].Color = evil, evil, "red;background:url(//x)"
	}
	m, err := Confirmation(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "javascript:", "url(", "\nBcc"} {
		if strings.Contains(m.HTML, bad) {
			t.Errorf("%q got through", bad)
		}
	}
	if strings.ContainsAny(m.Subject, "\r\n") || !strings.Contains(m.Subject, "{event} {{.Lang}}") {
		t.Errorf("subject %q: the name was filled in", m.Subject)
	}
}

func TestConfirmationVariants(t *testing.T) {
	d := testOrder(t)
	d.Tickets = d.Tickets[:1]
	d.Tickets[0].Fee.Amount = 0
	d.Name, d.URL, d.Rehearsal = "", "", true
	m, err := Confirmation(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []string{"Olá!", "1 ingresso ·", "Isto é um ensaio"} {
		if !strings.Contains(m.HTML, w) {
			t.Errorf("%q is missing", w)
		}
	}
	for _, w := range []string{"Ver meus ingressos", "inclui taxa", "%!"} {
		if strings.Contains(m.HTML+m.Text, w) {
			t.Errorf("%q is there", w)
		}
	}
	d.Tickets = nil
	if _, err := Confirmation(d); err == nil {
		t.Error("a confirmation without tickets was written")
	}
}

func TestRefund(t *testing.T) {
	base := RefundDoc{
		To: "maria@example.com", Name: "María", Lang: "pt-BR", Domain: "ingressos.example", Order: "o1-5",
		Event: "Aurora", Amount: pass.Money{Amount: 27600, Currency: "BRL"}, URL: "https://ingressos.example/o",
	}
	for _, c := range []struct {
		name   string
		change func(*RefundDoc)
		id     string
		want   []string
		absent []string
	}{
		{"organiser's words", func(d *RefundDoc) { d.Reason, d.Tickets = "Show <b>adiado</b>", true }, "refund.o1-5@ingressos.example",
			[]string{"Reembolso do pedido o1-5: Aurora", "devolução integral de R$ 276,00", "Motivo", "adiado", "deixaram de valer"}, nil},
		{"sale's reason", func(d *RefundDoc) { d.Reason, d.Part = "order was paid twice", "2" }, "refund.o1-5.2@ingressos.example",
			[]string{"pago duas vezes"}, []string{"order was paid twice", "deixaram de valer"}},
		{"late", func(d *RefundDoc) { d.Reason, d.Lang = "paid too late, a seat is gone", "en" }, "refund.o1-5@ingressos.example",
			[]string{"Your money is on its way back", "R$276.00", "after the deadline"}, []string{"too late, a seat"}},
		{"nothing was taken", func(d *RefundDoc) { d.Reason = "capture failed: processing_error" }, "refund.o1-5@ingressos.example",
			[]string{"Pedido o1-5 não concluído", "não foi cobrado", "O banco não confirmou"}, []string{"processing_error", "devolução"}},
		{"no reason", func(d *RefundDoc) { d.Lang, d.Rehearsal = "es", true }, "refund.o1-5@ingressos.example",
			[]string{"Su dinero está en camino", "Esto es un ensayo"}, []string{"Motivo"}},
	} {
		d := base
		c.change(&d)
		m, err := Refund(d)
		if err != nil {
			t.Fatal(err)
		}
		if m.MessageID != c.id || m.check() != nil {
			t.Errorf("%s: id %q, %v", c.name, m.MessageID, m.check())
		}
		text := strings.ReplaceAll(m.Subject+"\n"+m.Text, "\u00a0", " ")
		html := strings.ReplaceAll(m.Subject+"\n"+m.HTML, "\u00a0", " ")
		for _, w := range c.want {
			if !strings.Contains(text, w) || !strings.Contains(html, w) {
				t.Errorf("%s: %q is not in both text and HTML", c.name, w)
			}
		}
		for _, w := range c.absent {
			if strings.Contains(text+html, w) {
				t.Errorf("%s: %q is there", c.name, w)
			}
		}
		if strings.Contains(m.HTML, "<b>adiado") {
			t.Errorf("%s: HTML of the reason got through", c.name)
		}
	}
}
