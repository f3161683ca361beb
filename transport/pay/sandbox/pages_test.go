package sandbox

import (
	"bytes"
	"fmt"
	"html"
	"image/png"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stripe/stripe-go/v85"
)

func payAddress(pi *stripe.PaymentIntent, more string) string {
	return "/pay/" + pi.ID + "?client_secret=" + pi.ClientSecret + "&return_url=" + url.QueryEscape(shop+"o1-42") + more
}

func payForm(pi *stripe.PaymentIntent, number string) url.Values {
	return url.Values{"client_secret": {pi.ClientSecret}, "return_url": {shop + "o1-42"}, "lang": {"en"},
		"number": {number}, "expiry": {"12/34"}, "cvc": {"123"}, "name": {"Ana Teste"}}
}

func TestPayPageInThreeLanguages(t *testing.T) {
	r := newRig(t)
	pi := r.create(cardParams(123456))
	for lang, want := range map[string][]string{
		"pt-BR": {`<html lang="pt-BR">`, "Ambiente de teste", "Pagar R$\u00a01.234,56", "Voltar sem pagar", "Validade"},
		"en":    {`<html lang="en">`, "Test environment", "Pay R$\u00a01,234.56", "Go back without paying", "Expiry date"},
		"es":    {`<html lang="es">`, "Entorno de prueba", "Pagar R$\u00a01.234,56", "Volver sin pagar", "Vencimiento"},
	} {
		status, header, body := r.page(payAddress(pi, "&lang="+lang), nil)
		if status != 200 || header.Get("Content-Language") != lang {
			t.Fatalf("%s: status %d, language %s", lang, status, header.Get("Content-Language"))
		}
		for _, w := range append(want, "Aurora · o1-42", "4242 4242 4242 4242", `autocomplete="cc-number"`, "redirect_status=canceled") {
			if !strings.Contains(body, w) {
				t.Errorf("%s: the page lacks %q", lang, w)
			}
		}
		if strings.Contains(body, "<script") || strings.Contains(body, "style=") {
			t.Errorf("%s: the page needs what its policy forbids", lang)
		}
		csp := header.Get("Content-Security-Policy")
		for _, w := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self' https://shop.example"} {
			if !strings.Contains(csp, w) {
				t.Errorf("policy %q lacks %q", csp, w)
			}
		}
		if header.Get("Referrer-Policy") != "no-referrer" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", header)
		}
	}
}

func TestLanguageOfTheBrowser(t *testing.T) {
	p, err := newPages()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ asked, accept, want string }{
		{"", "", "pt-BR"}, {"", "es-AR,es;q=0.9", "es"}, {"", "en-GB", "en"}, {"", "de", "pt-BR"}, {"en", "es", "en"},
		{"pt", "en", "pt-BR"}, {"xx", "en", "en"}, {"'\"<", "", "pt-BR"},
	} {
		if got := p.lang(c.asked, c.accept); got != c.want {
			t.Errorf("asked %q, accept %q: %s, want %s", c.asked, c.accept, got, c.want)
		}
	}
}

// Every language has every text, with the same placeholders, and every text the templates ask for exists.
func TestTextsAreComplete(t *testing.T) {
	p, err := newPages()
	if err != nil {
		t.Fatal(err)
	}
	verbs := regexp.MustCompile(`%[a-z]`)
	for key, text := range p.text["en"] {
		for _, lang := range []string{"pt-BR", "es"} {
			other, ok := p.text[lang][key]
			if !ok || other == "" || fmt.Sprint(verbs.FindAllString(text, -1)) != fmt.Sprint(verbs.FindAllString(other, -1)) {
				t.Errorf("%s: %q is missing or has other placeholders", lang, key)
			}
		}
	}
	for lang := range p.text {
		if len(p.text[lang]) != len(p.text["en"]) {
			t.Errorf("%s has %d texts, en %d", lang, len(p.text[lang]), len(p.text["en"]))
		}
	}
	source, err := webFiles.ReadFile("web/page.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\.T "([a-z_]+)"`).FindAllStringSubmatch(string(source), -1) {
		if p.text["en"][m[1]] == "" {
			t.Errorf("the template asks for the unknown text %q", m[1])
		}
	}
	for _, c := range testCards() {
		if c.shown && p.text["en"]["card_"+c.name] == "" {
			t.Errorf("card %s has no text", c.name)
		}
	}
}

