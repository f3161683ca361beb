package placement

import (
	"cmp"
	"slices"
)

// ranked is a member with its rank for one shard.
type ranked struct {
	name string
	rank uint64
}

// rank orders the members for a shard, the highest first, differently for each shard: rendezvous hashing (Thaler and
// Ravishankar, "Using name-based mappings to increase hit rates", 1998). The order of two members depends on nobody
// else, so one that comes or goes moves no other.
func rank(shard int, name string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	h := uint64(offset)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * prime
	}
	h ^= uint64(shard) * 0x9e3779b97f4a7c15 //nolint:gosec // shards are numbered from 0
	// The finaliser of splitmix64 (Steele, Lea and Flood, 2014) lets every bit of the name and the shard count.
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// higher orders two members by their rank, the higher first.
func higher(shard int, a, b string) int {
	return cmp.Or(cmp.Compare(rank(shard, b), rank(shard, a)), cmp.Compare(a, b))
}

func byRank(rs []ranked) {
	slices.SortFunc(rs, func(a, b ranked) int { return cmp.Or(cmp.Compare(b.rank, a.rank), cmp.Compare(a.name, b.name)) })
}
