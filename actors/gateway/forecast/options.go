package forecast

import (
	"fmt"
	"time"
)

// Options of a Forecaster. Zero fields mean the defaults.
type Options struct {
	// Window is how far back measurements count; default 5 min.
	Window time.Duration
	// MeanTurn is how long one turn is expected to take up a slot, from the offer to the end, no-shows included; default 3 min.
	// Take it from the last sale of the kind. Measurements outweigh it within the first turns.
	MeanTurn time.Duration
	// Explain is how long the reason of a longer wait stays beside it; default 1 min.
	Explain time.Duration
}

func (o Options) withDefaults() Options {
	if o.Window == 0 {
		o.Window = 5 * time.Minute
	}
	if o.MeanTurn == 0 {
		o.MeanTurn = 3 * time.Minute
	}
	if o.Explain == 0 {
		o.Explain = time.Minute
	}
	return o
}

type bounds struct {
	name      string
	value     *time.Duration
	low, high time.Duration
}

func boundsOf(o *Options) [3]bounds {
	return [3]bounds{
		{"window", &o.Window, 10 * time.Second, time.Hour},
		{"mean_turn", &o.MeanTurn, time.Second, 24 * time.Hour},
		{"explain", &o.Explain, time.Second, time.Hour},
	}
}

// Validate names the first field outside its bounds.
func (o Options) Validate() error {
	o = o.withDefaults()
	for _, f := range boundsOf(&o) {
		if *f.value < f.low || *f.value > f.high {
			return fmt.Errorf("check forecast options: %s is %v, allowed are %v to %v", f.name, *f.value, f.low, f.high)
		}
	}
	return nil
}

// clamped brings every field to the nearest allowed value.
func (o Options) clamped() Options {
	o = o.withDefaults()
	for _, f := range boundsOf(&o) {
		*f.value = min(max(*f.value, f.low), f.high)
	}
	return o
}
