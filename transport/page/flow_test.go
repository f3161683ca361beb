package page

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fan is a visitor without scripts: follows links, sends forms, keeps cookies. Redirects are shown, not followed.
type fan struct {
	t    *testing.T
	c    *http.Client
	base string
	w    *world
}

func newFan(t *testing.T, w *world) *fan {
	t.Helper()
	server := httptest.NewServer(open(t, w, Options{PaymentOrigins: []string{"https://pay.example"}}))
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &fan{t, c, server.URL, w}
}

// get shows a page and returns its HTML.
func (f *fan) get(path string) string {
	f.t.Helper()
	r, err := f.c.Get(f.base + path)
	if err != nil {
		f.t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != 200 {
		f.t.Fatalf("GET %s is %d to %q", path, r.StatusCode, r.Header.Get("Location"))
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(body)
}

// send posts a form the way a browser does and returns status, Location and body.
func (f *fan) send(path string, form url.Values) (int, string, string) {
	f.t.Helper()
	r, err := http.NewRequest(http.MethodPost, f.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", f.base)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	got, err := f.c.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return got.StatusCode, got.Header.Get("Location"), string(body)
}

// goes sends a form and expects to be led to an address.
func (f *fan) goes(path string, form url.Values, to string) {
	f.t.Helper()
	status, location, body := f.send(path, form)
	if status != http.StatusSeeOther || location != to {
		f.t.Fatalf("POST %s is %d to %q, want 303 to %q\n%s", path, status, location, to, body)
	}
}

// hidden reads the hidden fields of the form that goes to action.
func hidden(t *testing.T, body, action string) url.Values {
	t.Helper()
	i := strings.Index(body, `action="`+action+`"`)
	if i < 0 {
		t.Fatalf("no form to %s", action)
	}
	body = body[i:]
	body = body[:strings.Index(body, "</form>")]
	v := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		v.Add(m[1], m[2])
	}
	return v
}

func with(v url.Values, pairs ...string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func (f *fan) set(change func(w *world)) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	change(f.w)
}

// called finds the calls that begin like this.
func (f *fan) called(prefix string) []string {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.w.calls), func(c string) bool { return !strings.HasPrefix(c, prefix) })
}

// TestBuyingWithoutScripts goes from the event to the tickets by links and forms alone.
func TestBuyingWithoutScripts(t *testing.T) {
	f := newFan(t, newWorld())
	f.get("/e/aurora")
	f.goes("/e/aurora/queue", nil, "/sign-in?then=join&next=%2Fe%2Faurora%2Fqueue")
	form := hidden(t, f.get("/sign-in?then=join&next=%2Fe%2Faurora%2Fqueue"), "/sign-in")
	f.goes("/sign-in", with(form, "email", "marina@example.com", "password", "uma frase comprida"), "/e/aurora/queue")
	if got := f.called("POST events/aurora/queue"); len(got) != 2 {
		t.Fatalf("joins: %v, want the refused one and the one right after signing in", got)
	}
	body := f.get("/e/aurora/queue")
	if !strings.Contains(body, `<noscript><meta http-equiv="refresh" content="30"></noscript>`) {
		t.Error("the waiting page does not refresh itself without scripts")
	}
	f.goes("/e/aurora/claim", nil, "/e/aurora/queue?why=not-your-turn")
	f.set(func(w *world) { w.place["state"], w.place["deadline"] = "offered", stamp(100e9) })
	f.get("/e/aurora/queue")
	f.goes("/e/aurora/claim", nil, "/e/aurora/seats")

	form = hidden(t, f.get("/e/aurora/seats"), "/e/aurora/hold")
	f.goes("/e/aurora/hold", with(form, "quantity", "2", "category", "1", "section", "", "accessible", "0"), "/e/aurora/checkout")
	want := `POST events/aurora/holds {"best":{"accessible":0,"category":1,"max_price":null,"quantity":2,"scatter":false,"section":null}}`
	if got := f.called("POST events/aurora/holds"); len(got) != 1 || got[0] != want {
		t.Fatalf("holds: %v\nwant %s", got, want)
	}
	body = f.get("/e/aurora/checkout")
	f.goes("/e/aurora/renew", hidden(t, body, "/e/aurora/renew"), "/e/aurora/checkout")
	body = f.get("/e/aurora/checkout")
	if strings.Contains(body, "/e/aurora/renew") {
		t.Error("more time is offered a second time")
	}
	f.goes("/e/aurora/pay", with(hidden(t, body, "/e/aurora/pay"), "method", "pix"), "/orders/o1-5")
	body = f.get("/orders/o1-5")
	if !strings.Contains(body, "00020126580014br.gov.bcb.pix") || !strings.Contains(body, `content="10"`) {
		t.Error("the Pix page has no code, or does not look for the payment without scripts")
	}
	f.set(func(w *world) { w.order["state"] = "fulfilled"; w.hold = nil; issued(w) })
	body = f.get("/orders/o1-5")
	for _, want := range []string{"/api/v1/tickets/t1-9.svg", "/api/v1/tickets/t1-10.svg", "/api/v1/orders/o1-5/tickets.pdf", "/api/v1/tickets/t1-9.ics", "marina@example.com"} {
		if !strings.Contains(body, want) {
			t.Errorf("the ticket page lacks %s", want)
		}
	}
	f.goes("/sign-out", nil, "/")
}

