package page

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

type obj = map[string]any

func brl(cents int) obj { return obj{"amount": cents, "currency": "BRL"} }

// world is a stub of the API in one state. Tests read calls and change the state under mu.
type world struct {
	mu      sync.Mutex
	account obj // nil: nobody is signed in, whatever the cookie
	events  []obj
	place   obj
	hold    obj
	order   obj
	orders  []obj
	tickets []obj
	plan    *plan
	status  string
	refuse  map[string]obj // "METHOD path below /api/v1/" -> problem
	calls   []string
	headers []http.Header
	moved   bool   // the next frame says that another device took over
	ending  string // the socket closes with this code right away
}

func stamp(d time.Duration) string {
	return time.Now().UTC().Add(d).Format("2006-01-02T15:04:05.000Z")
}

func refusal(status int, code string, more obj) obj {
	p := obj{"type": "/problems/" + code, "code": code, "title": "Title of " + code, "status": status, "detail": "detail of " + code}
	maps.Copy(p, more)
	return p
}

func newEvent() obj {
	return obj{
		"id": "1", "slug": "aurora", "name": "Aurora Boreal", "venue": "Arena do Porto, Recife", "phase": "open",
		"rehearsal": false, "currency": "BRL", "time_zone": "America/Recife",
		"starts_at": "2027-03-14T00:00:00.000Z", "lobby_at": stamp(-time.Hour), "opens_at": stamp(-time.Minute),
		"closes_at": stamp(48 * time.Hour), "now": stamp(0), "price_from": brl(9000), "price_to": brl(48000),
		"limits": obj{"per_hold": 6, "per_account": 6},
		"categories": []obj{
			{"id": 0, "key": "pista", "name": "Pista premium", "color": "#d1495b", "price": brl(48000), "fee": brl(4800), "capacity": 2000, "free": 184, "held": 20, "sold": 1796, "area": true},
			{"id": 1, "key": "inferior", "name": "Arquibancada inferior", "color": "#2e6fb7", "price": brl(26000), "fee": brl(2600), "capacity": 4200, "free": 2310, "held": 90, "sold": 1800, "area": false},
			{"id": 2, "key": "superior", "name": "Arquibancada superior", "color": "#e0a100", "price": brl(9000), "fee": brl(900), "capacity": 2697, "free": 0, "held": 0, "sold": 2697, "area": false},
		},
		"sections": []obj{{"id": 0, "label": "A", "zone": ""}},
		"plan_url": "/api/v1/events/aurora/plan/0a1b2c3d.json", "message": "", "pause_reason": "", "policy_hash": "ab12",
		"payment_methods": []string{"card", "pix"},
	}
}

func newPlace(state string) obj {
	return obj{
		"event": "aurora", "state": state, "number": 12873, "ahead": 4538, "eta": obj{"lo_ms": 660000, "hi_ms": 1080000, "why": "", "over_hour": false},
		"chance": "likely", "deadline": nil, "cap": nil, "phase": "open", "waiting": 9120, "now": stamp(0),
	}
}

func newLines() []obj {
	return []obj{
		{"unit": 7, "count": 1, "section": "102", "row": "F", "seat": "14", "area": false, "category": 1, "category_name": "Arquibancada inferior", "price": brl(26000), "fee": brl(2600)},
		{"unit": 8, "count": 1, "section": "102", "row": "F", "seat": "15", "area": false, "category": 1, "category_name": "Arquibancada inferior", "price": brl(26000), "fee": brl(2600)},
	}
}

func newHold() obj {
	return obj{"id": "h1-3", "expires_at": stamp(7*time.Minute + 30*time.Second), "cap_at": stamp(20 * time.Minute), "renewed": false,
		"lines": newLines(), "total": brl(57200), "adjacent": true, "order": nil}
}

func newOrder(state string, payment obj) obj {
	return obj{"id": "o1-5", "event": "aurora", "event_name": "Aurora Boreal", "state": state, "expires_at": stamp(6 * time.Minute), "total": brl(57200),
		"lines": newLines(), "opened_at": stamp(-time.Minute), "paid_at": nil, "payment": payment, "tickets": []string{}, "mailed": false, "attention": false, "reason": ""}
}

func newPayment(method, state string, more obj) obj {
	p := obj{"method": method, "state": state, "attempt": 1, "url": nil, "pix": nil, "decline": nil}
	maps.Copy(p, more)
	return p
}

func newTickets() []obj {
	var ts []obj
	for i, l := range newLines() {
		ts = append(ts, obj{"id": fmt.Sprintf("t1-%d", 9+i), "order": "o1-5", "event": "aurora", "unit": l["unit"], "section": "102", "row": "F", "seat": l["seat"],
			"area": false, "number": 1, "category_name": "Arquibancada inferior", "price": brl(26000), "fee": brl(2600), "holder": "Marina Araújo",
			"code": "CT1.abc", "issued_at": stamp(0), "revoked": false, "scanned_at": nil})
	}
	return ts
}

