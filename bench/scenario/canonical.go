package scenario

import "time"

// CanonicalSeed is the seed of every run of the canonical set: the same fans come at the same moments each time.
const CanonicalSeed = 1

// Canonical is the workload that results are compared by over time, the same for everybody: the named scenarios that
// together say how a server is, in the order in which they are run. The one that the speed of a whole sale is measured by
// comes first, on a server that nothing has gone before.
func Canonical() []Scenario {
	var out []Scenario
	for _, name := range []string{
		"whole-sale", "steady", "spike", "on-sale", "same-seats", "best-available", "reconnect-storm", "slow-phone", "bots", "payment-down",
		"kill-leader", "drain",
	} {
		s, _ := Named(name)
		out = append(out, s)
	}
	return out
}

// CanonicalTime is about how long one of them takes on two cores, with its servers' start and its audit.
func CanonicalTime(s *Scenario) time.Duration {
	seconds := map[string]int{
		"whole-sale": 120, "steady": 80, "spike": 35, "on-sale": 75, "same-seats": 35, "best-available": 30, "reconnect-storm": 45,
		"slow-phone": 45, "bots": 35, "payment-down": 50, "kill-leader": 55, "drain": 50,
	}[s.Name]
	return time.Duration(seconds) * time.Second
}
