package arrival

import (
	"cmp"
	"math/bits"
	"slices"
)

// OnSaleCounts are the tickets that were reserved in each second of a real sale that opened and sold out: 967 in 17 s.
// Source: github.com/emfcamp/Website, issue 1901, 9 March 2026 from 20:00:03.
func OnSaleCounts() []int {
	return []int{7, 18, 52, 72, 131, 134, 108, 120, 125, 100, 39, 8, 14, 10, 17, 4, 8}
}

// OnSale is the curve of [OnSaleCounts] scaled to exactly n fans.
func OnSale(n int) Curve { return PerSecond(Scale(OnSaleCounts(), n)) }

// Scale returns counts in the same proportions, as nearly as whole numbers can, that sum up to n. Of equal claims to a
// remainder the earlier one wins. Negative counts are 0; when all are, or n is, there is nobody.
func Scale(counts []int, n int) []int {
	scaled := make([]int, len(counts))
	sum := uint64(0)
	for _, c := range counts {
		sum += uint64(max(c, 0))
	}
	if n <= 0 || sum == 0 {
		return scaled
	}
	rest := make([]uint64, len(counts))
	order := make([]int, len(counts))
	left := n
	for i, c := range counts {
		hi, lo := bits.Mul64(uint64(max(c, 0)), uint64(n))
		q, r := bits.Div64(hi, lo, sum) // c <= sum, so that the quotient is at most n
		scaled[i], rest[i], order[i] = int(q), r, i
		left -= int(q)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rest[b], rest[a]) })
	for _, i := range order[:left] {
		scaled[i]++
	}
	return scaled
}