func newWorld() *world {
	w := &world{
		account: obj{"id": "7", "email": "marina@example.com", "name": "Marina Araújo", "lang": "", "role": "fan"},
		events:  []obj{newEvent()}, refuse: map[string]obj{}, plan: arena(),
	}
	w.status = statusOf(w.plan, 3)
	return w
}

// ServeHTTP answers the contract's JSON.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/")
	if strings.HasSuffix(path, "/live") {
		w.live(rw, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, strings.TrimSpace(r.Method+" "+path+" "+string(body)))
	w.headers = append(w.headers, r.Header.Clone())
	status, answer := w.answer(r, path, body)
	if status >= 400 && answer == nil {
		answer = refusal(status, map[int]string{401: "unauthenticated", 404: "not-found"}[status], nil)
	}
	if raw, ok := answer.([]byte); ok {
		rw.Header().Set("Content-Type", "image/svg+xml")
		rw.Write(raw)
		return
	}
	kind := "application/json"
	if status >= 400 {
		kind = "application/problem+json"
	}
	rw.Header().Set("Content-Type", kind)
	if strings.HasPrefix(path, "sessions") || path == "accounts" {
		if status < 300 {
			http.SetCookie(rw, &http.Cookie{Name: "catraca", Value: map[string]string{"POST": "s3cret"}[r.Method], Path: "/", HttpOnly: true})
		}
	}
	rw.WriteHeader(status)
	if answer != nil {
		json.NewEncoder(rw).Encode(answer)
	}
}

func (w *world) answer(r *http.Request, path string, body []byte) (int, any) {
	if p := w.refuse[r.Method+" "+path]; p != nil {
		return p["status"].(int), p
	}
	_, err := r.Cookie("catraca")
	signed := err == nil && w.account != nil
	switch key := r.Method + " " + path; {
	case key == "GET events":
		return 200, obj{"items": w.events, "next": nil}
	case key == "POST accounts", key == "POST sessions":
		if w.account == nil {
			w.account = obj{"id": "7", "email": "marina@example.com", "name": "Marina Araújo", "lang": "", "role": "fan"}
		}
		return 201, obj{"account": w.account}
	case strings.HasSuffix(path, ".json") && strings.Contains(path, "/plan/"):
		return 200, planJSON(w.plan)
	case strings.HasPrefix(key, "GET events/") && strings.Count(path, "/") == 1:
		for _, e := range w.events {
			if "events/"+e["slug"].(string) == path {
				return 200, e
			}
		}
		return 404, nil
	case !signed:
		return 401, nil
	}
	return w.answerSigned(r.Method+" "+strings.TrimPrefix(path, "events/aurora/"), body)
}

func (w *world) answerSigned(key string, body []byte) (int, any) {
	switch key {
	case "GET accounts/me":
		return 200, obj{"account": w.account}
	case "PATCH accounts/me", "DELETE sessions/current":
		return 204, nil
	case "GET queue/me":
		if w.place == nil {
			return 404, refusal(404, "no-place", nil)
		}
		return 200, w.place
	case "POST queue":
		w.place = newPlace("waiting")
		return 201, w.place
	case "DELETE queue/me":
		w.place["state"] = "left"
		return 204, nil
	case "POST admission":
		if w.place == nil || w.place["state"] != "offered" {
			return 409, refusal(409, "not-your-turn", nil)
		}
		w.place["state"], w.place["deadline"] = "shopping", stamp(9*time.Minute)
		return 200, w.place
	case "DELETE admission":
		w.place["state"] = "done"
		return 204, nil
	case "GET seats":
		return 200, obj{"version": 1, "status": w.status, "areas": []obj{{"unit": len(w.status), "free": 184}}}
	}
	return w.answerBuying(key, body)
}

func (w *world) answerBuying(key string, body []byte) (int, any) {
	switch {
	case key == "GET holds/me":
		if w.hold == nil {
			return 404, nil
		}
		return 200, w.hold
	case key == "POST holds":
		w.hold = newHold()
		return 201, w.hold
	case strings.HasPrefix(key, "PATCH holds/"):
		w.hold["renewed"] = true
		return 200, w.hold
	case strings.HasPrefix(key, "DELETE holds/"):
		w.hold = nil
		return 204, nil
	case key == "POST orders":
		w.order = newOrder("awaiting", nil)
		w.hold["order"] = "o1-5"
		return 201, w.order
	case key == "GET orders":
		items := w.orders
		if w.order != nil {
			items = append(items, w.order)
		}
		return 200, obj{"items": items}
	case strings.HasSuffix(key, "/pay"):
		var b struct{ Method string }
		json.Unmarshal(body, &b)
		if b.Method == "pix" {
			w.order["payment"] = newPayment("pix", "action", obj{"pix": obj{"code": "00020126580014br.gov.bcb.pix", "qr_svg_url": "/api/v1/orders/o1-5/pix.svg"}})
		} else {
			w.order["payment"] = newPayment("card", "action", obj{"url": "https://pay.example/c/1"})
		}
		return 200, w.order
	case strings.HasSuffix(key, "/cancel"):
		w.order["state"], w.hold = "canceled", nil
		return 200, w.order
	case strings.HasSuffix(key, "/tickets"):
		return 200, obj{"items": w.tickets}
	case strings.HasSuffix(key, ".svg"):
		return 200, fakeQR()
	case key == "GET orders/o1-5" && w.order != nil:
		return 200, w.order
	}
	return 404, nil
}

