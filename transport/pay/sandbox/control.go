package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxControlBody bounds a request to the control API.
const maxControlBody = 256 << 10

// controlRoutes are for tests and operators. They take the secret key like the API:
//
//	GET    /_sandbox/ledger             every payment and the sums
//	GET    /_sandbox/faults             what is waiting to go wrong
//	PUT    /_sandbox/faults             [Fault…] replaces, POST adds, DELETE removes all
//	GET    /_sandbox/deliveries         the latest tries to deliver webhooks
//	POST   /_sandbox/payments/{id}/pay  what the payment waits for happens now: Pix paid, processing done
//	POST   /_sandbox/events/{id}/resend delivers an event again
func (s *Server) controlRoutes() {
	s.mux.HandleFunc("GET /_sandbox/ledger", s.control(func(*http.Request) (any, *failure) { return s.Ledger(), nil }))
	s.mux.HandleFunc("GET /_sandbox/faults", s.control(func(*http.Request) (any, *failure) { return s.Faults(), nil }))
	s.mux.HandleFunc("PUT /_sandbox/faults", s.control(s.changeFaults(s.faults.set)))
	s.mux.HandleFunc("POST /_sandbox/faults", s.control(s.changeFaults(func(l []Fault) error { return s.faults.add(l...) })))
	s.mux.HandleFunc("DELETE /_sandbox/faults", s.control(func(*http.Request) (any, *failure) {
		s.ClearFaults()
		return s.Faults(), nil
	}))
	s.mux.HandleFunc("GET /_sandbox/deliveries", s.control(func(*http.Request) (any, *failure) { return s.Deliveries(), nil }))
	s.mux.HandleFunc("POST /_sandbox/payments/{id}/pay", s.control(func(r *http.Request) (any, *failure) {
		return s.outcome(s.Pay(r.PathValue("id")))
	}))
	s.mux.HandleFunc("POST /_sandbox/events/{id}/resend", s.control(func(r *http.Request) (any, *failure) {
		return s.outcome(s.Resend(r.PathValue("id")))
	}))
}

func (s *Server) control(work func(*http.Request) (any, *failure)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.describe(w, r)
		f := s.authorize(r)
		var out any
		if f == nil {
			out, f = work(r)
		}
		if f != nil {
			send(w, s.failed(f))
			return
		}
		body, err := json.Marshal(out)
		if err != nil {
			send(w, s.failed(broken("encode answer: "+err.Error())))
			return
		}
		send(w, reply{status: http.StatusOK, body: body})
	}
}

func (s *Server) changeFaults(change func([]Fault) error) func(*http.Request) (any, *failure) {
	return func(r *http.Request) (any, *failure) {
		list, err := parseFaults(io.LimitReader(r.Body, maxControlBody))
		if err == nil {
			err = change(list)
		}
		if err != nil {
			return nil, invalid("", "", "The faults are not valid: %v", err)
		}
		return s.Faults(), nil
	}
}

// parseFaults reads a JSON array of faults, or a single one.
func parseFaults(r io.Reader) ([]Fault, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var list []Fault
	var one Fault
	if json.Unmarshal(data, &one) == nil {
		data = append(append([]byte{'['}, data...), ']')
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("there is something behind the array")
	}
	return list, nil
}

func (s *Server) outcome(err error) (any, *failure) {
	if err != nil {
		return nil, invalid("id", "", "%v", err)
	}
	return map[string]bool{"done": true}, nil
}

// Pay makes what a payment waits for happen now: a Pix is paid, a processing card is done.
func (s *Server) Pay(payment string) error {
	var refused error
	events, err := s.update(&tx{}, func(t *tx) {
		in := t.peek(payment)
		switch {
		case in == nil:
			refused = fmt.Errorf("payment %s is not known", payment)
		case in.Status == processing, in.Status == needsAction && in.Pix != nil:
			t.accept(t.intent(payment))
		default:
			refused = fmt.Errorf("payment %s has the status %s; only a shown Pix or a processing card can be paid", payment, in.Status)
		}
	})
	if err != nil {
		return err
	}
	s.publish(events)
	return refused
}

// Resend delivers an event once more.
func (s *Server) Resend(id string) error {
	s.mu.Lock()
	ev := s.findEvent(id)
	s.mu.Unlock()
	if ev == nil {
		return fmt.Errorf("event %s is not known", id)
	}
	s.dispatch(ev)
	return nil
}
