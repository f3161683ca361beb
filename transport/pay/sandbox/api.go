package sandbox

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"
)

// Operations of the API, as faults name them.
const (
	opCreate  = "create"
	opConfirm = "confirm"
	opCapture = "capture"
	opCancel  = "cancel"
	opRefund  = "refund"
	opGet     = "get"
)

// operation answers one request inside a transaction.
type operation func(*tx) (any, *failure)

// reply is a finished answer.
type reply struct {
	status   int
	body     []byte
	replayed bool
}

// api wraps an operation: key, parameters, faults, idempotency, transaction, webhooks.
func (s *Server) api(op string, work operation) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.describe(w, r)
		if f := s.authorize(r); f != nil {
			send(w, s.failed(f))
			return
		}
		p, f := s.read(r)
		if f != nil {
			send(w, s.failed(f))
			return
		}
		fault := s.faults.api(op, r.PathValue("id"), s.orderOf(r, p))
		if s.before(w, r, fault) {
			return
		}
		key := r.Header.Get("Idempotency-Key")
		if r.Method != http.MethodPost {
			key = ""
		}
		print := p.print(r.Method, r.URL.Path)
		if key != "" {
			if old := s.begin(key, print); old != nil {
				w.Header().Set("Idempotency-Key", key)
				send(w, *old)
				return
			}
			defer s.end(key)
		}
		if fault.is("delay") {
			from := s.o.Now()
			whole := pause(r.Context(), fault.delay())
			s.held.add(s.referenceOf(r, p), heldTime{from: from, to: s.o.Now()})
			if !whole {
				return
			}
		}
		t := &tx{r: r, p: p, key: key}
		answer := s.perform(t, work, fault, key, print)
		s.after(w, r, fault, answer)
	}
}

// describe sets the headers every answer has.
func (s *Server) describe(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	id, _ := s.newID("req")
	s.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Request-Id", id)
	h.Set("Stripe-Version", stripe.APIVersion)
	if key := r.Header.Get("Idempotency-Key"); key != "" && len(key) <= 255 {
		h.Set("Idempotency-Key", key)
	}
}

func (s *Server) authorize(r *http.Request) *failure {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		given, _, _ = r.BasicAuth() // as curl -u key: sends it
	}
	if subtle.ConstantTimeCompare([]byte(given), []byte(s.o.SecretKey)) == 1 {
		return nil
	}
	f := invalid("", "", "Invalid API Key provided: give the sandbox's secret key as a bearer token.")
	f.status = http.StatusUnauthorized
	return f
}

// read takes the parameters from the body of a POST and from the query of a GET.
func (s *Server) read(r *http.Request) (*params, *failure) {
	if len(r.Header.Get("Idempotency-Key")) > 255 {
		return nil, &failure{Type: "idempotency_error", Message: "Idempotency keys have at most 255 characters.", status: 400}
	}
	if r.Method != http.MethodPost {
		return parseParams(r.URL.RawQuery)
	}
	if r.ContentLength != 0 {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
			return nil, invalid("", "", "The body must be application/x-www-form-urlencoded.")
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, invalid("", "", "The body could not be read.")
	}
	if len(body) > maxBody {
		f := invalid("", "", "The body is larger than %d bytes.", maxBody)
		f.status = http.StatusRequestEntityTooLarge
		return nil, f
	}
	return parseParams(string(body))
}

// orderOf tells which order a request is about, for faults that hit one order only; referenceOf is its public name.
func (s *Server) orderOf(r *http.Request, p *params) string { return s.metadataOf(r, p, "order") }

func (s *Server) referenceOf(r *http.Request, p *params) string {
	return s.metadataOf(r, p, "reference")
}

func (s *Server) metadataOf(r *http.Request, p *params, name string) string {
	if v := p.values.Get("metadata[" + name + "]"); v != "" {
		return v
	}
	id := r.PathValue("id")
	if id == "" {
		id = p.values.Get("payment_intent")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if in := s.intents[id]; in != nil {
		return in.Metadata[name]
	}
	return ""
}

// perform runs the operation and stores its answer under the idempotency key, in one transaction.
func (s *Server) perform(t *tx, work operation, fault *Fault, key, print string) reply {
	var out reply
	events, err := s.update(t, func(t *tx) {
		store := true
		switch {
		case fault.is("500_stored"):
			out = s.failed(broken("An unexpected error occurred (requested fault)."))
		default:
			result, f := work(t)
			if f == nil && t.p != nil {
				f = t.p.rest() // a parameter nobody took: the whole request is refused
			}
			out, store = t.encode(result, f)
			if fault.is("500_after_commit") {
				out = s.failed(broken("An unexpected error occurred (requested fault)."))
			}
		}
		if key != "" && store {
			t.answer = &answer{Key: key, Print: print, Status: out.status, Body: string(out.body), At: t.now.Unix()}
		}
	})
	if err != nil {
		f := broken("The sandbox cannot store anything: " + err.Error())
		f.status = http.StatusServiceUnavailable
		return s.failed(f)
	}
	s.publish(events)
	return out
}

// encode makes the answer of an operation. A refusal that was not stored leaves no trace.
func (t *tx) encode(result any, f *failure) (reply, bool) {
	if f == nil {
		body, err := json.Marshal(result)
		if err != nil { // every result is a plain struct of ours
			panic("sandbox: encode answer: " + err.Error())
		}
		return reply{status: http.StatusOK, body: body}, true
	}
	if !f.stored {
		t.intents, t.refunds, t.events = nil, nil, nil
	}
	var shown *intentJSON
	if f.intent != "" {
		if in := t.peek(f.intent); in != nil {
			shown = t.s.renderIntent(t.base(), in, false)
		}
	}
	return failedWith(f, shown), f.stored
}

func (s *Server) failed(f *failure) reply { return failedWith(f, nil) }

func failedWith(f *failure, in *intentJSON) reply {
	body, err := json.Marshal(map[string]any{"error": errorJSON{failure: f, PaymentIntent: in}})
	if err != nil {
		panic("sandbox: encode error: " + err.Error())
	}
	return reply{status: f.status, body: body}
}

func send(w http.ResponseWriter, a reply) {
	if a.replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client is gone: it asks again with its key
}

// pause waits unless the client goes away first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t *tx) unknownAddress() (any, *failure) {
	f := invalid("", "", "Unrecognized request URL (%s: %s).", t.r.Method, t.r.URL.Path)
	f.status = http.StatusNotFound
	return nil, f
}
