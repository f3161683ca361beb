package seating

import (
	"math"
	"slices"

	"github.com/catraca/catraca/actors/sale/seatmap"
)

// area reads a general-admission area.
func (c *chart) area(p place, n *node, path string) {
	if !c.object(n, path, "area", chartArea()) {
		return
	}
	if c.flag(n, path, "bookAsAWhole") {
		c.unsupported(path, "an area sold as a whole (bookAsAWhole)")
		return
	}
	a := &draftArea{path: path, keyPath: join(path, "label")}
	label, ok := c.text(n, path, "label", true)
	if ok && (label == "" || label == "?") {
		c.rep.fault(a.keyPath, CodeNoLabel, "the area has no label")
	}
	a.key, a.label = p.prefix+label, label
	if d, ok := c.text(n, path, "displayLabel", false); ok && d != "" {
		a.label = d
	}
	a.uuid, _ = c.text(n, path, "uuid", false)
	a.category = c.categoryOf(n, path, p)
	if f, ok := c.number(n, path, "capacity", true); ok {
		if f != math.Trunc(f) {
			c.rep.warn(join(path, "capacity"), CodeFraction, "%v is not a whole number, taken as %v", f, math.Trunc(f))
		}
		if f < 1 || f > seatmap.MaxAreaPlaces {
			c.rep.fault(join(path, "capacity"), CodeOutOfRange, "%v is not within 1 to %d", f, seatmap.MaxAreaPlaces)
			f = 1
		}
		a.capacity = uint32(f)
	}
	a.at, a.outline = c.shape(n, path, p.origin)
	p.section.areas = append(p.section.areas, a)
}

// shape is the centre and outline of a circle, rectangle or polygon.
func (c *chart) shape(n *node, path string, origin point) (point, []point) {
	var corners []point
	centre, ok := c.point(n, path, "center", false)
	turn, _ := c.number(n, path, "rotationAngle", false)
	switch kind, _ := c.text(n, path, "type", false); kind {
	case "circle":
		rx, _ := c.coordinate(n, path, "radius1", true)
		ry, _ := c.coordinate(n, path, "radius2", true)
		const steps = 32
		for i := range steps {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / steps)
			corners = append(corners, point{rx * cos, ry * sin})
		}
	case "rectangle":
		w, _ := c.coordinate(n, path, "width", true)
		h, _ := c.coordinate(n, path, "height", true)
		corners = []point{{-w / 2, -h / 2}, {w / 2, -h / 2}, {w / 2, h / 2}, {-w / 2, h / 2}}
	default:
		return c.polygon(n, path, origin, centre, ok)
	}
	if !ok {
		c.missing(join(path, "center"), true)
		return point{}, nil
	}
	sin, cos := math.Sincos(turn * math.Pi / 180)
	for i, k := range corners {
		corners[i] = point{k.x*cos - k.y*sin, k.x*sin + k.y*cos}.plus(centre).plus(origin)
	}
	return centre.plus(origin), corners
}

// polygon is the outline from points; the centre is their mean unless it is given.
func (c *chart) polygon(n *node, path string, origin, centre point, ok bool) (point, []point) {
	var corners []point
	for i, k := range c.list(n, path, "points", !ok) {
		if len(corners) == seatmap.MaxOutline {
			c.rep.warn(join(path, "points"), CodeTooMany, "more than %d corners, the rest is cut off", seatmap.MaxOutline)
			break
		}
		kp := join(path, at("points", i))
		if k.kind != kindObject {
			c.wrong(kp, &k, "an object with x and y", false)
			continue
		}
		if p, ok := c.at(&k, kp, false); ok {
			corners = append(corners, p.plus(origin))
		}
	}
	if ok {
		return centre.plus(origin), corners
	}
	if len(corners) == 0 {
		c.rep.fault(path, CodeMissing, "the area has no center and no points")
		return point{}, nil
	}
	var sum point
	for _, k := range corners {
		sum = sum.plus(k)
	}
	return point{sum.x / float64(len(corners)), sum.y / float64(len(corners))}, slices.Clip(corners)
}
