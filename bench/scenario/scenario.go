package scenario

import (
	"slices"
	"time"
)

// Scenario is a plan for one run. Moments are counted from the first moment at which a fan may arrive.
type Scenario struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description,omitempty"`

	Fans     int           `yaml:"fans"`                 // all together
	Nodes    int           `yaml:"nodes"`                // of servers that the bench starts itself: 1 or 3
	OpensIn  time.Duration `yaml:"opens_in"`             // when the sale opens
	WarmUp   time.Duration `yaml:"warm_up,omitempty"`    // what begins earlier counts for no figure
	Duration time.Duration `yaml:"duration"`             // then everybody who is still there goes home
	KeepOpen bool          `yaml:"keep_open,omitempty"`  // the sale is not closed when everything is sold
	SignIn   bool          `yaml:"sign_in,omitempty"`    // fans sign in with a password, instead of being made with a session
	Mail     bool          `yaml:"mail,omitempty"`       // fans get their letters, in the sandbox's mailbox
	Bots     Bots          `yaml:"bots,omitempty"`       // programs that ask without waiting for their turn
	Payment  Payment       `yaml:"payment,omitempty"`    // how the provider is from the beginning
	Comeback time.Duration `yaml:"comeback,omitempty"`   // longest pause before a lost socket is opened again; 0: 20 s
	Event    Event         `yaml:"event"`                // what is sold
	Arrival  []Arrival     `yaml:"arrival"`              // one after the other
	Mix      []Story       `yaml:"mix"`                  // what fans set out to do
	Classes  []Class       `yaml:"classes,omitempty"`    // networks they come over; none: this machine's own
	Faults   []Fault       `yaml:"faults,omitempty"`     // what breaks, and when
	Bounds   []string      `yaml:"thresholds,omitempty"` // what has to hold: hold.p99<250ms
}

// Event is what is sold.
type Event struct {
	Plan          string        `yaml:"plan"` // racetrack (8,897 seats), stadium (738) or club (32 and two areas of 100)
	RatePerMinute int           `yaml:"rate_per_minute"`
	ActiveCap     int           `yaml:"active_cap"`
	Claim         time.Duration `yaml:"claim"`
	Lease         time.Duration `yaml:"lease"`
	Hold          time.Duration `yaml:"hold"`
	PerHold       int           `yaml:"per_hold"`
}

// Payment is how the payment provider is.
type Payment struct {
	PixAfter time.Duration `yaml:"pix_after,omitempty"` // the payer of a Pix takes so long; 0: a second
	Delay    time.Duration `yaml:"delay,omitempty"`     // of every answer
	Failing  int           `yaml:"failing,omitempty"`   // of a hundred calls
	Late     time.Duration `yaml:"late,omitempty"`      // notices come so much later
}

// Bots are programs that ask for places again and again without standing in line.
type Bots struct {
	Count int           `yaml:"count,omitempty"`
	Every time.Duration `yaml:"every,omitempty"` // between two tries of one; 0: 100 ms
}

// Arrival is one way in which a share of the fans comes.
type Arrival struct {
	// Shape is spike (evenly by chance), constant, poisson, ramp (from nobody to twice the mean) or curve.
	Shape  string        `yaml:"shape"`
	Share  int           `yaml:"share,omitempty"` // weight among the fans; 0: 1
	Over   time.Duration `yaml:"over,omitempty"`
	Counts []int         `yaml:"counts,omitempty"` // of a curve, for each second; they say the proportions
}

// Story is what a share of the fans sets out to do.
type Story struct {
	Story  string `yaml:"story"`            // one of [Stories]
	Weight int    `yaml:"weight,omitempty"` // 0: 1
	// AtLeast to AtMost places are wanted; 0: 1 and as many.
	AtLeast  int           `yaml:"at_least,omitempty"`
	AtMost   int           `yaml:"at_most,omitempty"`
	Linger   time.Duration `yaml:"linger,omitempty"`   // at most, before choosing
	Hesitate time.Duration `yaml:"hesitate,omitempty"` // at most, before going on with what is held
	Category string        `yaml:"category,omitempty"` // key of the only one that is wanted
	// Choose is map for whoever chooses seats on the map, each near a favourite of its own and among what is free there,
	// and best for whoever lets the server choose; empty: best. The story same-seats is always about the map.
	Choose string `yaml:"choose,omitempty"`
	Pages  bool   `yaml:"pages,omitempty"` // shops over HTTP, and not over the live socket
}

// Class is a network that a share of the fans comes over.
type Class struct {
	Network string `yaml:"network"`          // a name of package network, or a definition that it parses
	Weight  int    `yaml:"weight,omitempty"` // 0: 1
}

// Fault is something that breaks.
type Fault struct {
	At    time.Duration `yaml:"at"`
	Kind  string        `yaml:"kind"`            // one of [Faults]
	For   time.Duration `yaml:"for,omitempty"`   // then it is healed; 0: never
	Node  string        `yaml:"node,omitempty"`  // name; empty: the one that leads
	Delay time.Duration `yaml:"delay,omitempty"` // of payment-slow and late-webhooks
}

// Stories are the names of what fans set out to do.
func Stories() []string {
	return []string{
		"buy", "pix", "bank", "declined", "same-seats", "give-up", "walk-away", "release", "vanish", "pay-never",
	}
}

// Faults are the kinds of faults.
func Faults() []string {
	return []string{
		"kill", "freeze", "drain", "cut-sockets", "payment-slow", "payment-down", "late-webhooks", "lost-webhooks",
	}
}

// Shapes are the ways to arrive.
func Shapes() []string { return []string{"spike", "constant", "poisson", "ramp", "curve"} }

// Plans are the seating plans, by how many places they have.
func Plans() []string { return []string{"racetrack", "stadium", "club"} }

// Stretch makes the run as long as d: fans come and things break as much earlier or later. A curve stays as it is, for
// it is a real one.
func (s *Scenario) Stretch(d time.Duration) Scenario {
	out := *s
	times := float64(d) / float64(s.Duration)
	stretched := func(t time.Duration) time.Duration { return time.Duration(float64(t) * times).Round(time.Millisecond) }
	out.Duration, out.OpensIn, out.WarmUp = d, stretched(s.OpensIn), stretched(s.WarmUp)
	out.Arrival, out.Faults = slices.Clone(s.Arrival), slices.Clone(s.Faults)
	for i := range out.Arrival {
		out.Arrival[i].Over = stretched(s.Arrival[i].Over)
	}
	for i := range out.Faults {
		out.Faults[i].At, out.Faults[i].For = stretched(s.Faults[i].At), stretched(s.Faults[i].For)
	}
	return out
}
