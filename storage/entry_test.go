package storage

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/raft"
	"pgregory.net/rapid"
)

func TestEntryRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := raft.Log{
			Index: rapid.Uint64().Draw(t, "index"), Term: rapid.Uint64().Draw(t, "term"),
			Type: raft.LogType(rapid.Byte().Draw(t, "type")),
		}
		if b := rapid.SliceOf(rapid.Byte()).Draw(t, "data"); len(b) > 0 {
			l.Data = b
		}
		if b := rapid.SliceOf(rapid.Byte()).Draw(t, "extensions"); len(b) > 0 {
			l.Extensions = b
		}
		if ns := rapid.Int64().Draw(t, "appended"); ns != 0 {
			l.AppendedAt = time.Unix(0, ns).UTC()
			if unixNano(l.AppendedAt) == 0 {
				l.AppendedAt = time.Time{} // beyond what is kept
			}
		}
		shard, gap := rapid.Uint32().Draw(t, "shard"), rapid.Bool().Draw(t, "gap")
		v := appendEntry([]byte("before"), shard, &l, gap)[len("before"):]
		if len(v) != entrySize(&l) {
			t.Fatalf("%d bytes, %d were expected", len(v), entrySize(&l))
		}
		var got raft.Log
		gotGap, err := decodeEntry(shard, l.Index, v, &got)
		if err != nil || gotGap != gap {
			t.Fatalf("decode: gap %v, %v", gotGap, err)
		}
		if d := cmp.Diff(l, got); d != "" {
			t.Fatalf("(-want +got):\n%s", d)
		}
		clear(v) // the entry does not share the value's memory
		if d := cmp.Diff(l, got); d != "" {
			t.Fatalf("after the value is gone (-want +got):\n%s", d)
		}
	})
}

func TestEntryTimes(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want int64
	}{
		{time.Time{}, 0},
		{time.Unix(0, 1), 1},
		{time.Unix(-1, 0), -1e9},
		{time.Unix(math.MaxInt64/2, 0), 0},
		{time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC), 0},
	} {
		if got := unixNano(c.at); got != c.want {
			t.Errorf("%v is kept as %d, want %d", c.at, got, c.want)
		}
	}
}

// TestEntryDamage flips every bit, cuts everywhere, and looks under the wrong shard and index.
func TestEntryDamage(t *testing.T) {
	l := raft.Log{Index: 7, Term: 3, Data: []byte("some data"), Extensions: []byte("ext"), AppendedAt: time.Unix(1, 2)}
	v := appendEntry(nil, 2, &l, true)
	var got raft.Log
	if _, err := decodeEntry(2, 7, v, &got); err != nil {
		t.Fatal(err)
	}
	for i := range len(v) * 8 {
		bad := bytes.Clone(v)
		bad[i/8] ^= 1 << (i % 8)
		if _, err := decodeEntry(2, 7, bad, &got); err == nil {
			t.Errorf("bit %d flipped and not noticed", i)
		}
	}
	for n := range len(v) {
		if _, err := decodeEntry(2, 7, v[:n], &got); err == nil {
			t.Errorf("cut to %d bytes and not noticed", n)
		}
	}
	if _, err := decodeEntry(3, 7, v, &got); err == nil {
		t.Error("another shard's entry accepted")
	}
	if _, err := decodeEntry(2, 8, v, &got); err == nil {
		t.Error("another index's entry accepted")
	}
}

func FuzzEntry(f *testing.F) {
	for _, l := range []raft.Log{{Index: 1}, {Index: 2, Term: 9, Data: []byte("x")}, {Index: 3, Extensions: []byte("e"), Data: []byte("d")}} {
		f.Add(uint32(1), l.Index, appendEntry(nil, 1, &l, l.Index == 2))
	}
	f.Add(uint32(0), uint64(0), make([]byte, entryHeader))
	f.Fuzz(func(t *testing.T, shard uint32, index uint64, v []byte) {
		var l raft.Log
		gap, err := decodeEntry(shard, index, v, &l)
		if err != nil {
			return
		}
		if again := appendEntry(nil, shard, &l, gap); !bytes.Equal(again, v) {
			t.Fatalf("decoded from %x, encodes to %x", v, again)
		}
	})
}

// FuzzEntryFields repairs the checksum, so that the fields behind it are reached.
func FuzzEntryFields(f *testing.F) {
	l := raft.Log{Index: 3, Extensions: []byte("e"), Data: []byte("d")}
	f.Add(appendEntry(nil, 1, &l, false))
	f.Add(bytes.Repeat([]byte{0xff}, 40))
	f.Fuzz(func(t *testing.T, v []byte) {
		if len(v) < entryHeader {
			return
		}
		v = bytes.Clone(v)
		sum := entrySum(1, 3, v)
		v[entryCRC], v[entryCRC+1], v[entryCRC+2], v[entryCRC+3] = byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)
		var got raft.Log
		gap, err := decodeEntry(1, 3, v, &got)
		if err != nil {
			return
		}
		if again := appendEntry(nil, 1, &got, gap); !bytes.Equal(again, v) {
			t.Fatalf("decoded from %x, encodes to %x", v, again)
		}
	})
}

func TestRing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := ring{limit: 1500}
		model := make(map[uint64]int) // index to size; what the ring holds is a part of it
		next := uint64(1)
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "gap") == 0 {
					next += 5
				}
				size := rapid.SampledFrom([]int{0, 10, 300, 2000}).Draw(t, "size")
				r.push(&raft.Log{Index: next, Data: make([]byte, size)})
				model[next] = size
				if size+entryOverhead+entryHeader <= r.limit && !r.get(next, new(raft.Log)) {
					t.Fatalf("the newest entry, %d, is not held", next)
				}
				next++
			},
			"drop from": func(t *rapid.T) {
				at := rapid.Uint64Range(0, next).Draw(t, "index")
				r.dropFrom(at)
				for i := range model {
					if i >= at {
						delete(model, i)
					}
				}
				next = max(at, 1)
			},
			"drop to": func(t *rapid.T) {
				at := rapid.Uint64Range(0, next).Draw(t, "index")
				r.dropTo(at)
				for i := range model {
					if i <= at {
						delete(model, i)
					}
				}
			},
			"": func(t *rapid.T) {
				bytes, held := 0, r.logs[r.head:]
				for i := range held {
					bytes += entrySize(&held[i]) + entryOverhead
					if i > 0 && held[i].Index != held[i-1].Index+1 {
						t.Fatalf("%d follows %d", held[i].Index, held[i-1].Index)
					}
				}
				if bytes != r.bytes || bytes > r.limit {
					t.Fatalf("holds %d bytes, counts %d, may hold %d", bytes, r.bytes, r.limit)
				}
				for i := uint64(0); i <= next; i++ {
					var l raft.Log
					if size, ok := model[i]; r.get(i, &l) && (!ok || l.Index != i || len(l.Data) != size) {
						t.Fatalf("entry %d is %d with %d bytes; it should be there: %v, with %d", i, l.Index, len(l.Data), ok, size)
					}
				}
			},
		})
	})
}
