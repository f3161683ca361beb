package queue

import "fmt"

// Policy says how fast and how many. Durations are milliseconds. A zero field means the default.
type Policy struct {
	RatePerMinute uint32 // offers a minute, by a token bucket
	Burst         uint32 // capacity of the bucket; default is one second of the rate
	ActiveCap     uint32 // offered + shopping never above this

	ClaimMs     int64 // how long an offer stands
	LeaseMs     int64 // shopping time given by a claim
	LeaseCapMs  int64 // activity extends the lease up to this long after the claim
	ParkGraceMs int64 // how long a parked place is kept

	MaxPlaces uint32 // places ever issued
}

// Bounds of a policy, inclusive.
const (
	MaxRate       = 60_000_000
	MaxBurst      = 1_000_000
	MaxActive     = 1_000_000
	MinDurationMs = 1_000
	MaxDurationMs = 7 * 24 * 3_600_000
	MaxMaxPlaces  = 100_000_000
)

// WithDefaults fills the zero fields.
func (p Policy) WithDefaults() Policy {
	if p.RatePerMinute == 0 {
		p.RatePerMinute = 600
	}
	if p.Burst == 0 {
		p.Burst = oneSecond(p.RatePerMinute)
	}
	if p.ActiveCap == 0 {
		p.ActiveCap = 300
	}
	if p.ClaimMs == 0 {
		p.ClaimMs = 120_000
	}
	if p.LeaseMs == 0 {
		p.LeaseMs = 10 * 60_000
	}
	if p.LeaseCapMs == 0 {
		p.LeaseCapMs = max(30*60_000, p.LeaseMs)
	}
	if p.ParkGraceMs == 0 {
		p.ParkGraceMs = 15 * 60_000
	}
	if p.MaxPlaces == 0 {
		p.MaxPlaces = 20_000_000
	}
	return p
}

// Validate names the first field outside its bounds. Zero fields are judged as their defaults.
func (p Policy) Validate() error {
	p = p.WithDefaults()
	for _, f := range counts(&p) {
		if *f.value < f.low || *f.value > f.high {
			return fmt.Errorf("check queue policy: %s is %d, allowed are %d to %d", f.name, *f.value, f.low, f.high)
		}
	}
	for _, f := range durations(&p) {
		if *f.value < f.low || *f.value > f.high {
			return fmt.Errorf("check queue policy: %s is %d ms, allowed are %d to %d", f.name, *f.value, f.low, f.high)
		}
	}
	return nil
}

// clamped brings every field to the nearest allowed value, so that a queue exists for any policy.
func (p Policy) clamped() Policy {
	p = p.WithDefaults()
	for _, f := range counts(&p) {
		*f.value = min(max(*f.value, f.low), f.high)
	}
	for _, f := range durations(&p) {
		*f.value = min(max(*f.value, f.low), f.high)
	}
	p.LeaseCapMs = max(p.LeaseCapMs, p.LeaseMs)
	return p
}

type bounded[T uint32 | int64] struct {
	name      string
	value     *T
	low, high T
}

func counts(p *Policy) [4]bounded[uint32] {
	return [4]bounded[uint32]{
		{"rate_per_minute", &p.RatePerMinute, 1, MaxRate},
		{"burst", &p.Burst, 1, MaxBurst},
		{"active_cap", &p.ActiveCap, 1, MaxActive},
		{"max_places", &p.MaxPlaces, 1, MaxMaxPlaces},
	}
}

func durations(p *Policy) [4]bounded[int64] {
	return [4]bounded[int64]{
		{"claim", &p.ClaimMs, MinDurationMs, MaxDurationMs},
		{"lease", &p.LeaseMs, MinDurationMs, MaxDurationMs},
		{"lease_cap", &p.LeaseCapMs, p.LeaseMs, MaxDurationMs},
		{"park_grace", &p.ParkGraceMs, MinDurationMs, MaxDurationMs},
	}
}

// oneSecond is the default burst of a rate.
func oneSecond(ratePerMinute uint32) uint32 {
	return min(max(ratePerMinute/60, 1), MaxBurst)
}