// live is the stub's socket: says the place, then moves it and ticks.
func (w *world) live(rw http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{Subprotocols: []string{"catraca.v1.json"}}
	c, err := up.Upgrade(rw, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	w.mu.Lock()
	ending := w.ending
	w.mu.Unlock()
	if ending != "" {
		var code int
		fmt.Sscan(ending, &code)
		c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second))
		return
	}
	var write sync.Mutex
	send := func(f obj) bool {
		write.Lock()
		defer write.Unlock()
		return c.WriteJSON(f) == nil
	}
	go func() {
		for w.beat(send) {
			time.Sleep(200 * time.Millisecond)
		}
	}()
	for {
		var f struct {
			T    string
			ID   int
			Op   string
			Body json.RawMessage
		}
		if err := c.ReadJSON(&f); err != nil {
			return
		}
		w.mu.Lock()
		w.calls = append(w.calls, "ws "+f.T+" "+f.Op+" "+string(f.Body))
		if f.T == "call" {
			status, body := w.call(f.Op, f.Body)
			w.mu.Unlock()
			send(obj{"t": "reply", "seq": 1, "id": f.ID, "status": status, "body": body})
			continue
		}
		w.mu.Unlock()
	}
}

func (w *world) call(op string, body []byte) (int, any) {
	key := map[string]string{"hold": "POST holds", "order.get": "GET orders/o1-5", "hold.get": "GET holds/me"}[op]
	if p := w.refuse["ws "+op]; p != nil {
		return p["status"].(int), p
	}
	return w.answerBuying(key, body)
}

// beat sends what a gateway would send in one interval; false ends it.
func (w *world) beat(send func(obj) bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.moved {
		return send(obj{"t": "moved", "seq": 1})
	}
	e := w.events[0]
	if w.place != nil {
		w.place["now"], w.place["phase"] = stamp(0), e["phase"]
		f := obj{"t": "place", "seq": 1}
		maps.Copy(f, w.place)
		if !send(f) {
			return false
		}
	}
	if w.order != nil {
		send(obj{"t": "order", "seq": 1, "order": w.order})
	}
	return send(obj{"t": "tick", "seq": 2, "front": 8000, "waiting": 9120, "shopping": 80, "rate": 600, "phase": e["phase"],
		"price_from": brl(9000), "price_to": brl(48000), "stock": []obj{{"category": 0, "free": 120}, {"category": 1, "free": 2290}, {"category": 2, "free": 0}},
		"message": e["message"], "pause_reason": e["pause_reason"], "now": stamp(0)})
}

// fakeQR looks like a code without being one.
func fakeQR() []byte {
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 29 29"><path fill="#fff" d="M0 0h29v29H0z"/><path d="M2 2h7v7H2zM20 2h7v7h-7zM2 20h7v7H2z"/><path fill="#fff" d="M3 3h5v5H3zM21 3h5v5h-5zM3 21h5v5H3z"/><path d="M4 4h3v3H4zM22 4h3v3h-3zM4 22h3v3H4z"/><path d="`)
	for i := range 29 * 29 {
		x, y := i%29, i/29
		if (x > 9 && x < 27 || y > 9 && y < 20) && y > 1 && y < 27 && x > 1 && (x <= 18 || y >= 10) && (x >= 10 || y <= 18) && (i*7919+x*y*31)%5 < 2 {
			fmt.Fprintf(&b, "M%d %dh1v1h-1z", x, y)
		}
	}
	b.WriteString(`"/></svg>`)
	return []byte(b.String())
}

// parsed is the embedded files, read once for all tests.
var parsed = sync.OnceValues(func() (*bundle, error) { return loadBundle(os.DirFS("files")) })

// shared is newHandler without reading the files again.
func shared(o Options) (*Handler, error) {
	if o.Files != nil {
		return newHandler(o)
	}
	b, err := parsed()
	if err != nil {
		return nil, err
	}
	h := &Handler{opts: o, log: slog.New(slog.DiscardHandler), fixed: b}
	h.mux = h.routes()
	return h, nil
}

// open makes the pages over w and serves both like the real server does.
func open(t testing.TB, w *world, o Options) http.Handler {
	t.Helper()
	o.API = w
	h, err := shared(o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", w)
	mux.Handle("/", h)
	return mux
}
