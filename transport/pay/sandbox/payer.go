package sandbox

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"strings"
	"time"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

// payPage asks for a card. A query parameter card fills the form with a test card.
func (v *visit) payPage(w http.ResponseWriter) {
	if v.over(w) {
		return
	}
	if v.in.is(needsAction) && v.in.Pix != nil || len(v.in.Types) == 1 && v.in.Types[0] == "pix" {
		v.redirect(w, v.address("/pix/"+v.in.ID))
		return
	}
	values := map[string]string{}
	number := digits(v.r.Form.Get("card"))
	if c := cardWhere(func(c *testCard) bool { return c.number == number }); c != nil {
		values = map[string]string{"number": grouped(c.number), "expiry": "12/" + fmt.Sprint(v.now.Year()%100+8), "cvc": "123", "name": "Ana Teste"}
		if c.brand == "amex" {
			values["cvc"] = "1234"
		}
	}
	page := v.form(values, nil)
	if v.in.LastError != nil {
		page.Alert = &alert{Title: v.say("error_title"), Lines: []string{v.explain(v.in.LastError), v.say("error_again")}}
	}
	v.s.show(w, http.StatusOK, "pay", page)
}

// form is the card form with what was typed and what is wrong with it.
func (v *visit) form(values, wrong map[string]string) *view {
	page := v.view("pay_title")
	page.Submit = fmt.Sprintf(v.say("pay"), page.Amount)
	page.Fields = []pageField{
		{Name: "number", Auto: "cc-number", Mode: "numeric", Hint: "1234 1234 1234 1234", Max: 40},
		{Name: "expiry", Auto: "cc-exp", Mode: "numeric", Hint: v.say("expiry_hint"), Max: 9, Class: "half"},
		{Name: "cvc", Auto: "cc-csc", Mode: "numeric", Hint: "123", Max: 4, Class: "half"},
		{Name: "name", Auto: "cc-name", Mode: "text", Max: 100},
	}
	focused := false
	for i := range page.Fields {
		f := &page.Fields[i]
		f.Label, f.Value, f.Error = v.say(f.Name), values[f.Name], wrong[f.Name]
		if f.Error != "" && !focused {
			f.Focus, focused = true, true
		}
	}
	for _, c := range testCards() {
		if !c.shown {
			continue
		}
		kind := "good"
		if c.does == declines {
			kind = "bad"
		}
		page.Cards = append(page.Cards, pageCard{
			URL: v.address("/pay/"+v.in.ID, "card", c.number) + "#form", Number: grouped(c.number),
			Spoken: c.number[len(c.number)-4:], Label: v.say("card_" + c.name), Kind: kind,
		})
	}
	return page
}

// grouped writes a card number in fours, as it is printed.
func grouped(number string) string {
	var out strings.Builder
	for i := range len(number) {
		if i > 0 && i%4 == 0 {
			out.WriteByte(' ')
		}
		out.WriteByte(number[i])
	}
	return out.String()
}

// pay takes the card form.
func (v *visit) pay(w http.ResponseWriter) {
	if v.over(w) {
		return
	}
	get := func(name string) string { return strings.TrimSpace(v.r.PostForm.Get(name)) }
	form := cardForm{number: get("number"), cvc: get("cvc")}
	form.month, form.year = splitExpiry(get("expiry"))
	card, bad := form.check(v.now)
	wrong := map[string]string{}
	for _, d := range form.defects(v.now) {
		field := d.Param
		if field == "exp_month" || field == "exp_year" {
			field = "expiry"
		}
		wrong[field] = v.say("field_" + field)
	}
	if get("name") == "" {
		wrong["name"] = v.say("field_name")
	}
	if len(wrong) > 0 {
		// The number is typed again rather than written into a page, and the security code too.
		page := v.form(map[string]string{"expiry": get("expiry"), "name": get("name")}, wrong)
		page.Alert = &alert{Title: v.say("error_fields")}
		v.s.show(w, http.StatusUnprocessableEntity, "pay", page)
		return
	}
	ok := v.change(w, func(t *tx, in *intent) {
		in.ReturnURL = v.back
		t.confirm(in, &payWith{kind: "card", card: card, form: form, bad: bad})
	})
	if ok {
		v.next(w)
	}
}

// next goes where the payment's state leads.
func (v *visit) next(w http.ResponseWriter) {
	switch {
	case v.over(w):
	case v.in.is(needsAction) && v.in.Pix == nil:
		v.redirect(w, v.address("/3ds/"+v.in.ID))
	default:
		v.redirect(w, v.address("/pay/"+v.in.ID))
	}
}

