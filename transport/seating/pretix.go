package seating

import (
	"math"
	"strconv"
	"strings"
)

// Properties of the pretix format, by kind of object.

func pretixPlan() []string { return []string{"name", "categories", "zones", "size"} }

func pretixSize() []string { return []string{"width", "height"} }

func pretixCategory() []string { return []string{"name", "color"} }

func pretixZone() []string { return []string{"name", "zone_id", "uuid", "position", "rows", "areas"} }

func pretixRow() []string {
	return []string{"row_number", "row_label", "row_number_position", "start_direction", "seat_label", "position", "seats", "uuid"}
}

func pretixSeat() []string {
	return []string{"seat_guid", "seat_number", "seat_label", "position", "category", "radius", "start_direction", "uuid"}
}

func pretixArea() []string {
	return []string{"shape", "color", "border_color", "rotation", "uuid", "position", "text", "polygon", "rectangle", "ellipse", "circle"}
}

func pretixText() []string { return []string{"text", "color", "position", "size"} }

// pretix reads a pretix seating plan. A zone is a section; positions add up over zone, row and seat. Drawn areas are not for sale.
func (r *reader) pretix(root *node) *draft {
	d := &draft{name: "Plan", keyName: "seat_guid"}
	r.object(root, "", "plan", pretixPlan())
	if s, ok := r.text(root, "", "name", false); ok && s != "" {
		d.name = s
	} else {
		r.rep.warn("name", CodeMissing, "missing, the plan is called %q", d.name)
	}
	if size := root.get("size"); size != nil && r.object(size, "size", "size", pretixSize()) {
		d.width, _ = r.coordinate(size, "size", "width", false)
		d.height, _ = r.coordinate(size, "size", "height", false)
	} else {
		r.rep.warn("size", CodeMissing, "missing, computed from the seats")
	}
	for i, c := range r.list(root, "", "categories", true) {
		path := at("categories", i)
		if !r.object(&c, path, "category", pretixCategory()) {
			continue
		}
		if name, ok := r.text(&c, path, "name", true); ok {
			d.addCategory(draftCategory{join(path, "name"), name, name, r.color(&c, path, "color", paletteColor(i))})
		}
	}
	for i, z := range r.list(root, "", "zones", true) {
		r.pretixZone(d, &z, at("zones", i), i)
	}
	return d
}

func (r *reader) pretixZone(d *draft, z *node, path string, i int) {
	if !r.object(z, path, "zone", pretixZone()) {
		return
	}
	s := &draftSection{path: path, label: "Zone " + strconv.Itoa(i+1)}
	if name, ok := r.text(z, path, "name", false); ok && name != "" {
		s.label = name
	}
	origin, placed := r.point(z, path, "position", true)
	for j, row := range r.list(z, path, "rows", true) {
		r.pretixRow(d, s, &row, join(path, at("rows", j)), origin, placed)
	}
	for j, a := range r.list(z, path, "areas", false) {
		r.pretixArea(&a, join(path, at("areas", j)))
	}
	d.sections = append(d.sections, s)
}

func (r *reader) pretixRow(d *draft, s *draftSection, n *node, path string, origin point, placed bool) {
	if !r.object(n, path, "row", pretixRow()) {
		return
	}
	number, ok := r.text(n, path, "row_number", true)
	if ok && number == "" {
		r.rep.warn(join(path, "row_number"), CodeNoLabel, "empty")
	}
	row := &draftRow{path: path, label: r.pretixLabel(n, path, "row_label", number)}
	r.oneOf(n, path, "row_number_position", "start", "end", "both")
	r.oneOf(n, path, "start_direction", "<", ">", "<>")
	pos, ok := r.point(n, path, "position", true)
	for i, seat := range r.list(n, path, "seats", true) {
		r.pretixSeat(d, row, n, &seat, join(path, at("seats", i)), origin.plus(pos), placed && ok)
	}
	s.rows = append(s.rows, row)
}

// pretixLabel fills a number into the label pattern of an object.
func (r *reader) pretixLabel(n *node, path, name, number string) string {
	if pattern, ok := r.text(n, path, name, false); ok && pattern != "" {
		return strings.ReplaceAll(pattern, "%s", number)
	}
	return number
}

func (r *reader) pretixSeat(d *draft, row *draftRow, parent, n *node, path string, origin point, placed bool) {
	if !r.object(n, path, "seat", pretixSeat()) {
		return
	}
	s := draftSeat{path: path, keyPath: join(path, "seat_guid"), category: -1}
	if key, ok := r.text(n, path, "seat_guid", true); ok {
		if s.key = key; key == "" {
			r.rep.fault(s.keyPath, CodeMissing, "empty")
		}
	}
	number, ok := r.text(n, path, "seat_number", true)
	if ok && number == "" {
		r.rep.warn(join(path, "seat_number"), CodeNoLabel, "empty")
	}
	s.label = r.pretixLabel(n, path, "seat_label", number)
	if n.get("seat_label") == nil {
		s.label = r.pretixLabel(parent, row.path, "seat_label", number)
	}
	s.uuid, _ = r.text(n, path, "uuid", false)
	r.number(n, path, "radius", false)
	r.oneOf(n, path, "start_direction", "<", ">", "<>")
	if name, ok := r.text(n, path, "category", true); ok {
		if s.category = d.category(name); s.category < 0 {
			r.rep.fault(join(path, "category"), CodeUnknownCategory, "%q is not listed in categories", name)
		}
	}
	pos, ok := r.point(n, path, "position", true)
	s.at, s.lost = origin.plus(pos), !ok || !placed
	row.seats = append(row.seats, s)
}

// pretixArea checks a drawn area, which is decoration: its defects are never fatal.
func (r *reader) pretixArea(n *node, path string) {
	if n.kind != kindObject {
		r.wrong(path, n, "an object", false)
		return
	}
	r.object(n, path, "area", pretixArea())
	r.oneOf(n, path, "shape", "polygon", "rectangle", "ellipse", "circle", "text")
	r.number(n, path, "rotation", false)
	r.point(n, path, "position", false)
	if t := n.get("text"); t != nil && t.kind == kindObject {
		r.object(t, join(path, "text"), "text", pretixText())
	}
	if box := n.get("rectangle"); box != nil {
		r.wholes(box, join(path, "rectangle"), pretixSize())
	}
	if c := n.get("circle"); c != nil {
		r.wholes(c, join(path, "circle"), []string{"radius"})
	}
	if e := n.get("ellipse"); e != nil && e.get("radius") != nil {
		r.wholes(e.get("radius"), join(path, "ellipse.radius"), xy())
	}
}

// wholes warns about numbers of a drawing that should be whole.
func (r *reader) wholes(n *node, path string, names []string) {
	for _, name := range names {
		if f, ok := r.number(n, path, name, false); ok && f != math.Trunc(f) {
			r.rep.warn(join(path, name), CodeFraction, "%v is not a whole number", f)
		}
	}
}
