package sale

import (
	"fmt"

	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// A configuration whose identifiers begin in the first epoch is of version 1. Another one is of version 2 and has the
// epoch before the plan.
const (
	configVersion       = 1
	configVersionEpochs = 2
)

// AppendConfig appends the stored form of a configuration, plan included. The plan must not be nil.
func AppendConfig(dst []byte, c *Config) []byte {
	version := byte(configVersion)
	if c.Epoch != 0 {
		version = configVersionEpochs
	}
	dst = append(dst, version)
	dst = appendUint(dst, uint32(c.Event))
	for _, text := range [...]string{c.Slug, c.Name, c.Venue, c.Currency, c.TimeZone} {
		dst = appendText(dst, text)
	}
	dst = appendBool(dst, c.Rehearsal)
	for _, at := range [...]int64{c.StartsAt, c.LobbyAt, c.OpensAt, c.ClosesAt} {
		dst = appendInt(dst, at)
	}
	q := c.Queue
	for _, n := range [...]uint32{q.RatePerMinute, q.Burst, q.ActiveCap, q.MaxPlaces} {
		dst = appendUint(dst, n)
	}
	t := c.Times
	for _, ms := range [...]int64{
		q.ClaimMs, q.LeaseMs, q.LeaseCapMs, q.ParkGraceMs,
		t.Hold, t.HoldRenewal, t.HoldCap, t.PayGrace, t.ActionGrace,
	} {
		dst = appendInt(dst, ms)
	}
	dst = appendUint(appendUint(dst, c.Limits.PerHold), c.Limits.PerAccount)
	dst = append(dst, c.Limits.Attempts, byte(c.Orphan))
	if c.Epoch != 0 {
		dst = append(dst, c.Epoch)
	}
	return c.Plan.AppendBinary(dst)
}

// DecodeConfig reads what AppendConfig wrote, all of b, and validates it.
func DecodeConfig(b []byte) (*Config, error) {
	c, n, err := readConfig(b)
	if err == nil && n != len(b) {
		err = errRest
	}
	if err != nil {
		return nil, fmt.Errorf("decode config: %w", err)
	}
	return c, nil
}

// readConfig reads a configuration from the front of b and says how many bytes it took.
func readConfig(b []byte) (*Config, int, error) {
	c := &Config{}
	r := &reader{b: b}
	version := r.either(configVersion, configVersionEpochs)
	c.Event = EventID(r.u32("event"))
	c.Slug = r.text("slug", 64)
	c.Name = r.text("name", 200)
	c.Venue = r.text("venue", 200)
	c.Currency = r.text("currency", maxCurrency)
	c.TimeZone = r.text("time_zone", 200)
	c.Rehearsal = r.bool("rehearsal")
	c.StartsAt = r.int("starts_at")
	c.LobbyAt = r.int("lobby_at")
	c.OpensAt = r.int("opens_at")
	c.ClosesAt = r.int("closes_at")
	c.Queue = queue.Policy{
		RatePerMinute: r.u32("queue.rate_per_minute"), Burst: r.u32("queue.burst"),
		ActiveCap: r.u32("queue.active_cap"), MaxPlaces: r.u32("queue.max_places"),
		ClaimMs: r.int("queue.claim"), LeaseMs: r.int("queue.lease"), LeaseCapMs: r.int("queue.lease_cap"),
		ParkGraceMs: r.int("queue.park_grace"),
	}
	c.Times = Times{
		Hold: r.int("times.hold"), HoldRenewal: r.int("times.hold_renewal"), HoldCap: r.int("times.hold_cap"),
		PayGrace: r.int("times.pay_grace"), ActionGrace: r.int("times.action_grace"),
	}
	c.Limits.PerHold = r.u32("limits.per_hold")
	c.Limits.PerAccount = r.u32("limits.per_account")
	c.Limits.Attempts = r.u8("limits.attempts")
	c.Orphan = seatmap.OrphanPolicy(r.u8("orphan"))
	if version == configVersionEpochs {
		if c.Epoch = r.u8("epoch"); r.err == nil && c.Epoch == 0 {
			r.failf("epoch", "0 is stored as version %d", configVersion)
		}
	}
	if r.err != nil {
		return nil, 0, r.err
	}
	plan, n, err := seatmap.DecodePlan(r.b)
	if err != nil {
		return nil, 0, fmt.Errorf("plan: %w", err)
	}
	c.Plan = plan
	if err := c.Validate(); err != nil {
		return nil, 0, err
	}
	return c, len(b) - len(r.b) + n, nil
}