func splitExpiry(s string) (month, year string) {
	s = digits(s)
	if m, y, ok := strings.Cut(s, "/"); ok {
		return m, y
	}
	if len(s) == 4 || len(s) == 6 {
		return s[:2], s[2:]
	}
	return s, ""
}

// explain tells a payer why, without more than the bank wants them to know.
func (v *visit) explain(f *failure) string {
	for _, code := range []string{f.Decline, f.Code} {
		if code == "" {
			continue
		}
		if t, ok := v.s.pages.text[v.lang]["err_"+code]; ok {
			return t
		}
	}
	return v.say("err_generic")
}

// bankPage is the bank's 3-D Secure question.
func (v *visit) bankPage(w http.ResponseWriter) {
	if !v.in.is(needsAction) || v.in.Pix != nil {
		v.next(w)
		return
	}
	page := v.view("bank_title")
	if v.in.Method != nil {
		page.Last4 = v.in.Method.Last4
	}
	v.s.show(w, http.StatusOK, "bank", page)
}

func (v *visit) bank(w http.ResponseWriter) {
	answer := v.r.PostForm.Get("answer")
	if answer != "approve" && answer != "refuse" {
		v.redirect(w, v.address("/3ds/"+v.in.ID))
		return
	}
	ok := v.change(w, func(t *tx, in *intent) {
		t.authenticated(in, answer == "approve") // a question answered already leads where the payment is
	})
	if ok {
		v.next(w)
	}
}

// pixPage shows the code and waits: the page loads itself again until the payment is done.
func (v *visit) pixPage(w http.ResponseWriter) {
	if v.over(w) {
		return
	}
	if !v.in.is(needsAction) || v.in.Pix == nil {
		page := &view{Lang: v.lang, Title: v.say("error_title"), Text: v.say("err_payment_intent_payment_attempt_expired"), Kind: "bad", BackURL: v.returnTo("failed")}
		v.s.show(w, http.StatusOK, "notice", page)
		return
	}
	page := v.view("pix_title")
	page.Refresh = "2"
	if v.in.DueWhat == duePay {
		page.Text = v.say("pix_self")
	}
	page.Code = v.in.Pix.Code
	page.QR = v.address("/pix/" + v.in.ID + "/qr.svg")
	page.Left = fmt.Sprintf(v.say("pix_expires"), v.left(time.Unix(v.in.Pix.Expires, 0).Sub(v.now)))
	v.s.show(w, http.StatusOK, "pix", page)
}

func (v *visit) pix(w http.ResponseWriter) {
	ok := v.change(w, func(t *tx, in *intent) {
		if in.is(needsAction) && in.Pix != nil {
			t.accept(in)
		}
	})
	if ok {
		v.pixPage(w)
	}
}

func (v *visit) qrSVG(w http.ResponseWriter) {
	code, ok := v.qr(w)
	if !ok {
		return
	}
	size := code.Bounds().Dx()
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 %d %d" shape-rendering="crispEdges"><rect x="-4" y="-4" width="100%%" height="100%%" fill="#fff"/><path d="`, size+8, size+8)
	for y := range size {
		for x := range size {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				fmt.Fprintf(&out, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	out.WriteString(`"/></svg>`)
	v.picture(w, "image/svg+xml", out.Bytes())
}

func (v *visit) qrPNG(w http.ResponseWriter) {
	code, ok := v.qr(w)
	if !ok {
		return
	}
	size := code.Bounds().Dx() * 8
	scaled, err := barcode.Scale(code, size, size)
	var out bytes.Buffer
	if err == nil {
		err = png.Encode(&out, scaled)
	}
	if err != nil {
		http.Error(w, "the code cannot be drawn", http.StatusInternalServerError)
		return
	}
	v.picture(w, "image/png", out.Bytes())
}

func (v *visit) qr(w http.ResponseWriter) (barcode.Barcode, bool) {
	if v.in.Pix == nil {
		http.NotFound(w, v.r)
		return nil, false
	}
	code, err := qr.Encode(v.in.Pix.Code, qr.M, qr.Unicode)
	if err != nil {
		http.Error(w, "the code cannot be drawn", http.StatusInternalServerError)
		return nil, false
	}
	return code, true
}

func (v *visit) picture(w http.ResponseWriter, kind string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "private, max-age=600")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body) // the browser is gone
}
