package live

import (
	"encoding/binary"
	"encoding/json"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/transport/wire"
)

// frame is one that is told to a single fan; seq counts the frames of its connection. One that cannot be written adds
// nothing.
type frame interface {
	appendTo(dst []byte, seq uint64) []byte
}

type (
	replyFrame struct {
		id     uint64
		status int
		body   wire.Appender
	}
	holdFrame struct {
		hold   *wire.Hold
		reason string
	}
	placeFrame struct{ place wire.Place }
	orderFrame struct{ order *wire.Order }
	// plainFrame is a rare one.
	plainFrame func(seq uint64) any
)

func (f replyFrame) appendTo(dst []byte, seq uint64) []byte {
	return wire.AppendReply(dst, seq, f.id, f.status, f.body)
}

func (f holdFrame) appendTo(dst []byte, seq uint64) []byte {
	down := wire.HoldDown{T: "hold", Seq: seq, Hold: f.hold, Reason: f.reason}
	return down.AppendJSON(dst)
}

func (f placeFrame) appendTo(dst []byte, seq uint64) []byte {
	down := wire.PlaceDown{T: "place", Seq: seq, Place: f.place}
	return down.AppendJSON(dst)
}

func (f orderFrame) appendTo(dst []byte, seq uint64) []byte {
	return appendAny(dst, wire.OrderDown{T: "order", Seq: seq, Order: *f.order})
}

func (f plainFrame) appendTo(dst []byte, seq uint64) []byte { return appendAny(dst, f(seq)) }

func appendAny(dst []byte, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // the other frames are still good
		return dst
	}
	return append(dst, b...)
}

// A frame of a server is two bytes, more bytes of length from 126 bytes of content on, and the content (RFC 6455 §5.2).
// Nothing is masked, and no message is in parts.
const (
	final    = 0x80
	length16 = 126
	length64 = 127
	headRoom = 4 // what most frames need
)

// beginFrame leaves room for the head; endFrame writes it once the content follows. start is the length before.
func beginFrame(dst []byte) []byte { return append(dst, 0, 0, 0, 0) }

func endFrame(dst []byte, start, kind int) []byte {
	head, content := dst[start:], dst[start+headRoom:]
	n := len(content)
	head[0] = final | byte(kind)
	switch {
	case n < length16:
		head[1] = byte(n)
		copy(head[2:], content)
		return dst[:len(dst)-2]
	case n < 1<<16:
		head[1] = length16
		binary.BigEndian.PutUint16(head[2:], uint16(n))
		return dst
	default:
		dst = append(dst, 0, 0, 0, 0, 0, 0)
		head = dst[start:]
		copy(head[10:], head[headRoom:headRoom+n])
		head[1] = length64
		binary.BigEndian.PutUint64(head[2:], uint64(n))
		return dst
	}
}

// appendClose adds the goodbye.
func appendClose(dst []byte, code int, reason string) []byte {
	start := len(dst)
	dst = append(beginFrame(dst), websocket.FormatCloseMessage(code, reason)...)
	return endFrame(dst, start, websocket.CloseMessage)
}

// appendPing asks whether the peer is there.
func appendPing(dst []byte) []byte {
	start := len(dst)
	return endFrame(beginFrame(dst), start, websocket.PingMessage)
}
