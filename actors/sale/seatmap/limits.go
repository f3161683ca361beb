package seatmap

// Bounds of a plan. [Plan.Validate] and [DecodePlan] refuse what exceeds them, so that everything derived from a
// plan fits its integer types: distances are compared as squares of sums over [MaxQuantity] seats in int64.
const (
	MaxSeats      = 200_000
	MaxAreas      = 1_000
	MaxCategories = 1_000
	MaxSections   = 10_000
	MaxRows       = MaxSeats
	MaxRowSeats   = 1<<16 - 1
	MaxString     = 200       // bytes of a key, label or name
	MaxOutline    = 1_000     // corners of one area
	MaxAreaPlaces = 1_000_000 // places of one area
	MaxCoordinate = 1 << 24   // hundredths of the source's unit
	MaxMoney      = 1e12      // minor units of one price or fee

	// MaxQuantity bounds the places of one best-available query. Larger groups are asked to split.
	MaxQuantity = 32
)
