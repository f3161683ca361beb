package relay

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/catraca/catraca/actors/sequencer"
)

func TestFramesArrive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		acks := rapid.SliceOfN(rapid.Uint64(), 0, maxAcks).Draw(t, "acks")
		from, to, seq := rapid.Uint64Min(1).Draw(t, "from"), rapid.Uint64().Draw(t, "to"), rapid.Uint64Min(1).Draw(t, "seq")
		var items []item
		for range rapid.IntRange(0, 6).Draw(t, "items") {
			x := item{op: op(rapid.IntRange(1, 4).Draw(t, "op")), id: rapid.Uint64().Draw(t, "id"), ms: uint64(rapid.Uint32().Draw(t, "ms")),
				body: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "body")}
			if x.op == opAnswer {
				x.verdict, x.number = verdict(rapid.Byte().Draw(t, "verdict")), rapid.Uint64().Draw(t, "number")
			} else {
				x.shard, x.machine = int(rapid.Uint16().Draw(t, "shard")), rapid.Uint32().Draw(t, "machine")
			}
			items = append(items, x)
		}
		b := appendHeader(nil, from, to, seq, acks)
		for i := range items {
			b = appendItem(b, &items[i])
		}
		f, err := decodeFrame(b)
		if err != nil || f.from != from || f.to != to || f.seq != seq || len(f.acks) != 8*len(acks) {
			t.Fatalf("%+v, %v", f, err)
		}
		for i, a := range acks {
			if binary.LittleEndian.Uint64(f.acks[8*i:]) != a {
				t.Fatalf("acknowledgement %d is another", i)
			}
		}
		rest := f.items
		for i, want := range items {
			var got item
			if got, rest, err = nextItem(rest); err != nil {
				t.Fatalf("item %d: %v", i, err)
			}
			if !bytes.Equal(got.body, want.body) {
				t.Fatalf("item %d: body %x, want %x", i, got.body, want.body)
			}
			got.body, want.body = nil, nil
			if got.op != want.op || got.verdict != want.verdict || got.id != want.id || got.shard != want.shard ||
				got.machine != want.machine || got.number != want.number || got.ms != want.ms {
				t.Fatalf("item %d: %+v, want %+v", i, got, want)
			}
		}
		if len(rest) != 0 {
			t.Fatalf("%d bytes are left", len(rest))
		}
	})
}

func TestFramesAreRefused(t *testing.T) {
	good := appendHeader(nil, 1, 2, 3, []uint64{4})
	change := func(at int, v byte) []byte {
		b := bytes.Clone(good)
		b[at] = v
		return b
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "short": good[:headerSize-1], "version": change(0, 9), "no life": change(1, 0), "acknowledgements": change(headerSize-1, 200),
		"acknowledgements cut off": good[:len(good)-1], "items without a number": append(appendHeader(nil, 1, 2, 0, nil), 1),
		"too long": make([]byte, maxFrame+maxAcks*8+1),
	} {
		if _, err := decodeFrame(b); !errors.Is(err, errFrame) {
			t.Errorf("%s: %v", name, err)
		}
	}
	huge := binary.AppendUvarint([]byte{byte(opCommand), 1, 1, 1, 1}, sequencer.MaxCommandBytes+1)
	for name, b := range map[string][]byte{
		"nothing": nil, "op": {0}, "a later op": {5, 1, 1, 1, 1, 0}, "no verdict": {byte(opAnswer), 1}, "cut off": {byte(opCommand), 1, 1},
		"body": {byte(opCommand), 1, 1, 1, 1, 9, 'x'}, "shard": {byte(opCommand), 1, 0xff, 0xff, 0xff, 0xff, 1, 1, 1, 0}, "length": huge,
	} {
		if _, _, err := nextItem(b); !errors.Is(err, errFrame) {
			t.Errorf("item with %s: %v", name, err)
		}
	}
}

func FuzzFrame(f *testing.F) {
	whole := appendHeader(nil, 1, 2, 3, []uint64{4, 5})
	whole = appendItem(whole, &item{op: opCommand, id: 9, shard: 3, machine: 7, ms: 5000, body: []byte("abc")})
	whole = appendItem(whole, &item{op: opAnswer, id: 8, verdict: verdictNotLeader, number: 4, body: []byte("n2")})
	f.Add(whole)
	f.Add([]byte{frameVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := decodeFrame(b)
		if err != nil {
			return
		}
		for rest, n := x.items, 0; len(rest) > 0; n++ {
			var it item
			before := len(rest)
			if it, rest, err = nextItem(rest); err != nil {
				return
			}
			if len(rest) >= before || len(it.body) > before {
				t.Fatalf("item %d: %d bytes of %d are left", n, len(rest), before)
			}
		}
	})
}
