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
		"whole-sale", "steady", "ramp", "spike", "on-sale", "same-seats", "best-available", "abandon", "reconnect-storm", "slow-phone", "bots",
		"login-storm", "payment-slow", "payment-down", "kill-leader", "drain",
	} {
		s, _ := Named(name)
		out = append(out, s)
	}
	return out
}

// CanonicalTime is about how long one of them takes on two cores, with its servers' start and its audit.
func CanonicalTime(s *Scenario) time.Duration {
	seconds := map[string]int{
		"whole-sale": 110, "steady": 62, "ramp": 65, "spike": 18, "on-sale": 19, "same-seats": 12, "best-available": 12, "abandon": 58,
		"reconnect-storm": 46, "slow-phone": 24, "bots": 14, "login-storm": 20, "payment-slow": 42, "payment-down": 37, "kill-leader": 35,
		"drain": 35,
	}[s.Name]
	return time.Duration(seconds) * time.Second
}
