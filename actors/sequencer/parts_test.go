package sequencer

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plain is a frozen state that is its bytes; streamed is one that hands them over in pieces.
type plain []byte

func (p plain) AppendSnapshot(dst []byte) []byte { return append(dst, p...) }

type streamed struct {
	plain

	size int
}

func (s streamed) EachPart(fn func([]byte) error) error {
	for b := []byte(s.plain); len(b) > 0; {
		n := min(s.size, len(b))
		if err := fn(bytes.Clone(b[:n])); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

func TestPartsComeBack(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789"), 300_000) // three chunks
	for name, f := range map[string]Frozen{
		"nothing": plain{}, "one byte": plain("x"), "a chunk": plain(large[:snapshotChunk]), "one more": plain(large[:snapshotChunk+1]),
		"large": plain(large), "in small pieces": streamed{large[:5000], 7}, "in large ones": streamed{large, 2_500_000}, "in none": streamed{nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := &parts{ids: []uint32{9, 4}, frozen: []Frozen{f, plain("second")}}
			var b bytes.Buffer
			if n, err := p.WriteTo(&b); err != nil || n != int64(b.Len()) {
				t.Fatalf("wrote %d of %d bytes: %v", n, b.Len(), err)
			}
			r := bytes.NewReader(b.Bytes()[8:])
			for i, want := range [][]byte{f.AppendSnapshot(nil), []byte("second")} {
				id, got, err := readPart(r)
				if err != nil || id != []uint32{9, 4}[i] || !bytes.Equal(got, want) {
					t.Errorf("part %d of machine %d has %d bytes, want %d: %v", i, id, len(got), len(want), err)
				}
			}
			if r.Len() != 0 {
				t.Errorf("%d bytes are left", r.Len())
			}
		})
	}
}

func TestPartTooLarge(t *testing.T) {
	endless := io.MultiReader(bytes.NewReader([]byte{1, 0, 0, 0}), &same{b: []byte{1, 0, 16, 0}})
	if _, _, err := readPart(endless); err == nil {
		t.Error("a chunk over the bound was read")
	}
}

// same reads the same bytes again and again.
type same struct {
	b []byte
	i int
}

func (s *same) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = s.b[s.i%len(s.b)]
		s.i++
	}
	return len(p), nil
}

func FuzzReadPart(f *testing.F) {
	var b bytes.Buffer
	p := &parts{ids: []uint32{7}, frozen: []Frozen{streamed{plain("hello world"), 4}}}
	if _, err := p.WriteTo(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes()[8:])
	f.Add([]byte{1, 0, 0, 0, 255, 255, 255, 255})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		id, blob, err := readPart(bytes.NewReader(b))
		if err != nil {
			if blob != nil {
				t.Fatalf("%v with %d bytes", err, len(blob))
			}
			if errors.Is(err, io.EOF) && len(b) >= 4 {
				t.Fatalf("a part cut short looks like none: %v", err)
			}
			return
		}
		var again bytes.Buffer
		if _, err := (&parts{ids: []uint32{id}, frozen: []Frozen{plain(blob)}}).WriteTo(&again); err != nil {
			t.Fatal(err)
		}
		_, same, err := readPart(bytes.NewReader(again.Bytes()[8:]))
		if err != nil || !cmp.Equal(blob, same) {
			t.Fatalf("%d bytes became %d: %v", len(blob), len(same), err)
		}
	})
}
