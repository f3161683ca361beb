package drive

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/bench/scenario"
	"github.com/catraca/catraca/transport/wire"
)

// Cards of the sandbox.
const (
	goodCard     = "4242424242424242"
	askingCard   = "4000002760003184" // the bank asks
	declinedCard = "4000000000000002"
)

// story is what one fan of a share sets out to do.
func (c *Crowd) story(m scenario.Story, random *rand.Rand) bench.Story {
	least := max(m.AtLeast, 1)
	most := max(m.AtMost, least)
	s := bench.Story{
		Quantity: uint32(least + random.IntN(most-least+1)), //nolint:gosec // few
		Scatter:  true, Fewer: true, Seats: true, Live: !m.Pages, Linger: upTo(random, m.Linger), Hesitate: upTo(random, m.Hesitate),
		Method: "card", Card: goodCard, Patience: 2 * time.Minute, Banking: c.s.Payment.PixAfter,
	}
	if id, ok := c.sale.categories[m.Category]; ok && m.Category != "" {
		s.Category = &id
	}
	if byName(m) {
		if m.Story == "same-seats" {
			s.Near, s.Named = c.sale.seats.Plan.Wanted(s.Category)
			s.Scatter = false
		} else {
			s.Near, s.Named = c.sale.seats.Plan.Favourite(random, s.Category)
		}
	}
	switch m.Story {
	case "pix":
		s.Method, s.Card = "pix", ""
	case "bank":
		s.Card = askingCard
	case "declined":
		s.Card, s.Second = declinedCard, goodCard
	case "give-up":
		s.GiveUp = true
	case "walk-away":
		s.Walkaway = true
	case "release":
		s.Release = true
	case "vanish":
		s.Vanish = true
	case "pay-never":
		s.Card = ""
	}
	return s
}

// byName says whether the fans of a share choose their seats on the map.
func byName(m scenario.Story) bool { return m.Choose == "map" || m.Story == "same-seats" }

func upTo(random *rand.Rand, most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return time.Duration(random.Int64N(int64(most) + 1))
}

func signInBody(email string) []byte {
	b, _ := json.Marshal(wire.SignIn{Email: email, Password: fanPassword, Token: true}) // strings only
	return b
}

// holdsBack says whether the payment provider takes its time on purpose, so that it has to be asked how much.
func holdsBack(s *scenario.Scenario) bool {
	return s.Payment.Delay > 0 || s.Payment.Late > 0 || slices.ContainsFunc(s.Faults, func(f scenario.Fault) bool {
		return f.Kind == "payment-slow" || f.Kind == "late-webhooks"
	})
}
