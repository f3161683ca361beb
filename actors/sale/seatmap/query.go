package seatmap

// OrphanPolicy says what to do with a choice that leaves a single seat alone.
type OrphanPolicy uint8

const (
	OrphanAvoid  OrphanPolicy = iota // allowed only if there is no other way
	OrphanStrict                     // never allowed
	OrphanIgnore                     // always allowed
)

// BestQuery asks for the best free places of a group.
type BestQuery struct {
	Quantity    uint32 // 1..MaxQuantity places
	Category    uint16
	AnyCategory bool // Category is ignored
	Section     uint16
	AnySection  bool  // Section is ignored
	MaxPrice    int64 // highest price + fee of one place in minor units, 0 for none

	// Accessible is how many of Quantity are wheelchair places. Each of them wants a companion among Quantity.
	Accessible uint32
	// Scatter allows an answer that is not side by side when nothing else is left.
	Scatter bool
	// Salt breaks ties among equally good windows; 0 takes the lowest unit.
	Salt uint64
	// Orphans is the policy of the sale; the zero value avoids orphans.
	Orphans OrphanPolicy
}