func TestPayingOnThePage(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct{ number, to, status string }{
		{"4242424242424242", shop + "o1-42?payment_intent=%s&redirect_status=succeeded", needsCapture},
		{"4000 0000 0000 6066", shop + "o1-42?payment_intent=%s&redirect_status=pending", processing},
		{"4000002760003184", "/3ds/%s?", needsAction},
		{"4000-0000-0000-9995", "/pay/%s?", needsMethod},
		{"4111111111111111", "/pay/%s?", needsMethod},
	} {
		pi := r.create(cardParams(1000))
		status, header, _ := r.page("/pay/"+pi.ID, payForm(pi, c.number))
		want := strings.Replace(c.to, "%s", pi.ID, 1)
		if to := header.Get("Location"); status != 303 || !strings.HasPrefix(to, want) {
			t.Fatalf("%s: status %d to %q, want %q", c.number, status, to, want)
		}
		if got := r.get(pi.ID); string(got.Status) != c.status {
			t.Fatalf("%s: %s, want %s", c.number, got.Status, c.status)
		}
	}
}

func TestDeclinedThenAnotherCard(t *testing.T) {
	r := newRig(t)
	pi := r.create(cardParams(1000))
	_, header, _ := r.page("/pay/"+pi.ID, payForm(pi, "4000000000009995"))
	status, _, body := r.page(header.Get("Location"), nil)
	if status != 200 || !strings.Contains(body, `role="alert"`) || !strings.Contains(body, "insufficient funds") || !strings.Contains(body, "Nothing was charged") {
		t.Fatalf("status %d: %s", status, body)
	}
	_, header, _ = r.page("/pay/"+pi.ID, payForm(pi, "4242424242424242"))
	if !strings.Contains(header.Get("Location"), "redirect_status=succeeded") {
		t.Fatalf("to %q", header.Get("Location"))
	}
	// The form sent again, by a double click or the back button, leads to where the payment is.
	_, header, _ = r.page("/pay/"+pi.ID, payForm(pi, "4242424242424242"))
	if !strings.Contains(header.Get("Location"), "redirect_status=succeeded") {
		t.Fatalf("to %q", header.Get("Location"))
	}
	if n := r.s.Ledger().Totals["BRL"].Authorized; n != 1000 {
		t.Fatalf("%d authorized", n)
	}
}

func TestMistypedFields(t *testing.T) {
	r := newRig(t)
	pi := r.create(cardParams(1000))
	for field, value := range map[string]string{"number": "4242424242424241", "expiry": "10/26", "cvc": "12", "name": " "} {
		form := payForm(pi, "4242424242424242")
		form.Set(field, value)
		status, _, body := r.page("/pay/"+pi.ID, form)
		if status != 422 || strings.Count(body, "aria-invalid") != 1 || !strings.Contains(body, `id="`+field+`-error"`) ||
			!strings.Contains(body, "autofocus") || !strings.Contains(body, "Check the marked fields") {
			t.Errorf("%s: status %d: %s", field, status, body)
		}
		if strings.Contains(body, `value="4242`) || strings.Contains(body, `value="123"`) {
			t.Errorf("%s: the card is written back into the page", field)
		}
	}
	all := url.Values{"client_secret": {pi.ClientSecret}, "number": {"4242"}, "expiry": {"1"}, "cvc": {"1"}}
	if _, _, body := r.page("/pay/"+pi.ID, all); strings.Count(body, "aria-invalid") != 4 || strings.Count(body, "autofocus") != 1 {
		t.Errorf("not every wrong field is marked: %s", body)
	}
	if got := r.get(pi.ID); got.LastPaymentError != nil {
		t.Fatalf("a mistyped field counted as a try: %v", got.LastPaymentError)
	}
}

