package forecast

import "math"

// Chance that something is left when the turn comes.
type Chance uint8

const (
	Uncertain Chance = iota
	Likely
	Unlikely
)

// String is the word used in frames and answers.
func (c Chance) String() string {
	switch c {
	case Likely:
		return "likely"
	case Unlikely:
		return "unlikely"
	default:
		return "uncertain"
	}
}

const (
	priorBuys      = 0.6
	priorBasket    = 2.2
	priorPurchases = 20
	completes      = 0.7 // probability that held places are bought
	sure           = 1.3 // standard deviations
)

// sales are cumulative; known is false until they are told.
type sales struct {
	orders, places uint64
	known          bool
}

// ObserveSales tells how many purchases there were since the start, and of how many places. Without it what is usual is assumed.
func (f *Forecaster) ObserveSales(orders, places uint64) {
	f.sales = sales{orders: orders, places: places, known: true}
}

// estimates are the probability that a turn ends with a purchase, and the places in one.
func (s sales) estimates(turns uint64) (buys, basket float64) {
	if !s.known {
		return priorBuys, priorBasket
	}
	buys = (float64(s.orders) + priorBuys*priorPurchases) / (float64(turns) + priorPurchases)
	basket = (float64(s.places) + priorBasket*priorPurchases) / (float64(s.orders) + priorPurchases)
	return min(buys, 1), max(basket, 1)
}

// Chance for a fan with so many ahead, of a stock of free places and others that are held. It compares the stock with
// what those ahead, the returned, those shopping and the holds are expected to buy.
func (f *Forecaster) Chance(ahead, stock, held uint32) Chance {
	n := f.now.Load()
	switch {
	case stock == 0 && held == 0:
		return Unlikely
	case n == nil:
		return Uncertain
	}
	turns := n.load.returned + max(0, n.load.active-float64(held)/n.basket)
	if ahead > 0 {
		wait := n.pace.wait(ahead-1, n.load)
		if n.paused {
			wait = 0 // nobody knows how long; that those ahead stay is the careful assumption
		}
		turns += n.pace.served(float64(ahead), wait)
	}
	demand := turns*n.buys*n.basket + float64(held)*completes
	// What is held comes back into the stock when it is not bought.
	left := float64(stock) + float64(held) - demand
	z := left / math.Sqrt(max(demand, 1)*(n.basket+1))
	switch {
	case z > sure:
		return Likely
	case z < -sure:
		return Unlikely
	}
	return Uncertain
}
