package wire

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Code is the stable name of a problem.
type Code string

// Problems. Each has one status and one sentence per language.
const (
	InvalidRequest      Code = "invalid-request"
	Unauthenticated     Code = "unauthenticated"
	WrongPassword       Code = "wrong-password"
	Forbidden           Code = "forbidden"
	ForeignOrigin       Code = "foreign-origin"
	NotFound            Code = "not-found"
	NoPlace             Code = "no-place"
	EmailTaken          Code = "email-taken"
	WeakPassword        Code = "weak-password"
	IdempotencyMismatch Code = "idempotency-mismatch"
	NotOpen             Code = "not-open"
	Closed              Code = "closed"
	NotYourTurn         Code = "not-your-turn"
	NoLease             Code = "no-lease"
	Conflict            Code = "conflict"
	SoldOut             Code = "sold-out"
	Limit               Code = "limit"
	Orphan              Code = "orphan"
	UnknownUnit         Code = "unknown-unit"
	Expired             Code = "expired"
	AlreadyRenewed      Code = "already-renewed"
	PaymentInProgress   Code = "payment-in-progress"
	WrongState          Code = "wrong-state"
	TooManyAttempts     Code = "too-many-attempts"
	HoldExists          Code = "hold-exists"
	Removed             Code = "removed"
	Busy                Code = "busy"
	Unavailable         Code = "unavailable"
	TooManyRequests     Code = "too-many-requests"
	TooLarge            Code = "too-large"
	Internal            Code = "internal"
)

// Status of the code in HTTP.
func (c Code) Status() int {
	switch c {
	case InvalidRequest, UnknownUnit, WeakPassword:
		return http.StatusBadRequest
	case Unauthenticated, WrongPassword:
		return http.StatusUnauthorized
	case Forbidden, ForeignOrigin, Removed:
		return http.StatusForbidden
	case NotFound, NoPlace:
		return http.StatusNotFound
	case EmailTaken, IdempotencyMismatch, NotOpen, NotYourTurn, NoLease, Conflict, SoldOut, Limit, Orphan,
		AlreadyRenewed, PaymentInProgress, WrongState, TooManyAttempts, HoldExists:
		return http.StatusConflict
	case Closed, Expired:
		return http.StatusGone
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case TooManyRequests:
		return http.StatusTooManyRequests
	case Busy, Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// Codes lists every code, for help pages and tests.
func Codes() []Code {
	return []Code{
		InvalidRequest, Unauthenticated, WrongPassword, Forbidden, ForeignOrigin, NotFound, NoPlace, EmailTaken,
		WeakPassword, IdempotencyMismatch, NotOpen, Closed, NotYourTurn, NoLease, Conflict, SoldOut, Limit, Orphan,
		UnknownUnit, Expired, AlreadyRenewed, PaymentInProgress, WrongState, TooManyAttempts, HoldExists, Removed,
		Busy, Unavailable, TooManyRequests, TooLarge, Internal,
	}
}

// Problem is an error as RFC 9457 has it: a code for programs, a sentence for people.
type Problem struct { //nolint:errname // the word of RFC 9457
	Type       string       `json:"type"`
	Code       Code         `json:"code"`
	Title      string       `json:"title"`
	Status     int          `json:"status"`
	Detail     string       `json:"detail,omitempty"`
	RetryAfter int64        `json:"retry_after_ms,omitempty"`
	Errors     []FieldError `json:"errors,omitempty"`
	Units      []uint32     `json:"units,omitempty"`   // conflict: what cannot be had
	Suggest    []uint32     `json:"suggest,omitempty"` // orphan: what could be had instead
	Allowed    *uint32      `json:"allowed,omitempty"` // limit
	Hold       string       `json:"hold,omitempty"`    // hold-exists
}

// FieldError says what is wrong with one field, by JSON pointer.
type FieldError struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// NewProblem makes a problem whose title is in the reader's language.
func NewProblem(c Code, lang string) *Problem {
	return &Problem{Type: "/problems/" + string(c), Code: c, Title: Sentence(c, lang), Status: c.Status()}
}

// Error makes a problem an error.
func (p *Problem) Error() string {
	if p.Detail != "" {
		return string(p.Code) + ": " + p.Detail
	}
	return string(p.Code)
}

// JSON writes the problem; it cannot fail.
func (p *Problem) JSON() []byte {
	b, err := json.Marshal(p)
	if err != nil {
		return []byte(`{"type":"/problems/internal","code":"internal","status":500}`)
	}
	return b
}

// AppendJSON implements [Appender].
func (p *Problem) AppendJSON(dst []byte) []byte { return append(dst, p.JSON()...) }

// Write answers a request with the problem and the headers that go with it.
func (p *Problem) Write(w http.ResponseWriter) {
	h := w.Header()
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt((p.RetryAfter+999)/1000, 10)) // whole seconds, never early
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(p.JSON()) // the visitor is gone when this fails
}
