package sequencer

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEntryComesBack(t *testing.T) {
	h := Header{Kind: KindBatch, Machine: 7, At: -5, Term: 1 << 60, Seq: 3, Count: 3}
	cmds := [][]byte{[]byte("one"), {}, bytes.Repeat([]byte("z"), 1000)}
	b := EncodeEntry(h, cmds...)
	got, body, err := DecodeHeader(b)
	if err != nil || got != h {
		t.Fatalf("header %+v, want %+v: %v", got, h, err)
	}
	for i, want := range cmds {
		var cmd []byte
		if cmd, body, err = NextCommand(body); err != nil || !bytes.Equal(cmd, want) {
			t.Errorf("command %d is %q: %v", i, cmd, err)
		}
	}
	if len(body) != 0 {
		t.Errorf("%d bytes left", len(body))
	}
	if _, _, err := NextCommand(body); !errors.Is(err, ErrEntry) {
		t.Errorf("a command beyond the last: %v", err)
	}
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	b := EncodeEntry(Header{Kind: KindCreate, Machine: 1, At: 2, Term: 3, Seq: 4}, []byte("five"))
	for i := range 8 * len(b) {
		b[i/8] ^= 1 << (i % 8)
		if _, _, err := DecodeHeader(b); !errors.Is(err, ErrEntry) {
			t.Errorf("bit %d: %v", i, err)
		}
		b[i/8] ^= 1 << (i % 8)
	}
	for n := range b {
		if _, _, err := DecodeHeader(b[:n]); !errors.Is(err, ErrEntry) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
}

func TestCheckpointEntry(t *testing.T) {
	h := Header{Kind: KindCheckpoint, Machine: 7, At: 8, Term: 9, Seq: 10}
	got, body, err := DecodeHeader(EncodeEntry(h))
	if err != nil || got != h || len(body) != 0 {
		t.Fatalf("header %+v with %d bytes, want %+v: %v", got, len(body), h, err)
	}
	if _, _, err := DecodeHeader(EncodeEntry(h, []byte("a"))); !errors.Is(err, ErrEntry) {
		t.Errorf("with a command: %v", err)
	}
	b := EncodeEntry(h)
	sealEntry(b, Header{Kind: KindCheckpoint, Count: 1})
	if _, _, err := DecodeHeader(b); !errors.Is(err, ErrEntry) {
		t.Errorf("with a count: %v", err)
	}
	for _, k := range []Kind{0, KindCheckpoint + 1, 255} {
		if _, _, err := DecodeHeader(EncodeEntry(Header{Kind: k})); !errors.Is(err, ErrEntry) {
			t.Errorf("kind %d: %v", k, err)
		}
	}
}

func FuzzDecodeHeader(f *testing.F) {
	f.Add(EncodeEntry(Header{Kind: KindBatch, Machine: 1, At: 2, Term: 3, Seq: 4}, []byte("a"), []byte("b")))
	f.Add(EncodeEntry(Header{Kind: KindCreate}))
	f.Add(EncodeEntry(Header{Kind: KindCheckpoint, Machine: 1, At: 2, Term: 3, Seq: 4}))
	f.Add(make([]byte, headerSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, body, err := DecodeHeader(b)
		if err != nil {
			if !errors.Is(err, ErrEntry) || h != (Header{}) || body != nil {
				t.Fatalf("%v with %+v and %d bytes", err, h, len(body))
			}
			return
		}
		var cmds [][]byte
		for len(body) > 0 {
			cmd, rest, err := NextCommand(body)
			if err != nil {
				return
			}
			cmds, body = append(cmds, cmd), rest
		}
		if int(h.Count) != len(cmds) {
			return // the machine refuses it
		}
		if again := EncodeEntry(h, cmds...); !cmp.Equal(again, b) {
			t.Fatal(cmp.Diff(b, again))
		}
	})
}

func FuzzNextCommand(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 'a', 2, 0, 0, 0, 'b', 'c'})
	f.Add([]byte{255, 255, 255, 255})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			cmd, rest, err := NextCommand(b)
			if err != nil {
				if !errors.Is(err, ErrEntry) || cmd != nil || rest != nil {
					t.Fatalf("%v with %q and %q", err, cmd, rest)
				}
				return
			}
			if 4+len(cmd)+len(rest) != len(b) || len(cmd) > MaxCommandBytes {
				t.Fatalf("%d bytes became %d and %d", len(b), len(cmd), len(rest))
			}
			b = rest
		}
	})
}
