package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Subprotocol of the live socket.
const Subprotocol = "catraca.v1.json"

// MaxUpBytes bounds a frame towards the server.
const MaxUpBytes = 4096

// Close codes of the live socket. 1000–1999 and 44xx say what to do next: come back, or not.
const (
	CloseRestart    = 1012 // come back with jitter, to any node
	CloseBusy       = 1013 // come back later
	CloseSignIn     = 4401 // sign in first
	CloseForbidden  = 4403 // do not come back
	CloseSlow       = 4408 // did not read; come back with jitter
	CloseReplaced   = 4409 // another connection of the same account took over
	CloseSaleOver   = 4410 // do not come back
	CloseTooMany    = 4429 // too many frames
	CloseBadMessage = 4400 // not a frame of this protocol
)

// Up is a frame towards the server.
type Up struct {
	T    string          `json:"t"` // hello, join, leave, claim, stock, pong, call
	Lang string          `json:"lang,omitempty"`
	On   bool            `json:"on,omitempty"`   // stock
	ID   uint64          `json:"id,omitempty"`   // call
	Op   string          `json:"op,omitempty"`   // call
	Key  string          `json:"key,omitempty"`  // call: idempotency key
	Body json.RawMessage `json:"body,omitempty"` // call
}

// ErrFrame is wrapped by every error about a malformed frame.
var ErrFrame = errors.New("not a frame of this protocol")

const (
	maxOp  = 32
	maxKey = 128
)

// DecodeUp reads one frame strictly: unknown fields, a second value, wrong types and bytes that are not UTF-8 are
// refused. The body of a call may be a part of b.
func DecodeUp(b []byte) (Up, error) {
	if len(b) > MaxUpBytes {
		return Up{}, fmt.Errorf("%w: %d bytes, at most %d", ErrFrame, len(b), MaxUpBytes)
	}
	if u, ok := scanCall(b); ok {
		return u, nil
	}
	return decodeUp(b)
}

// decodeUp is DecodeUp for every frame there may be.
func decodeUp(b []byte) (Up, error) {
	if !utf8.Valid(b) {
		return Up{}, fmt.Errorf("%w: not UTF-8", ErrFrame)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var u Up
	if err := d.Decode(&u); err != nil {
		return Up{}, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Up{}, fmt.Errorf("%w: more than one value", ErrFrame)
	}
	switch u.T {
	case "hello", "join", "leave", "claim", "stock", "pong":
	case "call":
		if u.Op == "" || len(u.Op) > maxOp {
			return Up{}, fmt.Errorf("%w: call needs an op of 1 to %d characters", ErrFrame, maxOp)
		}
		if len(u.Key) > maxKey {
			return Up{}, fmt.Errorf("%w: key of %d characters, at most %d", ErrFrame, len(u.Key), maxKey)
		}
	default:
		return Up{}, fmt.Errorf("%w: t is %.32q, want hello, join, leave, claim, stock, pong or call", ErrFrame, u.T)
	}
	return u, nil
}

// Frames towards the client. Each has its type in T; Seq counts the frames of one connection.
type (
	// PlaceDown is a fan's place.
	PlaceDown struct {
		Place

		T   string `json:"t"`
		Seq uint64 `json:"seq"`
	}
	// TickDown is how the sale goes, the same for everyone; its Seq is the tick's own.
	TickDown struct {
		T           string     `json:"t"`
		Seq         uint64     `json:"seq"`
		Event       string     `json:"event"`
		Front       uint32     `json:"front"`
		Waiting     uint32     `json:"waiting"`
		Shopping    uint32     `json:"shopping"`
		Rate        uint32     `json:"rate"`
		Phase       string     `json:"phase"`
		PriceFrom   Money      `json:"price_from"`
		PriceTo     Money      `json:"price_to"`
		Stock       []StockRow `json:"stock"`
		Message     string     `json:"message"`
		PauseReason string     `json:"pause_reason"`
		Now         Time       `json:"now"`
	}
	// StockRow is what is left of a category.
	StockRow struct {
		Category int    `json:"category"`
		Free     uint32 `json:"free"`
	}
	// OfferDown says that it is the fan's turn.
	OfferDown struct {
		T          string `json:"t"`
		Seq        uint64 `json:"seq"`
		Deadline   Time   `json:"deadline"`
		Extendable bool   `json:"extendable"`
		Now        Time   `json:"now"`
	}
	// StockDown is what changed on the seat map; Reset means that frames were lost and the map has to be read again.
	StockDown struct {
		T       string      `json:"t"`
		Seq     uint64      `json:"seq"`
		Version uint64      `json:"version"`
		Changes []UnitState `json:"changes"`
		Areas   []AreaState `json:"areas"`
		Reset   bool        `json:"reset"`
	}
	// HoldDown is the fan's hold, null when it is no more.
	HoldDown struct {
		T      string `json:"t"`
		Seq    uint64 `json:"seq"`
		Hold   *Hold  `json:"hold"`
		Reason string `json:"reason,omitempty"`
	}
	// OrderDown is the fan's order.
	OrderDown struct {
		T     string `json:"t"`
		Seq   uint64 `json:"seq"`
		Order Order  `json:"order"`
	}
	// ReplyDown answers a call.
	ReplyDown struct {
		T      string          `json:"t"`
		Seq    uint64          `json:"seq"`
		ID     uint64          `json:"id"`
		Status int             `json:"status"`
		Body   json.RawMessage `json:"body,omitempty"`
	}
	// ReasonDown is moved, removed or closed.
	ReasonDown struct {
		T      string `json:"t"`
		Seq    uint64 `json:"seq"`
		Reason string `json:"reason"`
	}
	// ErrorDown is a problem; the socket stays open.
	ErrorDown struct {
		T       string   `json:"t"`
		Seq     uint64   `json:"seq"`
		Problem *Problem `json:"problem"`
	}
)

// UnitState is [unit, letter] in JSON.
type UnitState struct {
	Unit   uint32
	Letter byte // f free, h held, s sold, b blocked, m mine
}

// MarshalJSON writes the pair.
func (u UnitState) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `[%d,"%c"]`, u.Unit, u.Letter), nil
}

// UnmarshalJSON reads the pair.
func (u *UnitState) UnmarshalJSON(b []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(b, &pair); err != nil || len(pair) != 2 {
		return fmt.Errorf("%w: want [unit, letter]", ErrFrame)
	}
	var letter string
	if err := json.Unmarshal(pair[0], &u.Unit); err != nil {
		return err
	}
	if err := json.Unmarshal(pair[1], &letter); err != nil || len(letter) != 1 {
		return fmt.Errorf("%w: want one letter", ErrFrame)
	}
	u.Letter = letter[0]
	return nil
}

// AreaState is [unit, free] in JSON.
type AreaState [2]uint32
