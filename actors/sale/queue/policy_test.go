package queue

import (
	"strings"
	"testing"
)

func TestPolicyDefaults(t *testing.T) {
	want := Policy{
		RatePerMinute: 600, Burst: 10, ActiveCap: 300, ClaimMs: 120_000, LeaseMs: 600_000, LeaseCapMs: 1_800_000,
		ParkGraceMs: 900_000, MaxPlaces: 20_000_000,
	}
	if got := (Policy{}).WithDefaults(); got != want {
		t.Errorf("defaults: got %+v, want %+v", got, want)
	}
	if got := (Policy{LeaseMs: 7_200_000}).WithDefaults().LeaseCapMs; got != 7_200_000 {
		t.Errorf("the default cap of a lease of two hours is %d ms", got)
	}
	if got := (Policy{RatePerMinute: 30}).WithDefaults().Burst; got != 1 {
		t.Errorf("the default burst of a slow rate is %d", got)
	}
}

func TestPolicyBounds(t *testing.T) {
	for _, c := range []struct {
		name string
		p    Policy
		want string // part of the error; empty when allowed
	}{
		{"empty", Policy{}, ""},
		{"rate", Policy{RatePerMinute: MaxRate + 1}, "rate_per_minute is 60000001, allowed are 1 to 60000000"},
		{"burst", Policy{Burst: MaxBurst + 1}, "burst is 1000001"},
		{"cap", Policy{ActiveCap: MaxActive + 1}, "active_cap is 1000001"},
		{"places", Policy{MaxPlaces: MaxMaxPlaces + 1}, "max_places is 100000001"},
		{"claim", Policy{ClaimMs: 999}, "claim is 999 ms, allowed are 1000 to 604800000"},
		{"negative", Policy{LeaseMs: -1}, "lease is -1 ms"},
		{"lease cap below lease", Policy{LeaseMs: 5_000, LeaseCapMs: 4_000}, "lease_cap is 4000 ms, allowed are 5000"},
		{"grace", Policy{ParkGraceMs: MaxDurationMs + 1}, "park_grace is 604800001 ms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.p.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err := New(c.p).Policy().Validate(); err != nil {
				t.Errorf("a queue made with it has a policy out of bounds: %v", err)
			}
		})
	}
}
