package bench

import "slices"

// kendall is the rank correlation between the order of a list and the order of its values, from -1 to 1: pairs in
// the right order less pairs in the wrong one, over both. Equal values make no pair; without any it is 1. It counts
// the wrong pairs as the exchanges of a merge sort (Knight, JASA 61, 1966).
func kendall(list []int64) float64 {
	n := int64(len(list))
	sorted := slices.Clone(list)
	wrong := exchanges(sorted, make([]int64, len(list)))
	pairs := n * (n - 1) / 2
	for i := 0; i < len(sorted); {
		k := i
		for k < len(sorted) && sorted[k] == sorted[i] {
			k++
		}
		equal := int64(k - i)
		pairs -= equal * (equal - 1) / 2
		i = k
	}
	if pairs == 0 {
		return 1
	}
	return float64(pairs-2*wrong) / float64(pairs)
}

// exchanges sorts a list and returns how many pairs stood in the wrong order. The room is as long as the list.
func exchanges(list, room []int64) (wrong int64) {
	if len(list) < 2 {
		return 0
	}
	half := len(list) / 2
	a, b := list[:half], list[half:]
	wrong = exchanges(a, room[:half]) + exchanges(b, room[half:])
	out := room[:0]
	for len(a) > 0 && len(b) > 0 {
		if b[0] < a[0] {
			wrong += int64(len(a))
			out, b = append(out, b[0]), b[1:]
			continue
		}
		out, a = append(out, a[0]), a[1:]
	}
	out = append(append(out, a...), b...)
	copy(list, out)
	return wrong
}
