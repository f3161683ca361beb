package queue

import (
	"fmt"
	"testing"
)

var sizes = []int{1_000, 100_000, 10_000_000}

func filled(n int) *Queue {
	q := New(Policy{RatePerMinute: MaxRate, Burst: MaxBurst, ActiveCap: MaxActive, MaxPlaces: MaxMaxPlaces})
	for a := range uint64(n) {
		q.Join(a, 0)
		q.ClearTransitions()
	}
	return q
}

func eachSize(b *testing.B, run func(b *testing.B, q *Queue, n uint64)) {
	for _, n := range sizes {
		q := filled(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			run(b, q, uint64(n))
		})
	}
}

// scatter visits accounts in an order that no cache foresees.
func scatter(i, n uint64) uint64 { return i * 0x9e3779b97f4a7c15 % n }

func BenchmarkJoin(b *testing.B) {
	eachSize(b, func(b *testing.B, q *Queue, n uint64) {
		for a := uint64(q.issued); b.Loop(); a++ {
			q.Join(a, 0)
			q.ClearTransitions()
		}
	})
}

func BenchmarkJoinAgain(b *testing.B) {
	eachSize(b, func(b *testing.B, q *Queue, n uint64) {
		for i := uint64(0); b.Loop(); i++ {
			q.Join(scatter(i, n), 0)
		}
	})
}

func BenchmarkAhead(b *testing.B) {
	eachSize(b, func(b *testing.B, q *Queue, n uint64) {
		for i := uint64(0); b.Loop(); i++ {
			q.Ahead(Place(scatter(i, n) + 1))
		}
	})
}

func BenchmarkAwayBack(b *testing.B) {
	eachSize(b, func(b *testing.B, q *Queue, n uint64) {
		for i := uint64(0); b.Loop(); i++ {
			a := scatter(i, n)
			q.Away(a, 0)
			q.Back(a, 0)
			q.ClearTransitions()
		}
	})
}

// BenchmarkTurn is a whole turn: offer, claim, activity, finish, and joining again.
func BenchmarkTurn(b *testing.B) {
	eachSize(b, func(b *testing.B, q *Queue, n uint64) {
		q.SetRate(MaxRate, 1, 0)
		for now := int64(1); b.Loop(); now++ {
			q.Advance(now, true, 1)
			tr := q.Transitions()[len(q.Transitions())-1]
			q.Claim(tr.Account, now)
			q.Touch(tr.Account, now, now+700_000)
			q.Finish(tr.Account, now)
			q.Join(tr.Account, now)
			q.ClearTransitions()
		}
	})
}

func BenchmarkView(b *testing.B) {
	eachSize(b, func(b *testing.B, q *Queue, n uint64) {
		for i := uint64(0); b.Loop(); i++ {
			q.Away(scatter(i, n), 0)
			q.ClearTransitions()
			q.View()
		}
	})
}

func BenchmarkSnapshot(b *testing.B) {
	eachSize(b, func(b *testing.B, q *Queue, n uint64) {
		var buf []byte
		for b.Loop() {
			buf = q.AppendBinary(buf[:0])
		}
		b.ReportMetric(float64(len(buf)), "bytes")
	})
}
