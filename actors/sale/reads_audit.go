package sale

import (
	"slices"

	"github.com/catraca/catraca/actors/sale/queue"
)

// PlaceAt reads a place of the queue by its number; false if it was not issued.
func (s *State) PlaceAt(p queue.Place) (queue.Info, bool) { return s.line.Issued(p) }

// Payments is every payment of an order at the provider, oldest first. Usually there is one; with a change of
// method, or a payment made twice, there are more, and an audit has to see all of them.
func (s *State) Payments(id OrderID) []Payment {
	o := s.orderOf(id)
	if o == nil {
		return nil
	}
	var all []Payment
	for r := o.payment; r != 0; r = s.payment(r).previous {
		all = append(all, s.payment(r).read())
	}
	slices.Reverse(all)
	return all
}
