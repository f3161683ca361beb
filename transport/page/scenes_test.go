package page

import (
	"time"
)

// scene is one state of one screen: what the world is like and which address shows it.
type scene struct {
	name   string
	path   string
	signed bool
	set    func(w *world)
	status int    // 200 when zero
	want   string // a text key that must be on the page
}

func phase(to string) func(*world) {
	return func(w *world) {
		w.events[0]["phase"] = to
		switch to {
		case "scheduled":
			w.events[0]["lobby_at"], w.events[0]["opens_at"] = stamp(26*time.Hour), stamp(27*time.Hour)
		case "lobby":
			w.events[0]["opens_at"] = stamp(12*time.Minute + 30*time.Second)
		case "paused":
			w.events[0]["pause_reason"] = "Chuva forte na região da arena."
		}
	}
}

func placed(state string, more ...func(*world)) func(*world) {
	return func(w *world) {
		w.place = newPlace(state)
		switch state {
		case "offered":
			w.place["ahead"], w.place["deadline"] = 0, stamp(95*time.Second)
		case "shopping":
			w.place["deadline"], w.place["cap"] = stamp(9*time.Minute+12*time.Second), stamp(25*time.Minute)
		}
		for _, f := range more {
			f(w)
		}
	}
}

func holding(more ...func(*world)) func(*world) {
	return placed("shopping", append([]func(*world){func(w *world) { w.hold = newHold() }}, more...)...)
}

func ordered(state string, pay obj, more ...func(*world)) func(*world) {
	return func(w *world) {
		w.order = newOrder(state, pay)
		for _, f := range more {
			f(w)
		}
	}
}

func refusing(call string, status int, code string, more obj) func(*world) {
	return func(w *world) { w.refuse[call] = refusal(status, code, more) }
}

func manyEvents(w *world) {
	second := newEvent()
	second["slug"], second["name"], second["venue"], second["phase"] = "frevo", "Orquestra do Frevo no Marco Zero", "Praça do Marco Zero", "scheduled"
	w.events = append(w.events, second)
}

func pixWaiting() obj {
	code := "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-426655440000520400005303986540557200802BR5913Catraca Teste6006Recife62070503***6304A1B2"
	return newPayment("pix", "action", obj{"pix": obj{"code": code, "qr_svg_url": "/api/v1/orders/o1-5/pix.svg"}})
}

func issued(w *world) {
	w.tickets = newTickets()
	w.order["tickets"], w.order["mailed"], w.order["paid_at"] = []string{"t1-9", "t1-10"}, true, stamp(0)
}

