package account

import "encoding/binary"

// An answer travels from the node that leads the directory to the one that was asked: version u8, one bit for each
// field that is not zero as u8, then those fields as uvarints in the order of the bits. A flag is its bit.
const resultVersion = 1

const (
	answersRefusal = 1 << iota
	answersRepeated
	answersAccount
	answersEvent
	answersShard
	answersNumber
	answersBeyond // first bit not in use
)

func (r *Result) answered() byte {
	return byte(bit(r.Refusal != Done, answersRefusal) | bit(r.Repeated, answersRepeated) | bit(r.Account != 0, answersAccount) |
		bit(r.Event != 0, answersEvent) | bit(r.Shard != 0, answersShard) | bit(r.Number != 0, answersNumber))
}

// AppendResult appends the form in which an answer travels between nodes.
func AppendResult(b []byte, r *Result) []byte {
	f := r.answered()
	b = append(b, resultVersion, f)
	for _, n := range [...]struct {
		bit byte
		v   uint64
	}{
		{answersRefusal, uint64(r.Refusal)},
		{answersAccount, uint64(r.Account)},
		{answersEvent, uint64(r.Event)},
		{answersShard, uint64(r.Shard)},
		{answersNumber, r.Number},
	} {
		if f&n.bit != 0 {
			b = binary.AppendUvarint(b, n.v)
		}
	}
	return b
}

// DecodeResult reads what [AppendResult] wrote, all of b. An error wraps [ErrEncoding] and says which field is wrong.
func DecodeResult(b []byte) (Result, error) {
	r := reader{b: b}
	if v := r.u8("version"); r.err == nil && v != resultVersion {
		r.fail("version", "%d is not known to this binary", v)
	}
	f := r.u8("fields")
	if f >= answersBeyond {
		r.fail("fields", "%#x is not known to this binary", f)
	}
	const any64 = 1<<64 - 1
	res := Result{Repeated: f&answersRepeated != 0}
	if f&answersRefusal != 0 {
		res.Refusal = Refusal(r.uvarint("refusal", 1<<16-1))
	}
	if f&answersAccount != 0 {
		res.Account = ID(r.uvarint("account", any64))
	}
	if f&answersEvent != 0 {
		res.Event = EventID(r.uvarint("event", 1<<32-1))
	}
	if f&answersShard != 0 {
		res.Shard = int(r.uvarint("shard", MaxShards))
	}
	if f&answersNumber != 0 {
		res.Number = r.uvarint("number", any64)
	}
	r.end()
	if r.err == nil && res.answered() != f {
		r.fail("fields", "%#x has the bit of a zero field", f)
	}
	if r.err != nil {
		return Result{}, r.err
	}
	return res, nil
}