func signedFan(t *testing.T, set func(*world)) *fan {
	t.Helper()
	w := newWorld()
	set(w)
	f := newFan(t, w)
	f.goes("/sign-in", url.Values{"email": {"marina@example.com"}, "password": {"x"}, "next": {"/orders"}}, "/orders")
	return f
}

func TestPayByCardLeadsToTheProvider(t *testing.T) {
	f := signedFan(t, holding())
	form := hidden(t, f.get("/e/aurora/checkout"), "/e/aurora/pay")
	key := form.Get("key")
	f.goes("/e/aurora/pay", with(form, "method", "card"), "https://pay.example/c/1")
	var keys []string
	f.set(func(w *world) {
		for i, c := range w.calls {
			if strings.HasPrefix(c, "POST events/aurora/orders") || strings.HasPrefix(c, "POST orders/") {
				keys = append(keys, w.headers[i].Get("Idempotency-Key"))
			}
		}
	})
	if want := []string{key + "-o", key + "-p"}; key == "" || !slices.Equal(keys, want) {
		t.Errorf("idempotency keys %v, want %v", keys, want)
	}
}

func TestRefusalsOfForms(t *testing.T) {
	t.Parallel()
	best := url.Values{"quantity": {"2"}}
	for _, c := range []struct {
		name   string
		set    func(*world)
		path   string
		form   url.Values
		status int
		to     string // for 303
		says   string // text key, else
	}{
		{"sold out", placed("shopping", refusing("POST events/aurora/holds", 409, "sold-out", nil)), "/e/aurora/hold", best, 409, "", "problem.sold-out.body"},
		{"over the limit", placed("shopping", refusing("POST events/aurora/holds", 409, "limit", obj{"allowed": 3})), "/e/aurora/hold", best, 409, "", "problem.limit.title"},
		{"held already", holding(refusing("POST events/aurora/holds", 409, "hold-exists", nil)), "/e/aurora/hold", best, 303, "/e/aurora/checkout", ""},
		{"lease over", placed("shopping", refusing("POST events/aurora/holds", 409, "no-lease", nil)), "/e/aurora/hold", best, 303, "/e/aurora/queue?why=no-lease", ""},
		{"busy", placed("shopping", refusing("POST events/aurora/holds", 503, "busy", obj{"retry_after_ms": 2500})), "/e/aurora/hold", best, 503, "", "busy.now"},
		{"no event", placed("shopping"), "/e/nothing/queue", nil, 404, "", "problem.not-found.body"},
		{"renewed", holding(refusing("PATCH events/aurora/holds/h1-3", 409, "already-renewed", nil)), "/e/aurora/renew", url.Values{"hold": {"h1-3"}}, 303, "/e/aurora/checkout?why=already-renewed", ""},
		{"paying", holding(func(w *world) { w.order = newOrder("awaiting", nil); w.hold["order"] = "o1-5" }, refusing("POST orders/o1-5/pay", 409, "payment-in-progress", nil)),
			"/e/aurora/pay", url.Values{"order": {"o1-5"}, "method": {"pix"}}, 303, "/e/aurora/checkout?why=payment-in-progress", ""},
		{"session over", refusing("POST events/aurora/admission", 401, "unauthenticated", nil), "/e/aurora/claim", nil, 303, "/sign-in?next=%2Fe%2Faurora%2Fqueue", ""},
		{"released twice", placed("shopping", refusing("DELETE events/aurora/holds/h1-3", 404, "not-found", nil)), "/e/aurora/release", url.Values{"hold": {"h1-3"}}, 303, "/e/aurora/seats", ""},
		{"closed", refusing("POST events/aurora/queue", 410, "closed", nil), "/e/aurora/queue", nil, 303, "/e/aurora/queue?why=closed", ""},
		{"strange language", func(*world) {}, "/lang", url.Values{"lang": {"fr"}}, 400, "", "problem.invalid-request.body"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := signedFan(t, c.set)
			status, to, body := f.send(c.path, c.form)
			if status != c.status || to != c.to {
				t.Fatalf("%d to %q, want %d to %q", status, to, c.status, c.to)
			}
			if c.says != "" && !strings.Contains(body, loaded(t).tongues["pt-BR"].T(c.says)) {
				t.Errorf("the page does not say %s", c.says)
			}
		})
	}
}