// scenes are all states of all screens.
func scenes() []scene {
	nothing := func(*world) {}
	return []scene{
		{"home", "/", false, manyEvents, 0, "home.title"},
		{"home-none", "/", false, func(w *world) { w.events = nil }, 0, "home.none"},
		{"home-one", "/", false, nothing, 0, "event.join"},
		{"event-scheduled", "/e/aurora", false, phase("scheduled"), 0, "event.prepare"},
		{"event-ready", "/e/aurora", true, phase("scheduled"), 0, "event.ready"},
		{"event-lobby", "/e/aurora", false, phase("lobby"), 0, "event.opens_in"},
		{"event-open", "/e/aurora", true, nothing, 0, "event.join"},
		{"event-placed", "/e/aurora", true, placed("waiting"), 0, "event.back_to_queue"},
		{"event-paused", "/e/aurora", true, phase("paused"), 0, "queue.paused"},
		{"event-closed", "/e/aurora", false, phase("closed"), 0, "event.closed"},
		{"sign-in", "/sign-in?next=/e/aurora/queue&then=join", false, nothing, 0, "signin.then_join"},
		{"sign-up", "/sign-up?next=/e/aurora", false, nothing, 0, "form.password_hint"},
		{"queue-early", "/e/aurora/queue", true, phase("scheduled"), 0, "early.body"},
		{"queue-none", "/e/aurora/queue", true, nothing, 0, "none.body"},
		{"queue-lobby", "/e/aurora/queue", true, placed("waiting", phase("lobby")), 0, "event.opens_in"},
		{"queue-waiting", "/e/aurora/queue", true, placed("waiting"), 0, "queue.in"},
		{"queue-away", "/e/aurora/queue", true, placed("away", func(w *world) { w.place["eta"], w.place["chance"] = nil, "" }), 0, "eta.unknown"},
		{"queue-last", "/e/aurora/queue", true, placed("waiting", func(w *world) {
			w.place["ahead"], w.place["chance"], w.place["eta"] = 1, "unlikely", obj{"lo_ms": 5000, "hi_ms": 50000, "why": "slower_shoppers"}
		}), 0, "pace.slower_shoppers"},
		{"queue-long", "/e/aurora/queue", true, placed("waiting", func(w *world) {
			w.place["ahead"], w.place["number"], w.place["chance"], w.place["eta"] = 1_000_000, 1_284_001, "uncertain", obj{"over_hour": true}
		}), 0, "eta.over_hour"},
		{"queue-paused", "/e/aurora/queue", true, placed("waiting", phase("paused"), func(w *world) { w.events[0]["message"] = "Os portões abrem às 18 h." }), 0, "queue.paused"},
		{"queue-turn", "/e/aurora/queue", true, placed("offered"), 0, "turn.claim"},
		{"queue-parked", "/e/aurora/queue", true, placed("parked"), 0, "parked.body"},
		{"queue-done", "/e/aurora/queue", true, placed("done"), 0, "done.body"},
		{"queue-left", "/e/aurora/queue", true, placed("left"), 0, "left.body"},
		{"queue-removed", "/e/aurora/queue", true, placed("removed"), 0, "removed.body"},
		{"queue-closed", "/e/aurora/queue", true, placed("waiting", phase("closed")), 0, "closed.body"},
		{"queue-refused", "/e/aurora/queue?why=not-your-turn", true, placed("waiting"), 0, "problem.not-your-turn.body"},
		{"seats", "/e/aurora/seats", true, placed("shopping"), 0, "best.button"},
		{"seats-section", "/e/aurora/seats?section=2", true, placed("shopping"), 0, "tray.hold"},
		{"seats-held", "/e/aurora/seats", true, holding(), 0, "seats.held"},
		{"checkout", "/e/aurora/checkout", true, holding(), 0, "pay.card_note"},
		{"checkout-apart", "/e/aurora/checkout", true, holding(func(w *world) {
			w.hold["adjacent"], w.hold["renewed"] = false, true
			w.hold["lines"].([]obj)[1]["row"] = "G"
		}), 0, "bill.apart"},
		{"checkout-pix", "/orders/o1-5", true, ordered("awaiting", pixWaiting()), 0, "pix.copy"},
		{"checkout-card", "/orders/o1-5", true, ordered("awaiting", newPayment("card", "action", obj{"url": "https://pay.example/c/1"})), 0, "action.button"},
		{"checkout-declined", "/orders/o1-5", true, ordered("awaiting", newPayment("card", "failed", obj{"decline": "insufficient_funds"})), 0, "decline.insufficient_funds"},
		{"checkout-confirming", "/orders/o1-5", true, ordered("committed", newPayment("card", "authorized", nil)), 0, "confirming.dont"},
		{"order-paid", "/orders/o1-5", true, ordered("paid", newPayment("card", "captured", nil)), 0, "order.issuing"},
		{"order-tickets", "/orders/o1-5", true, ordered("fulfilled", newPayment("pix", "captured", nil), issued), 0, "ticket.pdf"},
		{"order-expired", "/orders/o1-5", true, ordered("expired", nil), 0, "order.body.expired"},
		{"order-canceled", "/orders/o1-5", true, ordered("canceled", nil), 0, "order.body.canceled"},
		{"order-refunding", "/orders/o1-5", true, ordered("refunding", newPayment("card", "captured", nil), func(w *world) { w.order["attention"] = true }), 0, "order.attention"},
		{"order-refunded", "/orders/o1-5", true, ordered("refunded", newPayment("card", "captured", nil)), 0, "order.body.refunded"},
		{"orders", "/orders", true, func(w *world) {
			w.orders = []obj{newOrder("fulfilled", nil), newOrder("awaiting", nil), newOrder("refunded", nil)}
		}, 0, "order.state.fulfilled"},
		{"orders-none", "/orders", true, nothing, 0, "orders.none"},
		{"busy", "/e/aurora", false, refusing("GET events/aurora", 503, "busy", obj{"retry_after_ms": 8000}), 503, "busy.now"},
		{"missing", "/nowhere", false, nothing, 404, "problem.not-found.body"},
		{"event-missing", "/e/other", false, nothing, 404, "problem.not-found.body"},
		{"forbidden", "/orders/o1-5", true, refusing("GET orders/o1-5", 403, "forbidden", nil), 403, "problem.forbidden.body"},
		{"help", "/help", false, nothing, 0, "help.problems"},
		{"help-problem", "/problems/orphan", false, nothing, 0, "problem.orphan.body"},
	}
}
