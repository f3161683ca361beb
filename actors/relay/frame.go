package relay

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/catraca/catraca/actors/sequencer"
)

// Layout of a frame, little endian:
//
//	version u8 | sender's life u64 | receiver's life u64, 0 when not known | seq u64, 0: only acknowledges |
//	n u8, n × acknowledged seq u64 | items
//
// An item is its op u8, its id as uvarint, and then for a request
//
//	shard uvarint | machine uvarint | time left in ms uvarint | length uvarint, bytes
//
// and for an answer
//
//	status u8 | index or term uvarint | retry in ms uvarint | length uvarint, bytes
//
// Lives are random and name one run of a process, so that an answer never meets the id of an earlier run.
const (
	frameVersion = 1
	headerSize   = 1 + 8 + 8 + 8 + 1

	maxAcks = 16
	// maxFrame bounds a frame in bytes; a command larger than gatherBytes travels alone.
	maxFrame    = sequencer.MaxCommandBytes + 1024
	gatherBytes = 128 << 10
	gatherItems = 1024
	// maxItem is what an item's numbers take at most.
	maxItem = 1 + 5*binary.MaxVarintLen64
)

// op of an item. Numbers are never reused.
type op uint8

const (
	opCommand op = 1 // do a command on a machine
	opCreate  op = 2 // make a machine
	opIndex   op = 3 // say up to where one has to have read
	opAnswer  op = 4
)

// verdict of an answer. Numbers are never reused; one that is not known counts as unknown.
type verdict uint8

const (
	verdictDone      verdict = 1 // number is the index of the entry, body the result
	verdictNotLeader verdict = 2 // number is the term, body the leader's name, if they are known
	verdictBusy      verdict = 3 // retry says when to come back
	verdictUnknown   verdict = 4
	verdictStopped   verdict = 5
	verdictNoMachine verdict = 6
	verdictTooLarge  verdict = 7
	verdictRefused   verdict = 8 // body says why, for the log
)

// item is a request or an answer.
type item struct {
	op      op
	verdict verdict
	id      uint64
	shard   int
	machine uint32
	number  uint64
	ms      uint64 // time left, or when to come back
	body    []byte
}

// frame is what a header says; its items are read one by one.
type frame struct {
	from, to, seq uint64
	acks          []byte // n × 8
	items         []byte
}

var errFrame = errors.New("malformed frame")

// beginFrame reserves the header of a frame without acknowledgements; finish puts those in.
func appendHeader(b []byte, from, to, seq uint64, acks []uint64) []byte {
	b = append(b, frameVersion)
	b = binary.LittleEndian.AppendUint64(b, from)
	b = binary.LittleEndian.AppendUint64(b, to)
	b = binary.LittleEndian.AppendUint64(b, seq)
	b = append(b, byte(len(acks)))
	for _, a := range acks {
		b = binary.LittleEndian.AppendUint64(b, a)
	}
	return b
}

func appendItem(b []byte, x *item) []byte {
	b = append(b, byte(x.op))
	b = binary.AppendUvarint(b, x.id)
	if x.op == opAnswer {
		b = append(b, byte(x.verdict))
		b = binary.AppendUvarint(b, x.number)
	} else {
		b = binary.AppendUvarint(b, uint64(x.shard))
		b = binary.AppendUvarint(b, uint64(x.machine))
	}
	b = binary.AppendUvarint(b, x.ms)
	b = binary.AppendUvarint(b, uint64(len(x.body)))
	return append(b, x.body...)
}

// decodeFrame reads the header. The slices point into b.
func decodeFrame(b []byte) (frame, error) {
	if len(b) < headerSize || len(b) > maxFrame+maxAcks*8 {
		return frame{}, fmt.Errorf("decode frame: %d bytes: %w", len(b), errFrame)
	}
	if b[0] != frameVersion {
		return frame{}, fmt.Errorf("decode frame: version %d is not known to this binary: %w", b[0], errFrame)
	}
	f := frame{
		from: binary.LittleEndian.Uint64(b[1:]), to: binary.LittleEndian.Uint64(b[9:]), seq: binary.LittleEndian.Uint64(b[17:]),
	}
	n := int(b[headerSize-1])
	b = b[headerSize:]
	if n > maxAcks || 8*n > len(b) {
		return frame{}, fmt.Errorf("decode frame: %d acknowledgements: %w", n, errFrame)
	}
	f.acks, f.items = b[:8*n], b[8*n:]
	if f.from == 0 || f.seq == 0 && len(f.items) > 0 {
		return frame{}, fmt.Errorf("decode frame: no life or no number: %w", errFrame)
	}
	return f, nil
}

// nextItem takes an item off the front. Its body points into b.
func nextItem(b []byte) (x item, rest []byte, err error) {
	if len(b) == 0 {
		return item{}, nil, fmt.Errorf("next item: no bytes: %w", errFrame)
	}
	x.op, b = op(b[0]), b[1:]
	if x.op < opCommand || x.op > opAnswer {
		return item{}, nil, fmt.Errorf("next item: op %d is not known to this binary: %w", x.op, errFrame)
	}
	number := func(most uint64) uint64 {
		v, n := binary.Uvarint(b)
		if err != nil || n <= 0 || v > most {
			err = errors.Join(err, errFrame)
			return 0
		}
		b = b[n:]
		return v
	}
	const any64, any32 = 1<<64 - 1, 1<<32 - 1
	x.id = number(any64)
	if x.op == opAnswer {
		if len(b) == 0 {
			return item{}, nil, fmt.Errorf("next item: no status: %w", errFrame)
		}
		x.verdict, b = verdict(b[0]), b[1:]
		x.number = number(any64)
	} else {
		x.shard = int(number(1<<16 - 1))
		x.machine = uint32(number(any32))
	}
	x.ms = number(any32)
	size := number(sequencer.MaxCommandBytes)
	if err != nil || size > uint64(len(b)) {
		return item{}, nil, fmt.Errorf("next item: op %d: %w", x.op, errFrame)
	}
	x.body, rest = b[:size:size], b[size:]
	return x, rest, nil
}
