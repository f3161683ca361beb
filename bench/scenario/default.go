package scenario

import "time"

// Default is what a file begins with: a hundred fans buy at a racetrack within ten seconds.
func Default() Scenario {
	return Scenario{
		Name: "custom", Fans: 100, Nodes: 1, OpensIn: 5 * time.Second, Duration: time.Minute,
		Event: Event{
			Plan: "racetrack", RatePerMinute: 12_000, ActiveCap: 400, Claim: time.Minute, Lease: 2 * time.Minute,
			Hold: time.Minute, PerHold: 4,
		},
		Arrival:  []Arrival{{Shape: "spike", Over: 10 * time.Second}},
		Mix:      []Story{{Story: "buy", AtLeast: 1, AtMost: 4, Linger: 400 * time.Millisecond}},
		Comeback: 2 * time.Second,
	}
}

// complete fills in what stands for something else when it is left out.
func (s *Scenario) complete() Scenario {
	out := *s
	if out.Payment.PixAfter == 0 {
		out.Payment.PixAfter = time.Second
	}
	if out.Bots.Count > 0 && out.Bots.Every == 0 {
		out.Bots.Every = 100 * time.Millisecond
	}
	return out
}
