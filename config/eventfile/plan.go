package eventfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/seatmap"
	"github.com/catraca/catraca/transport/seating"
)

// plan builds the seat map from the plan file, or from areas alone.
func (f *File) plan(c *sale.Config, data []byte) (*seating.Report, error) {
	prices, err := f.prices(c.Currency)
	if err != nil {
		return nil, err
	}
	if f.Plan == "" {
		if len(f.Areas) == 0 {
			return nil, errors.New("plan or areas are needed")
		}
		c.Plan, err = f.standing(prices)
		return nil, err
	}
	if len(f.Areas) > 0 {
		return nil, errors.New("areas: they are in the plan already; leave one of the two out")
	}
	if data == nil {
		if data, err = seating.Sample(f.Plan); err != nil {
			return nil, fmt.Errorf("plan: %q is no built-in sample (%s), and no file came with it", f.Plan, strings.Join(seating.Samples(), ", "))
		}
	}
	plan, report, err := seating.Import(data, seating.Options{Rekey: f.Rekey, Prices: prices})
	if err != nil {
		return report, err
	}
	for i := range plan.Categories {
		k := &plan.Categories[i]
		mine, ok := f.Categories[k.Key]
		if !ok {
			mine = f.Categories[k.Name]
		}
		k.Name, k.Color = or(mine.Name, k.Name), or(mine.Color, k.Color)
	}
	c.Plan = plan
	return report, nil
}

func (f *File) prices(currency string) (map[string]seating.Price, error) {
	if len(f.Categories) == 0 {
		return nil, errors.New("categories: at least one with a price is needed")
	}
	out := make(map[string]seating.Price, len(f.Categories))
	for key, k := range f.Categories {
		price, err := k.Price.minor(decimals(currency))
		if err != nil {
			return nil, fmt.Errorf("categories.%s.price: %w", key, err)
		}
		var fee int64
		if k.Fee != "" {
			if fee, err = k.Fee.minor(decimals(currency)); err != nil {
				return nil, fmt.Errorf("categories.%s.fee: %w", key, err)
			}
		}
		out[key] = seating.Price{Price: price, Fee: fee}
	}
	return out, nil
}

// decimals of a currency that are not two (ISO 4217).
func decimals(currency string) int {
	switch currency {
	case "CLP", "PYG", "JPY", "KRW", "ISK", "VND", "XAF", "XOF", "UGX":
		return 0
	case "BHD", "JOD", "KWD", "OMR", "TND":
		return 3
	default:
		return 2
	}
}

// standing makes a plan of general admission: the areas side by side.
func (f *File) standing(prices map[string]seating.Price) (*seatmap.Plan, error) {
	const width, height, gap = 30000, 20000, 2000
	p := &seatmap.Plan{Name: f.Venue, Height: height + 2*gap, Sections: []seatmap.Section{{Label: f.Venue}}}
	for key := range f.Categories {
		p.Categories = append(p.Categories, seatmap.Category{Key: key})
	}
	slices.SortFunc(p.Categories, func(a, b seatmap.Category) int { return strings.Compare(a.Key, b.Key) })
	for i := range p.Categories {
		k := &p.Categories[i]
		mine := f.Categories[k.Key]
		k.Name, k.Color = or(mine.Name, k.Key), or(mine.Color, "#4a6fa5")
		k.Price, k.Fee = prices[k.Key].Price, prices[k.Key].Fee
	}
	for i, a := range f.Areas {
		at := slices.IndexFunc(p.Categories, func(k seatmap.Category) bool { return k.Key == a.Category })
		if at < 0 {
			return nil, fmt.Errorf("areas[%d].category: %q is none of the categories", i, a.Category)
		}
		if a.Name == "" || a.Capacity == 0 {
			return nil, fmt.Errorf("areas[%d]: name and capacity are needed", i)
		}
		left := int32(gap + i*(width+gap))
		p.Areas = append(p.Areas, seatmap.Area{
			Key: fmt.Sprintf("area-%d", i+1), Label: a.Name, Category: uint16(at), Capacity: a.Capacity,
			X: left + width/2, Y: gap + height/2,
			Outline: []seatmap.Point{{X: left, Y: gap}, {X: left + width, Y: gap}, {X: left + width, Y: gap + height}, {X: left, Y: gap + height}},
		})
		p.Width = left + width + gap
	}
	return p, nil
}
