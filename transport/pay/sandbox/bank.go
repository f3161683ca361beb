package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// bankRoutes are what is outside the shop and outside the provider's pages: the app of the payer's bank, and what a load
// test has to know of the delays that it has ordered. Neither needs a key: whoever has a Pix code may pay it.
//
//	POST /bank/pix   code=…                        pays a Pix; 204, also when it is paid already
//	GET  /bank/held  order=o1-5&from_ago=&to_ago=  how long of that time, in ms before now, a delay has held back answers to
//	                                               the shop; with notices=1 also notices of what the payer has done
func (s *Server) bankRoutes() {
	s.mux.HandleFunc("POST /bank/pix", s.bankPix)
	s.mux.HandleFunc("GET /bank/held", s.bankHeld)
}

// momentHeader tells when the payer's word was taken, in Unix milliseconds.
const momentHeader = "Sandbox-Moment"

func (s *Server) moment(w http.ResponseWriter) {
	w.Header().Set(momentHeader, strconv.FormatInt(s.o.Now().UnixMilli(), 10))
}

// bankPix pays a Pix by its code. One that is unknown is 404, one that has run out or was canceled 409.
func (s *Server) bankPix(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	code := strings.TrimSpace(r.PostFormValue("code"))
	status := http.StatusNoContent
	events, err := s.update(&tx{r: r}, func(t *tx) {
		id := payee(code)
		in := t.peek(id)
		switch {
		case in == nil || code != brCode(in.ID, in.Amount):
			status = http.StatusNotFound
		case in.Status == succeeded:
		case in.is(needsAction) && in.Pix != nil:
			t.accept(t.intent(id))
		default:
			status = http.StatusConflict
		}
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	s.moment(w)
	s.publish(events)
	w.WriteHeader(status)
}

// payee is the payment a code names; "" when it names none.
func payee(code string) string {
	_, rest, ok := strings.Cut(code, pixAddress)
	if !ok || len(rest) < pixIDLength {
		return ""
	}
	return "pi_" + rest[:pixIDLength]
}

// Bounds of what is remembered of delays: orders, and delays of one.
const (
	maxHeldOrders = 100_000
	maxHeldTimes  = 64
)

// heldTimes are the times in which something about an order was held back by a delay that was asked for. Safe for many
// goroutines.
type heldTimes struct {
	mu   sync.Mutex
	list map[string][]heldTime // by the order's reference
}

type heldTime struct {
	from, to time.Time
	notice   bool // of what the payer has done, and not the answer to a call
}

// add notes one. An order that has many, or one too many of them, is not noted any more: then it is the shop that seems slow.
func (h *heldTimes) add(order string, t heldTime) {
	if order == "" || !t.to.After(t.from) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.list == nil {
		h.list = make(map[string][]heldTime)
	}
	if old := h.list[order]; len(old) < maxHeldTimes && (old != nil || len(h.list) < maxHeldOrders) {
		h.list[order] = append(old, t)
	}
}

// within is how much of a time was held back; what overlaps counts once.
func (h *heldTimes) within(order string, from, to time.Time, notices bool) (sum time.Duration) {
	h.mu.Lock()
	list := slices.Clone(h.list[order])
	h.mu.Unlock()
	slices.SortFunc(list, func(a, b heldTime) int { return a.from.Compare(b.from) })
	for _, t := range list {
		begin, end := later(t.from, from), earlier(t.to, to)
		if t.notice && !notices {
			continue
		}
		if end.After(begin) {
			sum += end.Sub(begin)
			from = end
		}
	}
	return sum
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (s *Server) bankHeld(w http.ResponseWriter, r *http.Request) {
	now := s.o.Now()
	ago := func(name string) (time.Time, bool) {
		ms, err := strconv.ParseInt(r.FormValue(name), 10, 64)
		return now.Add(-time.Duration(ms) * time.Millisecond), err == nil && ms >= 0 && ms < time.Hour.Milliseconds()*24
	}
	from, ok := ago("from_ago")
	to, fine := ago("to_ago")
	if !ok || !fine {
		http.Error(w, "from_ago and to_ago are milliseconds of the last day", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	held := s.held.within(r.FormValue("order"), from, to, r.FormValue("notices") == "1")
	_ = json.NewEncoder(w).Encode(map[string]int64{"held_ms": held.Milliseconds()}) // the asker is gone
}
