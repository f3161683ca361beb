package sale

import (
	"errors"
	"fmt"

	"github.com/catraca/catraca/actors/sale/queue"
)

// An answer travels from the node that leads a sale to the one that was asked: version, mask of the fields that are
// not zero, then those fields in the order of the mask. A flag is its bit.
const resultVersion = 1

// maxAnswered bounds the units and the lines of one answer in the decoder.
const maxAnswered = 4096

// Bits of the mask; numbers are never reused.
const (
	answersRefusal uint32 = 1 << iota
	answersRepeated
	answersPlace
	answersHold
	answersOrder
	answersTicket
	answersAt
	answersCap
	answersAmount
	answersNumber
	answersAdjacent
	answersUnits
	answersLines
	answersAll = 1<<iota - 1
)

// AppendResult appends the form in which an answer travels between nodes.
func AppendResult(dst []byte, r *Result) []byte {
	mask := maskOfResult(r)
	dst = appendUint(append(dst, resultVersion), mask)
	for _, f := range [...]struct {
		bit   uint32
		value uint64
	}{
		{answersRefusal, uint64(r.Refusal)}, {answersPlace, uint64(r.Place)}, {answersHold, uint64(r.Hold)},
		{answersOrder, uint64(r.Order)}, {answersTicket, uint64(r.Ticket)},
	} {
		if mask&f.bit != 0 {
			dst = appendUint(dst, f.value)
		}
	}
	for _, f := range [...]struct {
		bit   uint32
		value int64
	}{{answersAt, r.At}, {answersCap, r.Cap}, {answersAmount, r.Amount}} {
		if mask&f.bit != 0 {
			dst = appendInt(dst, f.value)
		}
	}
	if mask&answersNumber != 0 {
		dst = appendUint(dst, r.Number)
	}
	if mask&answersUnits != 0 {
		dst = appendUint(dst, uint32(len(r.Units)))
		for _, u := range r.Units {
			dst = appendUint(dst, uint32(u))
		}
	}
	if mask&answersLines != 0 {
		dst = appendLines(dst, r.Lines)
	}
	return dst
}

func maskOfResult(r *Result) (mask uint32) {
	set := func(bit uint32, there bool) {
		if there {
			mask |= bit
		}
	}
	set(answersRefusal, r.Refusal != Done)
	set(answersRepeated, r.Repeated)
	set(answersPlace, r.Place != 0)
	set(answersHold, r.Hold != 0)
	set(answersOrder, r.Order != 0)
	set(answersTicket, r.Ticket != 0)
	set(answersAt, r.At != 0)
	set(answersCap, r.Cap != 0)
	set(answersAmount, r.Amount != 0)
	set(answersNumber, r.Number != 0)
	set(answersAdjacent, r.Adjacent)
	set(answersUnits, len(r.Units) != 0)
	set(answersLines, len(r.Lines) != 0)
	return mask
}

// DecodeResult reads what [AppendResult] wrote, all of b. An error names the field.
func DecodeResult(b []byte) (Result, error) {
	r := reader{b: b}
	r.version(resultVersion)
	mask := uint32(r.number("fields", answersAll))
	has := func(bit uint32) bool { return mask&bit != 0 }
	res := Result{Repeated: has(answersRepeated), Adjacent: has(answersAdjacent)}
	if has(answersRefusal) {
		res.Refusal = Refusal(r.u16("refusal"))
	}
	if has(answersPlace) {
		res.Place = queue.Place(r.u32("place"))
	}
	if has(answersHold) {
		res.Hold = HoldID(r.u32("hold"))
	}
	if has(answersOrder) {
		res.Order = OrderID(r.u32("order"))
	}
	if has(answersTicket) {
		res.Ticket = TicketID(r.u32("ticket"))
	}
	if has(answersAt) {
		res.At = r.int("at")
	}
	if has(answersCap) {
		res.Cap = r.int("cap")
	}
	if has(answersAmount) {
		res.Amount = r.int("amount")
	}
	if has(answersNumber) {
		res.Number = r.u32("number")
	}
	if has(answersUnits) {
		for range r.count("units", maxAnswered, 1) {
			res.Units = append(res.Units, UnitID(r.u32("units")))
		}
	}
	if has(answersLines) {
		for range r.count("lines", maxAnswered, 2) {
			res.Lines = append(res.Lines, Line{Unit: UnitID(r.u32("lines")), Count: r.u32("lines")})
		}
	}
	if err := r.done(); err != nil {
		return Result{}, fmt.Errorf("decode result: %w", err)
	}
	if maskOfResult(&res) != mask {
		return Result{}, errors.New("decode result: fields: a field that is there is zero")
	}
	return res, nil
}
