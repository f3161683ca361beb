package cluster

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func frame(t testing.TB, c cut, parts ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := newFrameWriter(&b, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if n, err := w.Write(p); n != len(p) || err != nil {
			t.Fatalf("write %d bytes: %d, %v", len(p), n, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unframe(b []byte) (cut, []byte, error) {
	r := bytes.NewReader(b)
	c, err := readCut(r)
	if err != nil {
		return c, nil, err
	}
	data, err := io.ReadAll(&frameReader{r: r})
	return c, data, err
}

func TestFrameRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := cut{rapid.Uint32().Draw(rt, "shard"), rapid.Uint64().Draw(rt, "index"), rapid.Uint64().Draw(rt, "term")}
		var all []byte
		var parts [][]byte
		for _, size := range rapid.SliceOfN(rapid.IntRange(0, chunkBytes+100), 0, 4).Draw(rt, "sizes") {
			p := bytes.Repeat([]byte{byte(size), byte(size >> 8), 7}, size/3+1)[:size]
			parts, all = append(parts, p), append(all, p...)
		}
		c, got, err := unframe(frame(t, want, parts...))
		if err != nil || c != want || !bytes.Equal(got, all) {
			rt.Fatalf("got %+v and %d bytes, %v; want %+v and %d bytes", c, len(got), err, want, len(all))
		}
	})
}

func TestFrameSmallReads(t *testing.T) {
	b := frame(t, cut{}, []byte("some"), []byte(" state"))
	r := iotest.OneByteReader(bytes.NewReader(b))
	if _, err := readCut(r); err != nil {
		t.Fatal(err)
	}
	if err := iotest.TestReader(&frameReader{r: r}, []byte("some state")); err != nil {
		t.Error(err)
	}
}

// TestFrameDamage flips every bit and cuts at every length: nothing of it may pass.
func TestFrameDamage(t *testing.T) {
	whole := frame(t, cut{3, 99, 7}, []byte("first"), bytes.Repeat([]byte("x"), 40))
	for i := range len(whole) * 8 {
		b := bytes.Clone(whole)
		b[i/8] ^= 1 << (i % 8)
		if _, got, err := unframe(b); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("bit %d flipped: %d bytes, %v", i, len(got), err)
		}
	}
	for n := range len(whole) {
		if _, got, err := unframe(whole[:n]); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("cut at %d of %d: %d bytes, %v", n, len(whole), len(got), err)
		}
	}
}

// TestFrameChunksStay swaps two chunks of the same length.
func TestFrameChunksStay(t *testing.T) {
	one, two := bytes.Repeat([]byte("a"), chunkBytes), bytes.Repeat([]byte("b"), chunkBytes)
	b := frame(t, cut{}, one, two)
	const size = 8 + chunkBytes
	chunks := b[frameHeader:]
	swapped := append(bytes.Clone(b[:frameHeader]), chunks[size:2*size]...)
	swapped = append(append(swapped, chunks[:size]...), chunks[2*size:]...)
	if _, _, err := unframe(swapped); !errors.Is(err, ErrSnapshot) {
		t.Errorf("swapped chunks: %v", err)
	}
}

func FuzzFrame(f *testing.F) {
	f.Add(frame(f, cut{1, 2, 3}, []byte("state")))
	f.Add(frame(f, cut{}))
	f.Add([]byte("CATRACA\x02 from the future, with enough bytes for a header"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, got, err := unframe(b)
		if err != nil {
			if !errors.Is(err, ErrSnapshot) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		// What passes is what the writer would have written, up to how it was cut into chunks.
		if c2, again, err := unframe(frame(t, c, got)); err != nil || c2 != c || !bytes.Equal(again, got) {
			t.Fatalf("passed, but written again it does not: %v", err)
		}
	})
}
