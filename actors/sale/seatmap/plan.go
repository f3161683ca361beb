package seatmap

// UnitID is the dense index of a unit of one event: first the seats of [Plan.Seats] in their order, then
// the general-admission areas of [Plan.Areas]. An area is one unit that holds many places.
type UnitID uint32

// Plan is a seating plan as the sale sees it: geometry in hundredths of the source's unit, adjacency decided at
// import, prices per category in minor units of the event's currency. It is built by an importer, checked by
// [Plan.Validate], and never changes while it is on sale.
type Plan struct {
	Name          string
	Width, Height int32 // the drawing's size; every X is in 0..Width, every Y in 0..Height
	Categories    []Category
	Sections      []Section
	Rows          []Row
	Seats         []Seat // seats of one row are contiguous and in physical order
	Areas         []Area
}

// Category is a price category. Price is the face value of one place, Fee the service fee shown beside it.
type Category struct {
	Key, Name, Color string // Color is #rrggbb
	Price, Fee       int64  // minor units, not negative
}

// Section is a named block of rows or areas. The focal point is what its seats look at (stage, finish line).
type Section struct {
	Label, Zone    string
	FocalX, FocalY int32
}

// Row is a physical row. Its seats are Seats[First : First+Count]. Rank orders rows of a section from the front.
type Row struct {
	Section uint16
	Label   string
	First   UnitID
	Count   uint16
	Rank    uint16
}

// Seat is one numbered seat. Key is the identifier of the source (unique within the plan).
type Seat struct {
	Key, Label string
	X, Y       int32
	Row        uint32
	Category   uint16
	Flags      Flags
}

// Area is a general-admission area that sells Capacity places without numbers.
type Area struct {
	Key, Label string
	Section    uint16
	Category   uint16
	Capacity   uint32
	X, Y       int32   // where the label stands
	Outline    []Point // polygon, may be empty
}

// Point is a corner of an outline, in plan units.
type Point struct{ X, Y int32 }

// Flags mark properties of a seat.
type Flags uint8

const (
	Accessible     Flags = 1 << iota // wheelchair place
	Companion                        // beside a wheelchair place
	RestrictedView                   // part of the stage cannot be seen
	BreakBefore                      // an aisle or wide gap lies before this seat: it is not adjacent to its left neighbour
)

// Line asks for Count places of one unit; Count is 1 for a seat.
type Line struct {
	Unit  UnitID
	Count uint32
}
