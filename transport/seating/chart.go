package seating

// Properties of a seats.io chart, by kind of object.

func chartRoot() []string {
	return []string{"name", "tablesLabelCounter", "uuidCounter", "categories", "zones", "rowSpacing", "rowChairSpacing", "colorScheme",
		"version", "venueType", "sectionScaleFactor", "referenceChartVisible", "showAllButtons", "subChart", "subChartFloors"}
}

func chartList() []string { return []string{"list", "maxCategoryKey"} }

func chartCategory() []string { return []string{"key", "label", "color", "accessible"} }

func chartZone() []string { return []string{"key", "label", "focalPoint"} }

func chartSub() []string {
	return []string{"height", "width", "tables", "texts", "imageObjects", "rows", "shapes", "booths", "icons", "generalAdmissionAreas",
		"sections", "focalPoint", "backgroundImage", "referenceChart", "snapOffset", "floorName"}
}

func chartSection() []string {
	return []string{"points", "label", "displayLabel", "zone", "labelSize", "labelShown", "labelHorizontalOffset", "labelVerticalOffset",
		"labelRotationAngle", "uuid", "categoryLabel", "categoryKey", "topLeft", "entrance", "viewFromYourSeatImage", "objectLabeling", "subChart",
		"cutoffAngle", "published"}
}

func chartRow() []string {
	return []string{"label", "displayLabel", "sectionLabel", "sectionDisplayedLabel", "rowLabelPosition", "rowLabelDisabled", "seatLabeling",
		"objectLabeling", "seats", "curve", "chairSpacing", "verticalRowLabelDirection", "displayObjectType", "objectType", "uuid", "points",
		"smooth", "smoothness", "published", "rotationAngle", "categoryKey", "categoryLabel"}
}

func chartSeat() []string {
	return []string{"x", "y", "label", "displayLabel", "categoryLabel", "categoryAccessible", "categoryKey", "restrictedView", "accessible",
		"companionSeat", "semiAmbulatorySeat", "disabledBySocialDistancingRules", "entrance", "uuid", "published"}
}

func chartTable() []string {
	return []string{"center", "radius", "autoRadius", "seats", "rotationAngle", "openSpaces", "label", "displayLabel", "seatLabeling",
		"objectLabeling", "type", "objectType", "uuid", "bookAsAWhole", "variableOccupancy", "minOccupancy", "maxOccupancy", "published", "width",
		"height", "categoryKey", "categoryLabel"}
}

func chartArea() []string {
	return []string{"label", "displayLabel", "capacity", "categoryLabel", "categoryKey", "objectLabeling", "labelSize", "labelShown",
		"labelHorizontalOffset", "labelVerticalOffset", "labelRotationAngle", "objectType", "uuid", "translucent", "bookAsAWhole",
		"variableOccupancy", "minOccupancy", "maxOccupancy", "published", "type", "center", "rotationAngle", "radius1", "radius2", "width", "height",
		"cornerRadius", "points", "foreground", "entrance"}
}

// chart reads one seats.io chart.
type chart struct {
	*reader

	d          *draft
	accessible []bool // by category
	zones      map[string]zone
	skip       bool
}

// zone groups sections that look at one focal point.
type zone struct {
	label string
	focal *point
}

// place is where a list of rows and areas stands in the chart.
type place struct {
	section  *draftSection
	prefix   string // of keys: the section's label and a hyphen
	origin   point
	lost     bool // the origin is unknown
	category int  // inherited from the section, or -1
	inherits bool
}

func (r *reader) chart(root *node, skip bool) *draft {
	c := &chart{reader: r, d: &draft{name: "Chart", keyName: "label"}, zones: map[string]zone{}, skip: skip}
	r.object(root, "", "chart", chartRoot())
	if s, ok := r.text(root, "", "name", false); ok && s != "" {
		c.d.name = s
	}
	c.categories(root)
	c.readZones(root)
	if floors := root.get("subChartFloors"); floors != nil && len(floors.items) > 0 {
		top := 0.0
		for i := range floors.items {
			path := at("subChartFloors", i)
			if floors.kind == kindObject {
				path = join("subChartFloors", floors.names[i])
			}
			top += c.floor(&floors.items[i], path, point{0, top}, true)
		}
		return c.d
	}
	sub := root.get("subChart")
	if sub == nil {
		r.missing("subChart", true)
		return c.d
	}
	c.floor(sub, "subChart", point{}, false)
	return c.d
}

