package report

import "math"

// How an interval is made, see [Compare].
const (
	fewestBatches = 10
	mostBatches   = 30
	shortest      = 5    // seconds in a batch
	memories      = 5    // of the run's own memory a run must last to say anything
	steadiest     = 0.95 // the strongest correlation of neighbours that is reckoned with
	rounding      = 1e-9 // of sums of logarithms
)

// student is the 99.5th percentile of Student's distribution with one degree of freedom less than there are batches.
func student(batches int) float64 {
	return [mostBatches - fewestBatches + 1]float64{3.250, 3.169, 3.106, 3.055, 3.012, 2.977, 2.947, 2.921, 2.898, 2.878, 2.861,
		2.845, 2.831, 2.819, 2.807, 2.797, 2.787, 2.779, 2.771, 2.763, 2.756}[batches-fewestBatches]
}

// halfWidth is by how much the mean of terms may be off, with 99 % confidence; terms add up to zero and are one for each
// second. It says false when there are too few of them for how much each hangs on the one before.
func halfWidth(terms []float64) (float64, bool) {
	n := len(terms)
	if n < fewestBatches*shortest {
		return 0, false
	}
	phi := neighbours(terms)
	memory := (1 + phi) / (1 - phi) // seconds that say as much as one that stood alone
	if memory*memories*2 > float64(n) {
		return 0, false
	}
	size := min(max(shortest, (n+mostBatches-1)/mostBatches, int(math.Ceil(2*memory))), n/fewestBatches)
	batches := n / size
	var sum, squares float64
	for i := range batches {
		mean := 0.0
		from, to := i*n/batches, (i+1)*n/batches
		for _, t := range terms[from:to] {
			mean += t
		}
		mean *= float64(batches) / float64(n)
		sum, squares = sum+mean, squares+mean*mean
	}
	k := float64(batches)
	spread := max(0, squares-sum*sum/k) / (k - 1)
	return student(batches) * math.Sqrt(spread/k*overlooked(phi, size, batches)), true
}

// neighbours is the correlation of a second with the one before, corrected for how much a short series hides of it
// (Kendall, "Note on bias in the estimation of autocorrelation", Biometrika 41, 1954).
func neighbours(terms []float64) float64 {
	var with, own float64
	for i, t := range terms {
		own += t * t
		if i > 0 {
			with += t * terms[i-1]
		}
	}
	if own <= rounding*rounding*float64(len(terms)) {
		return 0 // the same in every second
	}
	phi := with / own
	return min(max(0, phi+(1+4*phi)/float64(len(terms))), steadiest)
}

// overlooked is by what factor the spread of batches makes the variance of the mean too small, because neighbouring batches
// hang on one another too; exact for a series in which each second hangs on the one before alone.
func overlooked(phi float64, size, batches int) float64 {
	variance := func(n int) float64 { // of the mean of n, beside that of one
		sum, power := 1.0, 1.0
		for j := 1; j < n; j++ {
			power *= phi
			sum += 2 * (1 - float64(j)/float64(n)) * power
		}
		return sum / float64(n)
	}
	whole := variance(size * batches)
	return whole * float64(batches-1) / (variance(size) - whole)
}
