package scenario

import (
	"slices"
	"time"

	"github.com/catraca/catraca/bench/arrival"
)

// named is one of the scenarios that have a name: what it changes of the default one.
type named struct {
	name, description string
	change            func(*Scenario)
}

// Named returns a scenario by its name.
func Named(name string) (Scenario, bool) {
	i := slices.IndexFunc(all(), func(n named) bool { return n.name == name })
	if i < 0 {
		return Scenario{}, false
	}
	n := all()[i]
	s := Default()
	s.Name, s.Description = n.name, n.description
	s.bound("outcome.failed==0") // whatever is in trouble, nobody's visit may end with an error
	n.change(&s)
	return s.complete(), true
}

// Names of all scenarios, the plain ones first.
func Names() []string {
	var out []string
	for _, n := range all() {
		out = append(out, n.name)
	}
	return out
}

func all() []named { return slices.Concat(arrivals(), crowds(), troubles()) }

// arrivals are scenarios about when fans come.
func arrivals() []named {
	return []named{
		{"spike", "2,000 fans come within ten seconds of the opening.", func(s *Scenario) {
			s.Fans, s.Duration, s.Mix = 2000, 90*time.Second, usual()
			s.bound("hold.p99<250ms", "hold.failed==0")
		}},
		{"ramp", "More fans come every second for a minute, from nobody to fifty a second.", func(s *Scenario) {
			s.Fans, s.Duration, s.OpensIn, s.Mix = 1500, 2*time.Minute, 0, usual()
			s.Arrival = []Arrival{{Shape: "ramp", Over: time.Minute}}
			s.bound("hold.p99<250ms", "hold.failed==0")
		}},
		{"steady", "Thirty fans a second come by chance for a minute.", func(s *Scenario) {
			s.Fans, s.Duration, s.OpensIn, s.WarmUp, s.Mix = 1800, 2*time.Minute, 0, 10*time.Second, usual()
			s.Arrival = []Arrival{{Shape: "poisson", Over: time.Minute}}
			s.bound("hold.p99<250ms", "hold.failed==0")
		}},
		{"soak", "Three fans a second for half an hour: what grows shows.", func(s *Scenario) {
			s.Fans, s.Duration, s.OpensIn, s.WarmUp, s.Mix = 5400, 35*time.Minute, 0, time.Minute, usual()
			s.Arrival = []Arrival{{Shape: "poisson", Over: 30 * time.Minute}}
			s.bound("hold.p99<250ms", "hold.failed==0")
		}},
		{"on-sale", "The curve of a real sale, reservations a second from its opening, three times as many.", func(s *Scenario) {
			s.Fans, s.Duration, s.OpensIn, s.Mix = 2901, 90*time.Second, 0, usual()
			s.Event.Plan = "stadium"
			s.Arrival = []Arrival{{Shape: "curve", Counts: arrival.OnSaleCounts()}}
			s.bound("hold.p99<250ms", "hold.failed==0")
		}},
		{"whole-sale", "50,000 fans come for 8,897 seats within 30 seconds. The workload that results are compared by.", func(s *Scenario) {
			s.Fans, s.Duration, s.OpensIn, s.Mix = 50_000, 4*time.Minute, 0, usual()
			s.Event.RatePerMinute, s.Event.ActiveCap = 12_000, 600
			s.Arrival = []Arrival{{Shape: "spike", Over: 30 * time.Second}}
			for _, op := range []string{"connect", "join", "claim", "map", "hold", "order", "pay", "ticket", "tickets"} {
				s.bound(op+".p99<250ms", op+".failed==0")
			}
		}},
	}
}

