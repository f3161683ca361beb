package eventfile

import (
	"fmt"
	"slices"

	"github.com/catraca/catraca/actors/sale/seatmap"
	"github.com/catraca/catraca/transport/seating"
)

// maxAreas of a file without a plan; a plan may have more.
const maxAreas = 100

// standing makes a plan of general admission: the areas side by side.
func (r *reading) standing(prices map[string]seating.Price) *seatmap.Plan {
	const width, height, gap = 30000, 20000, 2000 // hundredths of the drawing's unit
	f := r.f
	p := &seatmap.Plan{Name: f.Venue, Height: height + 2*gap, Sections: []seatmap.Section{{Label: f.Venue}}}
	for _, key := range r.keys() {
		mine := f.Categories[key]
		p.Categories = append(p.Categories, seatmap.Category{
			Key: key, Name: or(mine.Name, key), Color: or(mine.Color, "#4a6fa5"), Price: prices[key].Price, Fee: prices[key].Fee,
		})
	}
	if len(f.Areas) > maxAreas {
		r.bad("areas", "%d of them, allowed are at most %d", len(f.Areas), maxAreas)
		return nil
	}
	sold, named := map[string]bool{}, map[string]bool{}
	for i, a := range f.Areas {
		path := fmt.Sprintf("areas[%d]", i)
		at := slices.IndexFunc(p.Categories, func(k seatmap.Category) bool { return k.Key == a.Category })
		if at < 0 {
			r.bad(path+".category", "%q is none of the categories", clip(a.Category))
			at = 0
		}
		sold[a.Category] = true
		r.area(path, a, named[a.Name])
		named[a.Name] = true
		left := int32(gap + i*(width+gap))
		p.Areas = append(p.Areas, seatmap.Area{
			Key: fmt.Sprintf("area-%d", i+1), Label: a.Name, Category: uint16(at), Capacity: a.Capacity,
			X: left + width/2, Y: gap + height/2,
			Outline: []seatmap.Point{{X: left, Y: gap}, {X: left + width, Y: gap}, {X: left + width, Y: gap + height}, {X: left, Y: gap + height}},
		})
		p.Width = left + width + gap
	}
	for _, key := range r.keys() {
		if !sold[key] {
			r.bad("categories."+key, "is in no area, so it is never sold")
		}
	}
	return p
}

func (r *reading) area(path string, a Area, again bool) {
	switch {
	case a.Name == "" || len(a.Name) > 200:
		r.bad(path+".name", "has %d bytes, allowed are 1 to 200", len(a.Name))
	case again:
		r.bad(path+".name", "%q is the name of another area too", clip(a.Name))
	}
	if a.Capacity == 0 || a.Capacity > seatmap.MaxAreaPlaces {
		r.bad(path+".capacity", "%d, allowed are 1 to %d", a.Capacity, seatmap.MaxAreaPlaces)
	}
}
