package seating

import "github.com/catraca/catraca/actors/sale/seatmap"

// draft is what a format reader makes of a file: positions are absolute in the source's unit, keys may still repeat.
type draft struct {
	name          string
	width, height float64
	keyName       string // the property that holds keys, for messages
	categories    []draftCategory
	byKey         map[string]int // the first category of a key
	sections      []*draftSection
}

type draftCategory struct {
	path, key, name, color string
}

type draftSection struct {
	path        string
	label, zone string
	focal       *point // nil: the centre of the first row
	rows        []*draftRow
	areas       []*draftArea
}

type draftRow struct {
	path, label string
	seats       []draftSeat
	closed      bool // a table: the order of the file goes around it and there are no aisles
}

type draftSeat struct {
	path, keyPath    string // of the seat and of what its key was read from
	key, uuid, label string
	at               point
	lost             bool // the position is unknown, which has been reported
	category         int  // -1 when unknown, which has been reported
	flags            seatmap.Flags
}

type draftArea struct {
	path, keyPath    string
	key, uuid, label string
	at               point
	outline          []point
	capacity         uint32
	category         int
}

// addCategory appends a category. One whose key is taken stays unreachable and is reported later.
func (d *draft) addCategory(c draftCategory) {
	if d.byKey == nil {
		d.byKey = map[string]int{}
	}
	if _, ok := d.byKey[c.key]; !ok {
		d.byKey[c.key] = len(d.categories)
	}
	d.categories = append(d.categories, c)
}

// category finds a category by key, or -1.
func (d *draft) category(key string) int {
	if i, ok := d.byKey[key]; ok {
		return i
	}
	return -1
}

// paletteColor colours categories that bring none.
func paletteColor(i int) string {
	palette := [...]string{"#4176a5", "#fca700", "#5e9c4b", "#b1486b", "#7a5fb5", "#2a9d8f", "#c0623a", "#6b7280"}
	return palette[i%len(palette)]
}
