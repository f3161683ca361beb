package seating

import (
	"errors"

	"github.com/catraca/catraca/actors/sale/seatmap"
)

// Options of an import.
type Options struct {
	// Rekey replaces keys that stand on more than one unit, by the unit's uuid if that is unique, else by a generated key. Without
	// it duplicates refuse the plan.
	Rekey bool
	// Prices by category key or, second, by name, in minor units of the event's currency. When there is any, every category in use needs one.
	Prices map[string]Price
	// Name replaces the name in the file.
	Name string
	// SkipUnsupported leaves out what cannot be sold (tables and areas sold as a whole, booths) instead of refusing the plan.
	SkipUnsupported bool
}

// Price is the face value and the service fee of one place, in minor units.
type Price struct{ Price, Fee int64 }

// Import reads a pretix seating plan or a seats.io chart; which of the two is told from its properties. It always returns a report.
// If a defect is fatal there is no plan and the error is a [*DefectError].
func Import(data []byte, o Options) (*seatmap.Plan, *Report, error) {
	rep := &Report{}
	p := read(data, o, rep)
	if rep.Fatal() > 0 {
		return nil, rep, &DefectError{rep}
	}
	if p == nil {
		return nil, rep, errors.New("import seating plan: nothing read")
	}
	rep.count(p)
	return p, rep, nil
}

// read goes on past defects as far as it makes sense, so that the report is whole.
func read(data []byte, o Options, rep *Report) *seatmap.Plan {
	root, err := parse(data, rep)
	if err != nil {
		rep.fault("", CodeSyntax, "not a JSON document: %v", err)
		return nil
	}
	r := &reader{rep: rep, unknown: map[string]*surplus{}}
	var d *draft
	switch {
	case root.kind != kindObject:
		rep.fault("", CodeFormat, "is %s, a seating plan is an object", root.kind)
		return nil
	case root.get("subChart") != nil || root.get("subChartFloors") != nil:
		rep.Format = FormatSeatsio
		d = r.chart(root, o.SkipUnsupported)
	case root.get("zones") != nil:
		rep.Format = FormatPretix
		d = r.pretix(root)
	default:
		rep.fault("", CodeFormat, "neither a pretix seating plan (zones) nor a seats.io chart (subChart)")
		return nil
	}
	r.flush()
	if o.Name != "" {
		d.name = o.Name
	}
	d.tidy(rep)
	d.bounded(rep)
	d.short(rep)
	d.uniqueCategories(rep)
	rep.Rekeyed = d.uniqueKeys(rep, o.Rekey)
	d.overlaps(rep)
	categories := d.price(o.Prices, rep)
	if rep.Fatal() > 0 {
		rep.Rekeyed = 0
		return nil
	}
	d.arrange()
	p := d.plan(rep)
	p.Categories = categories
	validate(p, rep)
	return p
}
