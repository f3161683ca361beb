package seating

import "github.com/catraca/catraca/actors/sale/seatmap"

func (c *chart) section(n *node, path string, origin point, focal *point, floor string) {
	if !c.object(n, path, "section", chartSection()) {
		return
	}
	s := &draftSection{path: path, zone: floor, focal: focal}
	label, ok := c.text(n, path, "label", true)
	if ok && (label == "" || label == "?") {
		c.rep.fault(join(path, "label"), CodeNoLabel, "the section has no label")
	}
	s.label = label
	if d, ok := c.text(n, path, "displayLabel", false); ok && d != "" {
		s.label = d
	}
	if key, ok := c.key(n, path, "zone", false); ok {
		if z, known := c.zones[key]; known {
			s.zone = z.label
			if z.focal != nil {
				f := z.focal.plus(origin)
				s.focal = &f
			}
		} else {
			c.rep.fault(join(path, "zone"), CodeUnknownValue, "zone %q is not listed", key)
		}
	}
	c.d.sections = append(c.d.sections, s)
	p := place{section: s, prefix: label + "-", category: -1}
	if n.get("categoryKey") != nil {
		p.category, p.inherits = c.categoryOf(n, path, place{category: -1}), true
	}
	topLeft, ok := c.point(n, path, "topLeft", true)
	p.origin, p.lost = origin.plus(topLeft), !ok
	sub := n.get("subChart")
	if sub == nil {
		c.rep.warn(join(path, "subChart"), CodeMissing, "the section has no seats")
		return
	}
	path = join(path, "subChart")
	if !c.object(sub, path, "drawing", chartSub()) {
		return
	}
	if f := c.focal(sub, path, p.origin); f != nil {
		s.focal = f
	}
	if len(sub.get("sections").list()) > 0 {
		c.unsupported(join(path, "sections"), "a section inside a section")
	}
	for i, row := range c.list(sub, path, "rows", false) {
		c.row(p, &row, join(path, at("rows", i)))
	}
	c.rest(p, sub, path)
}

// categoryOf is the category of a unit: its own, else the one it inherits. An unknown one is reported and -1.
func (c *chart) categoryOf(n *node, path string, p place) int {
	key, ok := c.key(n, path, "categoryKey", false)
	if !ok {
		if n.get("categoryKey") == nil && !p.inherits {
			c.rep.fault(join(path, "categoryKey"), CodeMissing, "has no category and no section to inherit one from")
		}
		return p.category
	}
	i := c.d.category(key)
	if i < 0 {
		c.rep.fault(join(path, "categoryKey"), CodeUnknownCategory, "%q is not listed in categories", key)
	}
	return i
}

// unsupported reports what cannot be sold, fatal unless it is to be skipped.
func (c *chart) unsupported(path, what string) {
	c.rep.add(Defect{path, CodeUnsupported, what + " cannot be sold", !c.skip})
}

func (c *chart) row(p place, n *node, path string) {
	if !c.object(n, path, "row", chartRow()) {
		return
	}
	label, ok := c.text(n, path, "label", true)
	if ok && (label == "" || label == "?") {
		c.rep.fault(join(path, "label"), CodeNoLabel, "the row has no label")
	}
	row := &draftRow{path: path, label: label}
	if d, ok := c.text(n, path, "displayLabel", false); ok && d != "" {
		row.label = d
	}
	if n.get("categoryKey") != nil {
		p.category, p.inherits = c.categoryOf(n, path, p), true
	}
	c.seats(p, row, n, path, p.prefix+label+"-")
}

// seats reads the seats of a row or table and adds it to its section.
func (c *chart) seats(p place, row *draftRow, n *node, path, prefix string) {
	for i, seat := range c.list(n, path, "seats", true) {
		c.seat(p, row, &seat, join(path, at("seats", i)), prefix)
	}
	p.section.rows = append(p.section.rows, row)
}

func (c *chart) seat(p place, row *draftRow, n *node, path, prefix string) {
	if !c.object(n, path, "seat", chartSeat()) {
		return
	}
	s := draftSeat{path: path, keyPath: join(path, "label")}
	label, ok := c.text(n, path, "label", true)
	if ok && (label == "" || label == "?") {
		c.rep.fault(s.keyPath, CodeNoLabel, "the seat has no label")
	}
	s.key, s.label = prefix+label, label
	if d, ok := c.text(n, path, "displayLabel", false); ok && d != "" {
		s.label = d
	}
	s.uuid, _ = c.text(n, path, "uuid", false)
	s.category = c.categoryOf(n, path, p)
	pos, ok := c.at(n, path, true)
	s.at, s.lost = p.origin.plus(pos), !ok || p.lost
	chair := c.flag(n, path, "accessible") || s.category >= 0 && c.accessible[s.category]
	companion := c.flag(n, path, "companionSeat")
	if chair && companion {
		c.rep.warn(join(path, "companionSeat"), CodeUnknownValue, "a wheelchair place is not a companion's too")
		companion = false
	}
	if chair {
		s.flags |= seatmap.Accessible
	}
	if companion {
		s.flags |= seatmap.Companion
	}
	if c.flag(n, path, "restrictedView") {
		s.flags |= seatmap.RestrictedView
	}
	row.seats = append(row.seats, s)
}

// rest reads the tables, areas and booths beside the rows.
func (c *chart) rest(p place, n *node, path string) {
	for i, t := range c.list(n, path, "tables", false) {
		c.table(p, &t, join(path, at("tables", i)))
	}
	for i, a := range c.list(n, path, "generalAdmissionAreas", false) {
		c.area(p, &a, join(path, at("generalAdmissionAreas", i)))
	}
	for i := range c.list(n, path, "booths", false) {
		c.unsupported(join(path, at("booths", i)), "a booth")
	}
}

// table reads a table whose chairs are sold one by one as a row that goes around it.
func (c *chart) table(p place, n *node, path string) {
	if !c.object(n, path, "table", chartTable()) {
		return
	}
	for _, name := range []string{"bookAsAWhole", "variableOccupancy"} {
		if c.flag(n, path, name) {
			c.unsupported(path, "a table sold as a whole ("+name+")")
			return
		}
	}
	label, ok := c.text(n, path, "label", true)
	if ok && (label == "" || label == "?") {
		c.rep.fault(join(path, "label"), CodeNoLabel, "the table has no label")
	}
	if n.get("categoryKey") != nil {
		p.category, p.inherits = c.categoryOf(n, path, p), true
	}
	c.seats(p, &draftRow{path: path, label: label, closed: true}, n, path, p.prefix+label+"-")
}
