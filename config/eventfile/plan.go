package eventfile

import (
	"errors"
	"slices"
	"strings"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/seatmap"
	"github.com/catraca/catraca/transport/seating"
)

// plan builds the seat map from the plan file, or from areas alone, and returns the importer's report if there is one.
func (r *reading) plan(data []byte) *seating.Report {
	f := r.f
	prices := r.prices()
	switch {
	case f.Plan == "" && len(f.Areas) == 0:
		r.bad("plan", "is needed: a seating plan's file, a built-in sample (%s), or areas", strings.Join(seating.Samples(), ", "))
		return nil
	case f.Plan == "":
		if f.Rekey {
			r.bad("rekey", "counts only with a plan")
		}
		r.c.Plan = r.standing(prices)
		return nil
	case len(f.Areas) > 0:
		r.bad("areas", "are in the plan already; leave one of the two out")
	}
	if data == nil {
		sample, err := seating.Sample(f.Plan)
		if err != nil {
			r.bad("plan", "%q is no built-in sample (%s), and no file came with it", clip(f.Plan), strings.Join(seating.Samples(), ", "))
			return nil
		}
		data = sample
	}
	plan, report, err := seating.Import(data, seating.Options{Rekey: f.Rekey, Prices: prices})
	if err != nil {
		if defects := (*seating.DefectError)(nil); !errors.As(err, &defects) {
			r.bad("plan", "%s", err)
		}
		return report
	}
	r.dress(plan)
	r.c.Plan = plan
	return report
}

// dress gives the plan's categories the names and colours of the file.
func (r *reading) dress(plan *seatmap.Plan) {
	for i := range plan.Categories {
		k := &plan.Categories[i]
		mine, ok := r.f.Categories[k.Key]
		if !ok {
			mine = r.f.Categories[k.Name]
		}
		k.Name, k.Color = or(mine.Name, k.Name), or(mine.Color, k.Color)
	}
}

// prices of the categories in minor units. Those that cannot be read are missing in the answer.
func (r *reading) prices() map[string]seating.Price {
	if len(r.f.Categories) == 0 {
		r.bad("categories", "is needed: at least one, with a price")
		return nil
	}
	digits, err := decimals(r.c.Currency)
	known := err == nil // otherwise the currency is told to be wrong already
	out := make(map[string]seating.Price, len(r.f.Categories))
	for _, key := range r.keys() {
		k, path := r.f.Categories[key], "categories."+key
		if k.Color != "" && !isColor(k.Color) {
			r.bad(path+".color", "%q, allowed is #rrggbb", clip(k.Color))
		}
		if len(k.Name) > 200 {
			r.bad(path+".name", "has %d bytes, allowed are at most 200", len(k.Name))
		}
		if k.Price == "" {
			r.bad(path+".price", "is needed")
		}
		price, fee := r.amount(path+".price", k.Price, digits, known), r.amount(path+".fee", k.Fee, digits, known)
		switch {
		case price+fee > sale.MaxPrice:
			r.bad(path+".price", "with its fee is more than a place may cost")
		case price == 0 && fee == 0 && k.Price != "" && known:
			if _, err := k.Price.minor(digits); err == nil {
				r.bad(path+".price", "is 0; what is free needs no payment, and is not sold here")
			}
		}
		out[key] = seating.Price{Price: price, Fee: fee}
	}
	return out
}

func (r *reading) amount(path string, a Amount, digits int, known bool) int64 {
	if a == "" || !known {
		return 0
	}
	n, err := a.minor(digits)
	if err != nil {
		r.bad(path, "%s", err)
	}
	return n
}

// keys of the categories in order, so that mistakes come in the same order every time.
func (r *reading) keys() []string {
	out := make([]string, 0, len(r.f.Categories))
	for key := range r.f.Categories {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

func isColor(s string) bool {
	return len(s) == 7 && s[0] == '#' && strings.Trim(s[1:], "0123456789abcdefABCDEF") == ""
}
