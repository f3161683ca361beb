package seatmap

import (
	"fmt"
	"testing"
)

var benchSizes = []struct{ rows, width int }{{20, 50}, {200, 50}, {2000, 50}}

func BenchmarkBest(b *testing.B) {
	for _, size := range benchSizes {
		p := stadium(b, size.rows, size.width)
		for _, n := range []uint32{1, 2, 4, 8} {
			b.Run(fmt.Sprintf("seats=%d/n=%d", len(p.Seats), n), func(b *testing.B) {
				v := NewInventory(p)
				var room [MaxQuantity]Line
				q := BestQuery{Quantity: n, AnyCategory: true, AnySection: true}
				v.Best(room[:0], q)
				held := make([]Line, 0, len(p.Seats))
				b.ReportAllocs()
				for b.Loop() {
					lines, _, ok := v.Best(room[:0], q)
					if !ok {
						v.Release(held, 1)
						held = held[:0]
						continue
					}
					v.Hold(lines, 1)
					held = append(held, lines...)
				}
			})
		}
	}
}

// BenchmarkBestSplit asks for eight where no more than three stand side by side.
func BenchmarkBestSplit(b *testing.B) {
	for _, size := range benchSizes {
		p := stadium(b, size.rows, size.width)
		b.Run(fmt.Sprintf("seats=%d", len(p.Seats)), func(b *testing.B) {
			v := NewInventory(p)
			for u := range p.Seats {
				if u%4 == 3 {
					v.Hold(seatsOf(UnitID(u)), 1)
				}
			}
			var room [MaxQuantity]Line
			q := BestQuery{Quantity: 8, AnyCategory: true, AnySection: true, Scatter: true}
			b.ReportAllocs()
			for b.Loop() {
				if _, adjacent, ok := v.Best(room[:0], q); !ok || adjacent {
					b.Fatal("no split")
				}
			}
		})
	}
}

// BenchmarkBestScattered asks for eight where the last pairs stand too far apart for any split.
func BenchmarkBestScattered(b *testing.B) {
	p := stadium(b, 2000, 50)
	v := NewInventory(p)
	for u := range p.Seats {
		if row, at := u/50, u%50; row%20 != 0 || at != row/20%25*2 && at != row/20%25*2+1 {
			v.Hold(seatsOf(UnitID(u)), 1)
		}
	}
	var room [MaxQuantity]Line
	q := BestQuery{Quantity: 8, AnyCategory: true, AnySection: true, Scatter: true}
	b.ReportAllocs()
	for b.Loop() {
		if _, adjacent, ok := v.Best(room[:0], q); !ok || adjacent {
			b.Fatal("not scattered")
		}
	}
}

func BenchmarkHoldRelease(b *testing.B) {
	for _, size := range benchSizes {
		p := stadium(b, size.rows, size.width)
		b.Run(fmt.Sprintf("seats=%d", len(p.Seats)), func(b *testing.B) {
			v := NewInventory(p)
			line := make([]Line, 1)
			u := UnitID(0)
			b.ReportAllocs()
			for b.Loop() {
				line[0] = Line{u, 1}
				v.Hold(line, 7)
				v.Release(line, 7)
				u = (u + 7919) % UnitID(len(p.Seats))
			}
		})
	}
}

func BenchmarkOrphans(b *testing.B) {
	p := stadium(b, 2000, 50)
	v := NewInventory(p)
	lines := seatsOf(1001, 1002)
	var room [MaxQuantity]Line
	b.ReportAllocs()
	for b.Loop() {
		if _, bad := v.Orphans(room[:0], lines, OrphanAvoid); !bad {
			b.Fatal("not refused")
		}
	}
}

func BenchmarkAppendBinary(b *testing.B) {
	v := NewInventory(stadium(b, 2000, 50))
	for u := range 50_000 {
		v.Hold(seatsOf(UnitID(u)), 1)
	}
	buf := v.AppendBinary(nil)
	b.ReportAllocs()
	for b.Loop() {
		buf = v.AppendBinary(buf[:0])
	}
}

func BenchmarkVerify(b *testing.B) {
	v := NewInventory(stadium(b, 2000, 50))
	b.ReportAllocs()
	for b.Loop() {
		if err := v.Verify(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodePlan(b *testing.B) {
	data := stadium(b, 2000, 50).AppendBinary(nil)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := DecodePlan(data); err != nil {
			b.Fatal(err)
		}
	}
}
