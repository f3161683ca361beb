package seating

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/catraca/catraca/actors/sale/seatmap"
)

// point is a place in the drawing, in the source's unit.
type point struct{ x, y float64 }

func (p point) plus(q point) point { return point{p.x + q.x, p.y + q.y} }

func (p point) distance(q point) float64 { return math.Hypot(p.x-q.x, p.y-q.y) }

// reader takes typed values out of nodes and reports what is not right about them.
type reader struct {
	rep     *Report
	unknown map[string]*surplus // by kind of object and property
}

// surplus is an unknown property: where it was first seen and how often.
type surplus struct {
	path, kind, name string
	count            int
}

// object checks that n is an object with known properties only. Unknown ones are told once each, with their number.
func (r *reader) object(n *node, path, kind string, known []string) bool {
	if n.kind != kindObject {
		r.rep.fault(path, CodeWrongType, "%s is %s, must be an object", kind, n.kind)
		return false
	}
	for _, name := range n.names {
		if slices.Contains(known, name) {
			continue
		}
		key := kind + "." + name
		if s := r.unknown[key]; s != nil {
			s.count++
		} else {
			r.unknown[key] = &surplus{join(path, name), kind, name, 1}
		}
	}
	return true
}

// flush reports the unknown properties.
func (r *reader) flush() {
	all := make([]*surplus, 0, len(r.unknown))
	for _, s := range r.unknown {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *surplus) int { return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.kind, b.kind)) })
	for _, s := range all {
		if s.count == 1 {
			r.rep.warn(s.path, CodeUnknownProperty, "a %s has no property %q, ignored", s.kind, s.name)
			continue
		}
		r.rep.warn(s.path, CodeUnknownProperty, "a %s has no property %q, ignored here and in %d more places", s.kind, s.name, s.count-1)
	}
}

// wrong reports a value of the wrong type, fatal if it is needed.
func (r *reader) wrong(path string, n *node, want string, need bool) {
	r.rep.add(Defect{path, CodeWrongType, "is " + n.kind.String() + ", must be " + want, need})
}

// missing reports an absent property if it is needed.
func (r *reader) missing(path string, need bool) {
	if need {
		r.rep.fault(path, CodeMissing, "missing")
	}
}

// text reads a string property. A number is taken as its digits with a warning.
func (r *reader) text(n *node, path, name string, need bool) (string, bool) {
	v := n.get(name)
	switch {
	case v == nil:
		r.missing(join(path, name), need)
		return "", false
	case v.kind == kindNumber:
		r.rep.warn(join(path, name), CodeWrongType, "is the number %s, should be a string", v.text)
		return v.text, true
	case v.kind != kindString:
		r.wrong(join(path, name), v, "a string", need)
		return "", false
	}
	return v.text, true
}

// number reads a number property.
func (r *reader) number(n *node, path, name string, need bool) (float64, bool) {
	v := n.get(name)
	if v == nil {
		r.missing(join(path, name), need)
		return 0, false
	}
	if v.kind != kindNumber {
		r.wrong(join(path, name), v, "a number", need)
		return 0, false
	}
	f, err := strconv.ParseFloat(v.text, 64)
	if err != nil || math.IsInf(f, 0) {
		r.rep.add(Defect{join(path, name), CodeNotFinite, v.text + " is not a finite number", need})
		return 0, false
	}
	return f, true
}

// maxUnits bounds a coordinate in the source's unit.
const maxUnits = seatmap.MaxCoordinate / 100

// coordinate reads a number that a plan can hold.
func (r *reader) coordinate(n *node, path, name string, need bool) (float64, bool) {
	f, ok := r.number(n, path, name, need)
	if ok && math.Abs(f) > maxUnits {
		r.rep.add(Defect{join(path, name), CodeOutOfRange, "is beyond ±" + strconv.Itoa(maxUnits), need})
		return 0, false
	}
	return f, ok
}

func xy() []string { return []string{"x", "y"} }

// point reads an {x, y} property.
func (r *reader) point(n *node, path, name string, need bool) (point, bool) {
	v, path := n.get(name), join(path, name)
	if v == nil {
		r.missing(path, need)
		return point{}, false
	}
	if v.kind != kindObject {
		r.wrong(path, v, "an object with x and y", need)
		return point{}, false
	}
	r.object(v, path, "point", xy())
	return r.at(v, path, need)
}

// at reads x and y of the object itself.
func (r *reader) at(n *node, path string, need bool) (point, bool) {
	x, okX := r.coordinate(n, path, "x", need)
	y, okY := r.coordinate(n, path, "y", need)
	return point{x, y}, okX && okY
}

// list reads a list property.
func (r *reader) list(n *node, path, name string, need bool) []node {
	v := n.get(name)
	if v == nil {
		r.missing(join(path, name), need)
		return nil
	}
	if v.kind != kindArray {
		r.wrong(join(path, name), v, "a list", need)
		return nil
	}
	return v.items
}

// flag reads a boolean property, false if absent. Words for it are taken with a warning.
func (r *reader) flag(n *node, path, name string) bool {
	v := n.get(name)
	switch {
	case v == nil:
		return false
	case v.kind == kindBool:
		return v.text == "true"
	case v.kind == kindString && (v.text == "true" || v.text == "false"):
		r.rep.warn(join(path, name), CodeWrongType, "is the string %q, should be a boolean", v.text)
		return v.text == "true"
	}
	r.wrong(join(path, name), v, "a boolean", false)
	return false
}

// oneOf warns when a string property has a value that is not listed.
func (r *reader) oneOf(n *node, path, name string, values ...string) {
	if s, ok := r.text(n, path, name, false); ok && !slices.Contains(values, s) {
		r.rep.warn(join(path, name), CodeUnknownValue, "%q is not one of %q", s, values)
	}
}

// color reads a colour, #rgb or #rrggbb, and falls back with a warning.
func (r *reader) color(n *node, path, name, fallback string) string {
	s, ok := r.text(n, path, name, false)
	if !ok {
		return fallback
	}
	if c, ok := hexColor(s); ok {
		return c
	}
	r.rep.warn(join(path, name), CodeUnknownValue, "%q is not #rrggbb, shown as %s", s, fallback)
	return fallback
}

func hexColor(s string) (string, bool) {
	if len(s) == 4 && s[0] == '#' {
		s = string([]byte{'#', s[1], s[1], s[2], s[2], s[3], s[3]})
	}
	if len(s) != 7 || s[0] != '#' {
		return "", false
	}
	if _, err := strconv.ParseUint(s[1:], 16, 32); err != nil {
		return "", false
	}
	return s, true
}
