package seatmap

import (
	"bytes"
	"testing"
)

func FuzzDecodePlan(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 0, 2, 2, 0, 0, 0, 0, 0})
	f.Add(withArea(draw(f, []string{"..:", "w c"}), 10).AppendBinary(nil))
	f.Add(stadium(f, 2, 4).AppendBinary(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, n, err := DecodePlan(b)
		if err != nil {
			if p != nil || n != 0 {
				t.Fatalf("an error with plan %v and %d bytes", p, n)
			}
			return
		}
		if again := p.AppendBinary(nil); !bytes.Equal(again, b[:n]) {
			t.Fatalf("read %x, writes %x", b[:n], again)
		}
		v := NewInventory(p)
		lines, _, ok := v.Best(nil, BestQuery{Quantity: 2, AnyCategory: true, AnySection: true, Scatter: true})
		if ok {
			v.Hold(lines, 1)
		}
		if err := v.Verify(); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzRestore(f *testing.F) {
	p := withArea(draw(f, []string{"..:", "w c"}), 10)
	v := NewInventory(p)
	f.Add(v.AppendBinary(nil))
	v.Hold([]Line{{0, 1}, {5, 3}}, 9)
	v.Sell([]Line{{0, 1}}, 9, 4)
	v.Block(2, 1)
	f.Add(v.AppendBinary(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		v := NewInventory(p)
		n, err := v.Restore(b)
		if bad := v.Verify(); bad != nil {
			t.Fatal(bad)
		}
		if err == nil && !bytes.Equal(v.AppendBinary(nil), b[:n]) {
			t.Fatalf("read %x, writes %x", b[:n], v.AppendBinary(nil))
		}
	})
}