func TestTestCardFillsTheForm(t *testing.T) {
	r := newRig(t)
	pi := r.create(cardParams(1000))
	_, _, body := r.page(payAddress(pi, "&lang=en"), nil)
	m := regexp.MustCompile(`href="(/pay/[^"]+card=4242424242424242[^"]*)#form"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatal("no link for the card")
	}
	_, _, body = r.page(html.UnescapeString(m[1]), nil)
	for _, want := range []string{`value="4242 4242 4242 4242"`, `value="12/34"`, `value="123"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the form lacks %s", want)
		}
	}
	if _, _, body = r.page(payAddress(pi, "&card=4111111111111111"), nil); strings.Contains(body, "4111") {
		t.Error("a number that is no test card was taken over")
	}
}

func TestChallengePage(t *testing.T) {
	r := newRig(t)
	pi := r.create(cardParams(1000))
	_, header, _ := r.page("/pay/"+pi.ID, payForm(pi, "4000002760003184"))
	bank := header.Get("Location")
	status, _, body := r.page(bank, nil)
	if status != 200 || !strings.Contains(body, "•••• 3184") || !strings.Contains(body, "Confirm the purchase") {
		t.Fatalf("status %d: %s", status, body)
	}
	form := url.Values{"client_secret": {pi.ClientSecret}, "return_url": {shop + "o1-42"}, "lang": {"en"}, "answer": {"refuse"}}
	_, header, _ = r.page("/3ds/"+pi.ID, form)
	if _, _, body = r.page(header.Get("Location"), nil); !strings.Contains(body, "not confirmed at the bank") {
		t.Fatalf("to %q: %s", header.Get("Location"), body)
	}
	if _, header, _ = r.page(bank, nil); !strings.HasPrefix(header.Get("Location"), "/pay/") {
		t.Fatalf("the answered question led to %q", header.Get("Location"))
	}
	form.Set("answer", "maybe")
	if status, _, _ = r.page("/3ds/"+pi.ID, form); status != 303 {
		t.Fatalf("status %d", status)
	}
}

func TestPixPage(t *testing.T) {
	r := newRig(t, func(o *Options) { o.PixAfter = -1 })
	pi := r.create(pixParams(24000))
	query := "?client_secret=" + pi.ClientSecret + "&lang=en&return_url=" + url.QueryEscape(shop+"o1-43")
	if _, header, _ := r.page("/pay/"+pi.ID+query, nil); !strings.HasPrefix(header.Get("Location"), "/pix/") {
		t.Fatalf("the payment page led to %q", header.Get("Location"))
	}
	status, _, body := r.page("/pix/"+pi.ID+query, nil)
	code := pi.NextAction.PixDisplayQRCode.Data
	if status != 200 || !strings.Contains(body, code) || !strings.Contains(body, `http-equiv="refresh" content="2"`) || !strings.Contains(body, "24 h") {
		t.Fatalf("status %d: %s", status, body)
	}
	_, header, svg := r.page(pi.NextAction.PixDisplayQRCode.ImageURLSVG, nil)
	if header.Get("Content-Type") != "image/svg+xml" || !strings.HasPrefix(svg, "<svg ") {
		t.Fatalf("svg %s", svg)
	}
	_, _, raw := r.page(pi.NextAction.PixDisplayQRCode.ImageURLPNG, nil)
	picture, err := png.Decode(bytes.NewReader([]byte(raw)))
	if err != nil {
		t.Fatal(err)
	}
	bits, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	read, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil || read.GetText() != code {
		t.Fatalf("the picture says %v, %v; want %s", read, err, code)
	}
	_, header, _ = r.page("/pix/"+pi.ID, url.Values{"client_secret": {pi.ClientSecret}, "return_url": {shop + "o1-43"}})
	if header.Get("Location") != shop+"o1-43?payment_intent="+pi.ID+"&redirect_status=succeeded" {
		t.Fatalf("to %q", header.Get("Location"))
	}
	// Without a way back the page says how it went.
	if _, _, body = r.page("/pix/"+pi.ID+"?lang=en&client_secret="+pi.ClientSecret, nil); !strings.Contains(body, "Payment approved") {
		t.Fatal(body)
	}
}