func TestSoldOutOffersPlacesApart(t *testing.T) {
	f := signedFan(t, placed("shopping", refusing("POST events/aurora/holds", 409, "sold-out", nil)))
	form := hidden(t, f.get("/e/aurora/seats"), "/e/aurora/hold")
	_, _, body := f.send("/e/aurora/hold", with(form, "quantity", "4", "category", "1"))
	for _, want := range []string{`name="quantity" value="4" checked`, `name="category" value="1" checked`, `name="scatter" value="1" checked`} {
		if !strings.Contains(body, want) {
			t.Errorf("the form does not keep %s", want)
		}
	}
	if again := hidden(t, body, "/e/aurora/hold").Get("key"); again == form.Get("key") || again == "" {
		t.Errorf("the form shown after a refusal has the key %q of the one before", again)
	}
}

func TestSeatsTickedWithoutScripts(t *testing.T) {
	f := signedFan(t, placed("shopping"))
	body := f.get("/e/aurora/seats?section=2")
	units := regexp.MustCompile(`name="seat" value="(\d+)"`).FindAllStringSubmatch(body, -1)
	if len(units) < 100 {
		t.Fatalf("%d seats to tick in section 103, want more than 100", len(units))
	}
	form := hidden(t, body[strings.Index(body, `id="list"`):], "/e/aurora/hold")
	form["seat"] = []string{units[0][1], units[1][1], "x"}
	form.Set("area8897", "2")
	f.goes("/e/aurora/hold", form, "/e/aurora/checkout")
	want := `POST events/aurora/holds {"areas":[{"count":2,"unit":8897}],"seats":[` + units[0][1] + "," + units[1][1] + `]}`
	if got := f.called("POST events/aurora/holds"); len(got) != 1 || got[0] != want {
		t.Errorf("holds %v, want %s", got, want)
	}
}