// crowds are scenarios about what fans want and how they come.
func crowds() []named {
	return []named{
		{"same-seats", "A thousand fans click on the same few seats, by name; whoever is too slow takes those beside them.", func(s *Scenario) {
			s.Fans, s.Event.Plan = 1000, "stadium"
			s.Mix = []Story{{Story: "same-seats", AtLeast: 1, AtMost: 2, Linger: 200 * time.Millisecond}}
			s.bound("hold.p99<250ms", "hold.failed==0")
		}},
		{"best-available", "A thousand fans ask for the best seats, all at once.", func(s *Scenario) {
			s.Fans, s.Event.ActiveCap, s.Event.RatePerMinute = 1000, 1000, 60_000
			s.Mix = []Story{{Story: "buy", AtLeast: 2, AtMost: 4}}
		}},
		{"abandon", "Most fans leave: the queue, the shop, or what they hold, with a word or without one.", func(s *Scenario) {
			s.Fans, s.Duration, s.Event.Hold = 1000, 2*time.Minute, 20*time.Second
			s.Mix = []Story{
				{Story: "give-up", Weight: 20}, {Story: "walk-away", Weight: 15, Linger: time.Second},
				{Story: "release", Weight: 15, AtMost: 4, Hesitate: time.Second}, {Story: "vanish", Weight: 15, AtMost: 4},
				{Story: "pay-never", Weight: 10, AtMost: 4}, {Story: "buy", Weight: 25, AtMost: 4, Linger: time.Second},
			}
		}},
		{"reconnect-storm", "All live sockets are cut at once, twice, and everybody comes back.", func(s *Scenario) {
			s.Fans, s.Event.RatePerMinute, s.Event.ActiveCap = 2000, 3000, 100
			s.Arrival = []Arrival{{Shape: "spike", Over: 5 * time.Second}}
			s.Duration, s.Mix = 2*time.Minute, usual()
			s.Faults = []Fault{{At: 10 * time.Second, Kind: "cut-sockets"}, {At: 20 * time.Second, Kind: "cut-sockets"}}
		}},
		{"slow-phone", "Fans on fibre and on slow, far and lossy phones: the queue must not care.", func(s *Scenario) {
			s.Fans, s.Duration, s.Mix = 600, 2*time.Minute, usual()
			s.Classes = []Class{
				{"fibre", 30}, {"mobile", 30}, {"far", 10}, {"slow", 10}, {"lossy", 10}, {"tunnel", 10},
			}
		}},
		{"bots", "Fifty programs ask for places without standing in line, while a thousand fans wait their turn.", func(s *Scenario) {
			s.Fans, s.Mix = 1000, usual()
			s.Bots = Bots{Count: 50, Every: 100 * time.Millisecond}
		}},
		{"login-storm", "Three hundred fans sign in with their passwords when the sale opens.", func(s *Scenario) {
			s.Fans, s.SignIn, s.OpensIn, s.Duration, s.Mix = 300, true, 0, 2*time.Minute, usual()
		}},
	}
}

// troubles are scenarios in which something breaks.
func troubles() []named {
	calm := func(s *Scenario) { // long enough for something to happen in the middle
		s.Fans, s.Duration, s.Mix = 1000, 2*time.Minute, usual()
		s.Arrival = []Arrival{{Shape: "poisson", Over: 30 * time.Second}}
		s.OpensIn = 0
	}
	return []named{
		{"payment-slow", "The payment provider takes three seconds for everything.", func(s *Scenario) {
			calm(s)
			s.Payment.Delay = 3 * time.Second
		}},
		{"payment-down", "The payment provider fails for 15 seconds in the middle.", func(s *Scenario) {
			calm(s)
			s.Faults = []Fault{{At: 10 * time.Second, Kind: "payment-down", For: 15 * time.Second}}
		}},
		{"late-webhooks", "The payment provider's notices come eight seconds late.", func(s *Scenario) {
			calm(s)
			s.Payment.Late = 8 * time.Second
		}},
		{"kill-leader", "Of three nodes, the one that leads the sale is killed, and comes back after ten seconds.", func(s *Scenario) {
			calm(s)
			s.Nodes = 3
			s.Faults = []Fault{{At: 15 * time.Second, Kind: "kill", For: 10 * time.Second}}
		}},
		{"drain", "Of three nodes, the one that leads the sale is drained for service, and taken back after 15 seconds.", func(s *Scenario) {
			calm(s)
			s.Nodes = 3
			s.Faults = []Fault{{At: 10 * time.Second, Kind: "drain", For: 15 * time.Second}}
			s.bound("hold.failed==0")
		}},
	}
}

func (s *Scenario) bound(expressions ...string) { s.Bounds = append(s.Bounds, expressions...) }

// usual is what a crowd does: two thirds choose seats on the map and one third lets the server choose; most buy by card,
// some have to ask their bank, some pay by Pix, some have a bad card first, and some go away at every step.
func usual() []Story {
	look := 400 * time.Millisecond
	return []Story{
		{Story: "buy", Weight: 40, AtLeast: 1, AtMost: 4, Linger: look, Hesitate: look, Choose: "map"},
		{Story: "buy", Weight: 20, AtLeast: 1, AtMost: 4, Linger: look, Hesitate: look},
		{Story: "pix", Weight: 10, AtLeast: 1, AtMost: 4, Linger: look, Hesitate: look, Choose: "map"},
		{Story: "pix", Weight: 5, AtLeast: 1, AtMost: 4, Linger: look, Hesitate: look},
		{Story: "bank", Weight: 8, AtLeast: 1, AtMost: 2, Linger: look, Pages: true, Choose: "map"},
		{Story: "bank", Weight: 4, AtLeast: 1, AtMost: 2, Linger: look, Pages: true},
		{Story: "declined", Weight: 5, AtLeast: 1, AtMost: 2, Linger: look, Choose: "map"},
		{Story: "walk-away", Weight: 3, Linger: look, Choose: "map"},
		{Story: "release", Weight: 3, AtLeast: 1, AtMost: 4, Hesitate: look, Choose: "map"},
		{Story: "give-up", Weight: 2},
	}
}
