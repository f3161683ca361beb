package wire

import (
	"encoding/json"
	"math"
)

// What pages send nearly always, as JSON.stringify writes it, is read without encoding/json. Everything else, well formed
// or not, is left to the strict decoder: a scan says "not mine", never "wrong".

// scan reads JSON from left to right. Once something was not as expected, lost is set and nothing is read any more.
type scan struct {
	b    []byte
	at   int
	lost bool
}

// take passes over a text that must stand here.
func (s *scan) take(text string) {
	if !s.has(text) {
		s.lost = true
	}
}

// has passes over a text if it stands here.
func (s *scan) has(text string) bool {
	if s.lost || len(s.b)-s.at < len(text) || string(s.b[s.at:s.at+len(text)]) != text {
		return false
	}
	s.at += len(text)
	return true
}

// text reads a string of visible ASCII or blanks without escapes. It is part of the input.
func (s *scan) text() []byte {
	s.take(`"`)
	for from := s.at; !s.lost && s.at < len(s.b); s.at++ {
		switch c := s.b[s.at]; {
		case c == '"':
			s.at++
			return s.b[from : s.at-1]
		case c < ' ' || c > '~' || c == '\\':
			s.lost = true
		}
	}
	s.lost = true
	return nil
}

// number reads a whole number from 0 to most.
func (s *scan) number(most uint64) uint64 {
	from, n := s.at, uint64(0)
	for !s.lost && s.at < len(s.b) && s.b[s.at] >= '0' && s.b[s.at] <= '9' {
		d := uint64(s.b[s.at] - '0')
		if n > (math.MaxUint64-d)/10 {
			s.lost = true
			return 0
		}
		n = 10*n + d
		s.at++
	}
	digits := s.at - from
	if digits == 0 || digits > 1 && s.b[from] == '0' || n > most {
		s.lost = true
	}
	return n
}

// object passes over an object, which is part of the input.
func (s *scan) object() []byte {
	if s.lost || s.at >= len(s.b) || s.b[s.at] != '{' {
		s.lost = true
		return nil
	}
	from, depth, quoted := s.at, 0, false
	for ; s.at < len(s.b); s.at++ {
		switch c := s.b[s.at]; {
		case c > '~':
			s.lost = true
			return nil
		case quoted && c == '\\':
			s.at++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
			if depth > 0 {
				continue
			}
			s.at++
			if v := s.b[from:s.at]; json.Valid(v) {
				return v
			}
			s.lost = true
			return nil
		}
	}
	s.lost = true
	return nil
}

// done says whether everything was as expected, to the end.
func (s *scan) done() bool { return !s.lost && s.at == len(s.b) }

// scanCall reads a call. Its body is part of b.
func scanCall(b []byte) (Up, bool) {
	s := scan{b: b}
	u := Up{T: "call"}
	s.take(`{"t":"call"`)
	if s.has(`,"id":`) {
		u.ID = s.number(math.MaxUint64)
	}
	s.take(`,"op":`)
	u.Op = opName(s.text())
	if s.has(`,"key":`) {
		u.Key = string(s.text())
	}
	if s.has(`,"body":`) {
		u.Body = s.object()
	}
	s.take(`}`)
	return u, s.done() && u.Op != "" && len(u.Op) <= maxOp && len(u.Key) <= maxKey
}

// opName is the name of an operation; those that are called often are not allocated.
func opName(b []byte) string {
	switch string(b) {
	case "hold":
		return "hold"
	case "hold.release":
		return "hold.release"
	case "hold.change":
		return "hold.change"
	case "order":
		return "order"
	case "pay":
		return "pay"
	default:
		return string(b)
	}
}

// ScanHold reads a request for seats by number, or for the best of any kind, as pages write them; false: it may still be
// one, for a decoder that takes everything.
func ScanHold(b []byte) (HoldRequest, bool) {
	var r HoldRequest
	s := scan{b: b}
	if s.has(`{"best":{"quantity":`) {
		r.Best = &BestRequest{Quantity: uint32(s.number(math.MaxUint32))} //nolint:gosec // bounded
		s.take(`}}`)
		return r, s.done()
	}
	s.take(`{"seats":[`)
	for !s.lost && !s.has(`]`) {
		if len(r.Seats) > 0 {
			s.take(`,`)
		}
		r.Seats = append(r.Seats, uint32(s.number(math.MaxUint32))) //nolint:gosec // bounded
	}
	s.has(`,"areas":[]`)
	s.take(`}`)
	return r, s.done()
}

// ScanID reads a request that names one thing, as [ScanHold] does.
func ScanID(b []byte) (IDRequest, bool) {
	s := scan{b: b}
	s.take(`{"id":`)
	r := IDRequest{ID: string(s.text())}
	s.take(`}`)
	return r, s.done()
}
