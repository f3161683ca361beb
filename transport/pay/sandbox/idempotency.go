package sandbox

import "net/http"

// begin claims an idempotency key for one request. It returns the answer to give instead of working: the first
// outcome again, or why there is none. A nil answer must be followed by end.
func (s *Server) begin(key, print string) *reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inFlight[key] {
		f := &failure{Type: "idempotency_error", Code: "idempotency_key_in_use", status: http.StatusConflict,
			Message: "There is another request in flight with this idempotency key. Try again later."}
		r := s.failed(f)
		return &r
	}
	old := s.answers[key]
	switch {
	case old == nil || old.At < s.o.Now().Add(-answerLife).Unix():
		s.inFlight[key] = true
		return nil
	case old.Print != print:
		f := &failure{Type: "idempotency_error", status: http.StatusBadRequest,
			Message: "This idempotency key was first used with other parameters or for another address. Use another key."}
		r := s.failed(f)
		return &r
	default:
		return &reply{status: old.Status, body: []byte(old.Body), replayed: true}
	}
}

func (s *Server) end(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.inFlight, key)
}