func TestSigningErrorsStandBesideTheirField(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, path string
		set        func(*world)
		form       url.Values
		field      string
	}{
		{"wrong password", "/sign-in", refusing("POST sessions", 401, "wrong-password", nil), url.Values{"email": {"a@b.co"}, "password": {"x"}}, "password"},
		{"no password", "/sign-in", func(*world) {}, url.Values{"email": {"a@b.co"}}, "password"},
		{"bad address", "/sign-in", func(*world) {}, url.Values{"email": {"Ana <a@b.co>"}, "password": {"x"}}, "email"},
		{"taken", "/sign-up", refusing("POST accounts", 409, "email-taken", nil), url.Values{"name": {"Ana"}, "email": {"a@b.co"}, "password": {"x"}}, "email"},
		{"weak", "/sign-up", refusing("POST accounts", 400, "weak-password", nil), url.Values{"name": {"Ana"}, "email": {"a@b.co"}, "password": {"x"}}, "password"},
		{"no name", "/sign-up", func(*world) {}, url.Values{"email": {"a@b.co"}, "password": {"x"}}, "name"},
		{"by pointer", "/sign-up", refusing("POST accounts", 400, "invalid-request", obj{"errors": []obj{{"pointer": "/name", "code": "too-long", "detail": "at most 120 characters"}}}),
			url.Values{"name": {"Ana"}, "email": {"a@b.co"}, "password": {"x"}}, "name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			c.set(w)
			f := newFan(t, w)
			status, _, body := f.send(c.path, c.form)
			if status != http.StatusUnprocessableEntity {
				t.Fatalf("status %d, want 422", status)
			}
			for _, want := range []string{`<title>Erro: `, `href="#` + c.field + `"`, `id="` + c.field + `-wrong"`, `aria-invalid="true"`} {
				if !strings.Contains(body, want) {
					t.Errorf("the page lacks %s", want)
				}
			}
			if email := c.form.Get("email"); !strings.Contains(email, "<") && !strings.Contains(body, `value="`+email+`"`) {
				t.Error("the address has to be typed again")
			}
		})
	}
}

func TestForeignFormsAreRefused(t *testing.T) {
	f := signedFan(t, placed("waiting"))
	for name, set := range map[string]func(*http.Request){
		"another site":   func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"another origin": func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
	} {
		r, err := http.NewRequest(http.MethodPost, f.base+"/e/aurora/leave", nil)
		if err != nil {
			t.Fatal(err)
		}
		set(r)
		got, err := f.c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		if got.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d, want 403", name, got.StatusCode)
		}
	}
	if got := f.called("DELETE events/aurora/queue"); len(got) > 0 {
		t.Errorf("the place was given up: %v", got)
	}
}

func TestBusyIsNotSignedOut(t *testing.T) {
	w := newWorld()
	placed("waiting", refusing("GET accounts/me", 503, "busy", nil))(w)
	r := fetch(t, open(t, w, Options{}), "/e/aurora/queue", true, "pt-BR")
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("%d to %q, want 503 with Retry-After", r.StatusCode, r.Header.Get("Location"))
	}
}

func TestLanguageMenu(t *testing.T) {
	f := signedFan(t, func(*world) {})
	f.goes("/lang", url.Values{"lang": {"es"}, "next": {"/help?x=1"}}, "/help?x=1")
	if got := f.called(`PATCH accounts/me {"lang":"es"}`); len(got) != 1 {
		t.Error("the account does not learn the language")
	}
	if body := f.get("/help"); !strings.Contains(body, `<html lang="es">`) {
		t.Error("the cookie does not choose the language")
	}
	f.set(func(w *world) { w.account["lang"] = "en" })
	if body := f.get("/help"); !strings.Contains(body, `<html lang="en">`) {
		t.Error("the account's language does not win over the cookie")
	}
}

func TestBodyOverTheLimit(t *testing.T) {
	f := newFan(t, newWorld())
	status, _, _ := f.send("/sign-in", url.Values{"email": {strings.Repeat("a", 70<<10)}})
	if status != http.StatusBadRequest {
		t.Errorf("a form of 70 KB is answered %d, want 400", status)
	}
}

// TestCallsCarryTheVisitor: the API sees who asks, from where, and in which language.
func TestCallsCarryTheVisitor(t *testing.T) {
	var got *http.Request
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = r; w.WriteHeader(404) })
	h, err := New(Options{API: api})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/e/aurora", nil)
	r.Header.Set("Accept-Language", "fr, es-AR;q=0.8, en;q=0.5")
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	r.AddCookie(&http.Cookie{Name: "catraca", Value: "abc"})
	r.RemoteAddr, r.Host = "198.51.100.4:555", "fila.example"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if got == nil || got.RemoteAddr != r.RemoteAddr || got.Host != r.Host || got.Header.Get("Cookie") != "catraca=abc" ||
		got.Header.Get("X-Forwarded-For") != "203.0.113.9" || got.Header.Get("Accept-Language") != "es" {
		t.Errorf("the API got %+v", got)
	}
	if w.Code != 404 || !strings.Contains(w.Body.String(), `<html lang="es">`) {
		t.Errorf("page %d", w.Code)
	}
}