func (c *chart) categories(root *node) {
	box := root.get("categories")
	if box == nil {
		c.missing("categories", true)
		return
	}
	if !c.object(box, "categories", "list of categories", chartList()) {
		return
	}
	for i, n := range c.list(box, "categories", "list", true) {
		path := join("categories", at("list", i))
		if !c.object(&n, path, "category", chartCategory()) {
			continue
		}
		key, ok := c.key(&n, path, "key", true)
		if !ok {
			continue
		}
		label, ok := c.text(&n, path, "label", false)
		if !ok || label == "" {
			c.rep.warn(join(path, "label"), CodeMissing, "missing, the category is called %q", key)
			label = key
		}
		c.d.addCategory(draftCategory{join(path, "key"), key, label, c.color(&n, path, "color", paletteColor(i))})
		c.accessible = append(c.accessible, c.flag(&n, path, "accessible"))
	}
}

// key reads the key of a category, which is a number or a string.
func (c *chart) key(n *node, path, name string, need bool) (string, bool) {
	v := n.get(name)
	if v == nil {
		c.missing(join(path, name), need)
		return "", false
	}
	if v.kind != kindNumber && v.kind != kindString {
		c.wrong(join(path, name), v, "a number or a string", true)
		return "", false
	}
	return v.text, true
}

func (c *chart) readZones(root *node) {
	box := root.get("zones")
	if box == nil || !c.object(box, "zones", "list of zones", chartList()) {
		return
	}
	for i, n := range c.list(box, "zones", "list", false) {
		path := join("zones", at("list", i))
		if !c.object(&n, path, "zone", chartZone()) {
			continue
		}
		key, ok := c.key(&n, path, "key", true)
		if !ok {
			continue
		}
		z := zone{label: key}
		if s, ok := c.text(&n, path, "label", false); ok && s != "" {
			z.label = s
		}
		if p, ok := c.point(&n, path, "focalPoint", false); ok {
			z.focal = &p
		}
		c.zones[key] = z
	}
}

// floor reads the drawing of one floor, moved by origin, and returns how much room it takes downwards. Of several floors
// each names the zone of its sections that have none.
func (c *chart) floor(n *node, path string, origin point, several bool) float64 {
	if !c.object(n, path, "drawing", chartSub()) {
		return 0
	}
	width, _ := c.coordinate(n, path, "width", false)
	height, _ := c.coordinate(n, path, "height", false)
	c.d.width, c.d.height = max(c.d.width, origin.x+width), max(c.d.height, origin.y+height)
	name := ""
	if several {
		name, _ = c.text(n, path, "floorName", false)
	}
	focal := c.focal(n, path, origin)
	c.direct(n, path, origin, focal, name)
	for i, s := range c.list(n, path, "sections", false) {
		c.section(&s, join(path, at("sections", i)), origin, focal, name)
	}
	return height * 1.05
}

func (c *chart) focal(n *node, path string, origin point) *point {
	p, ok := c.point(n, path, "focalPoint", false)
	if !ok {
		return nil
	}
	p = p.plus(origin)
	return &p
}

// direct reads what stands in a floor outside of its sections. Rows may still name a section of their own.
func (c *chart) direct(n *node, path string, origin point, focal *point, floor string) {
	sections := map[string]*draftSection{}
	section := func(label string) *draftSection {
		s := sections[label]
		if s == nil {
			s = &draftSection{path: path, label: label, zone: floor, focal: focal}
			sections[label] = s
			c.d.sections = append(c.d.sections, s)
		}
		return s
	}
	for i, row := range c.list(n, path, "rows", false) {
		label, _ := c.text(&row, join(path, at("rows", i)), "sectionLabel", false)
		p := place{section: section(label), origin: origin, category: -1}
		if label != "" {
			p.prefix = label + "-"
		}
		c.row(p, &row, join(path, at("rows", i)))
	}
	if len(n.get("tables").list())+len(n.get("generalAdmissionAreas").list())+len(n.get("booths").list()) > 0 {
		c.rest(place{section: section(""), origin: origin, category: -1}, n, path)
	}
}

// list is the items of a list, none for anything else.
func (n *node) list() []node {
	if n == nil || n.kind != kindArray {
		return nil
	}
	return n.items
}
