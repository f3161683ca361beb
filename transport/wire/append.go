package wire

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// What is sent for every hold and every step of the queue is written by hand: encoding/json takes ten times as long, and
// several allocations. Each AppendX writes exactly the bytes that json.Marshal would, which the tests hold it to.

// Appender writes itself as JSON; one that has nothing to say appends nothing.
type Appender interface {
	AppendJSON(dst []byte) []byte
}

// JSON is a value that is written already.
type JSON []byte

// AppendJSON implements [Appender].
func (j JSON) AppendJSON(dst []byte) []byte { return append(dst, j...) }

// appendString writes a string. What needs an escape is left to the standard library.
func appendString(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c == 0x7f {
				return appendEscaped(dst, s)
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
			return appendEscaped(dst, s)
		}
		i += size
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

func appendEscaped(dst []byte, s string) []byte {
	b, err := json.Marshal(s)
	if err != nil { // a string always encodes
		return append(dst, `""`...)
	}
	return append(dst, b...)
}

// AppendJSON writes the amount.
func (m Money) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"amount":`...)
	dst = strconv.AppendInt(dst, m.Amount, 10)
	dst = append(dst, `,"currency":`...)
	return append(appendString(dst, m.Currency), '}')
}

// AppendJSON writes the instant.
func (t Time) AppendJSON(dst []byte) []byte {
	if t == 0 {
		return append(dst, "null"...)
	}
	at := time.UnixMilli(int64(t)).UTC()
	year, month, day := at.Date()
	if year < 0 || year > 9999 {
		return append(at.AppendFormat(append(dst, '"'), timeLayout), '"')
	}
	hour, minute, second := at.Clock()
	ms := at.Nanosecond() / int(time.Millisecond)
	return append(dst, '"',
		digit(year/1000), digit(year/100), digit(year/10), digit(year), '-', digit(int(month)/10), digit(int(month)), '-', digit(day/10), digit(day), 'T',
		digit(hour/10), digit(hour), ':', digit(minute/10), digit(minute), ':', digit(second/10), digit(second), '.',
		digit(ms/100), digit(ms/10), digit(ms), 'Z', '"')
}

func digit(n int) byte { return '0' + byte(n%10) }

// AppendJSON writes the line.
func (l *Line) AppendJSON(dst []byte) []byte {
	dst = strconv.AppendUint(append(dst, `{"unit":`...), uint64(l.Unit), 10)
	dst = strconv.AppendUint(append(dst, `,"count":`...), uint64(l.Count), 10)
	dst = appendString(append(dst, `,"section":`...), l.Section)
	dst = appendString(append(dst, `,"row":`...), l.Row)
	dst = appendString(append(dst, `,"seat":`...), l.Seat)
	dst = strconv.AppendBool(append(dst, `,"area":`...), l.Area)
	dst = strconv.AppendInt(append(dst, `,"category":`...), int64(l.Category), 10)
	dst = appendString(append(dst, `,"category_name":`...), l.CategoryName)
	dst = l.Price.AppendJSON(append(dst, `,"price":`...))
	dst = l.Fee.AppendJSON(append(dst, `,"fee":`...))
	return append(dst, '}')
}

// AppendJSON writes the hold.
func (h *Hold) AppendJSON(dst []byte) []byte {
	dst = appendString(append(dst, `{"id":`...), h.ID)
	dst = h.Expires.AppendJSON(append(dst, `,"expires_at":`...))
	dst = h.Cap.AppendJSON(append(dst, `,"cap_at":`...))
	dst = strconv.AppendBool(append(dst, `,"renewed":`...), h.Renewed)
	dst = append(dst, `,"lines":`...)
	if h.Lines == nil {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, '[')
		for i := range h.Lines {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = h.Lines[i].AppendJSON(dst)
		}
		dst = append(dst, ']')
	}
	dst = h.Total.AppendJSON(append(dst, `,"total":`...))
	dst = strconv.AppendBool(append(dst, `,"adjacent":`...), h.Adjacent)
	dst = append(dst, `,"order":`...)
	if h.Order == nil {
		dst = append(dst, "null"...)
	} else {
		dst = appendString(dst, *h.Order)
	}
	return append(dst, '}')
}

// AppendJSON writes the range.
func (e *ETA) AppendJSON(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `{"lo_ms":`...), e.LoMS, 10)
	dst = strconv.AppendInt(append(dst, `,"hi_ms":`...), e.HiMS, 10)
	dst = appendString(append(dst, `,"why":`...), e.Why)
	dst = strconv.AppendBool(append(dst, `,"over_hour":`...), e.OverHour)
	return append(dst, '}')
}

// appendFields writes the place without the braces around it.
func (p *Place) appendFields(dst []byte) []byte {
	dst = appendString(append(dst, `"event":`...), p.Event)
	dst = appendString(append(dst, `,"state":`...), p.State)
	dst = strconv.AppendUint(append(dst, `,"number":`...), uint64(p.Number), 10)
	dst = strconv.AppendUint(append(dst, `,"ahead":`...), uint64(p.Ahead), 10)
	dst = append(dst, `,"eta":`...)
	if p.ETA == nil {
		dst = append(dst, "null"...)
	} else {
		dst = p.ETA.AppendJSON(dst)
	}
	dst = appendString(append(dst, `,"chance":`...), p.Chance)
	dst = p.Deadline.AppendJSON(append(dst, `,"deadline":`...))
	dst = p.Cap.AppendJSON(append(dst, `,"cap":`...))
	dst = appendString(append(dst, `,"phase":`...), p.Phase)
	dst = strconv.AppendUint(append(dst, `,"waiting":`...), uint64(p.Waiting), 10)
	return p.Now.AppendJSON(append(dst, `,"now":`...))
}

// AppendJSON writes the frame.
func (p *PlaceDown) AppendJSON(dst []byte) []byte {
	dst = p.appendFields(append(dst, '{'))
	dst = appendString(append(dst, `,"t":`...), p.T)
	dst = strconv.AppendUint(append(dst, `,"seq":`...), p.Seq, 10)
	return append(dst, '}')
}

// AppendJSON writes the frame.
func (h *HoldDown) AppendJSON(dst []byte) []byte {
	dst = appendString(append(dst, `{"t":`...), h.T)
	dst = strconv.AppendUint(append(dst, `,"seq":`...), h.Seq, 10)
	dst = append(dst, `,"hold":`...)
	if h.Hold == nil {
		dst = append(dst, "null"...)
	} else {
		dst = h.Hold.AppendJSON(dst)
	}
	if h.Reason != "" {
		dst = appendString(append(dst, `,"reason":`...), h.Reason)
	}
	return append(dst, '}')
}

// AppendReply writes a [ReplyDown]. body may be nil, and is already JSON as this server writes it.
func AppendReply(dst []byte, seq, id uint64, status int, body Appender) []byte {
	dst = strconv.AppendUint(append(dst, `{"t":"reply","seq":`...), seq, 10)
	dst = strconv.AppendUint(append(dst, `,"id":`...), id, 10)
	dst = strconv.AppendInt(append(dst, `,"status":`...), int64(status), 10)
	if body != nil {
		const key = `,"body":`
		dst = append(dst, key...)
		before := len(dst)
		if dst = body.AppendJSON(dst); len(dst) == before {
			dst = dst[:before-len(key)]
		}
	}
	return append(dst, '}')
}