func TestExpiredPixPage(t *testing.T) {
	r := newRig(t, func(o *Options) { o.PixAfter = -1 })
	pi := r.create(pixParams(24000))
	r.pass(25 * time.Hour)
	_, _, body := r.page("/pix/"+pi.ID+"?lang=en&client_secret="+pi.ClientSecret, nil)
	if !strings.Contains(body, "expired before it was paid") {
		t.Fatal(body)
	}
}

func TestPagesKeepStrangersOut(t *testing.T) {
	r := newRig(t)
	pi := r.create(cardParams(1000))
	for _, path := range []string{"/pay/" + pi.ID, "/3ds/" + pi.ID, "/pix/" + pi.ID, "/pix/" + pi.ID + "/qr.svg"} {
		for _, secret := range []string{"", "wrong", pi.ClientSecret + "x"} {
			status, _, body := r.page(path+"?client_secret="+secret, nil)
			if status != 404 || strings.Contains(body, "Aurora") {
				t.Errorf("%s with %q: status %d", path, secret, status)
			}
		}
	}
	if status, _, body := r.page(payAddress(pi, "")+"&return_url=https://evil.example/", nil); status != 200 || strings.Contains(body, "evil") {
		t.Errorf("a second return address: status %d", status)
	}
	status, _, body := r.page("/pay/"+pi.ID+"?lang=en&client_secret="+pi.ClientSecret+"&return_url=https://evil.example/", nil)
	if status != 400 || strings.Contains(body, "evil.example") || !strings.Contains(body, "not allowed") {
		t.Errorf("status %d: %s", status, body)
	}
	if status, _, _ := r.page("/assets/nothing.css", nil); status != 404 {
		t.Errorf("status %d", status)
	}
	if status, header, _ := r.page(r.s.pages.cssURL, nil); status != 200 || !strings.Contains(header.Get("Cache-Control"), "immutable") {
		t.Errorf("status %d, headers %v", status, header)
	}
	if status, _, _ := r.page("/", nil); status != 200 {
		t.Errorf("status %d", status)
	}
}

func TestMayReturn(t *testing.T) {
	o := Options{ReturnPrefixes: []string{"https://shop.example/orders", "http://127.0.0.1:8080"}}
	for address, want := range map[string]bool{
		"https://shop.example/orders":              true,
		"https://SHOP.example/orders/o1-42?x=1":    true,
		"https://shop.example/ordersx":             false,
		"https://shop.example/orders/../admin":     false,
		"https://shop.example/orders/%2e%2e/admin": false,
		"https://shop.example/":                    false,
		"http://shop.example/orders":               false,
		"https://shop.example:444/orders":          false,
		"https://shop.example.evil.test/orders":    false,
		"https://shop.example@evil.test/orders":    false,
		"https://user@shop.example/orders":         false,
		"http://127.0.0.1:8080":                    true,
		"http://127.0.0.1:8080/anything":           true,
		"http://127.0.0.1:80801/":                  false,
		"javascript:alert(1)":                      false,
		"//shop.example/orders":                    false,
		"https://shop.example/orders\\..":          false,
		"":                                         false,
	} {
		if got := o.mayReturn(address); got != want {
			t.Errorf("%q: %v, want %v", address, got, want)
		}
	}
}
