package sale

import (
	"fmt"
	"strings"

	"github.com/catraca/catraca/actors/sale/seatmap"
)

// Bounds of a configuration, inclusive.
const (
	MaxPerHold    = 100
	MaxPerAccount = 10_000
	MaxAttempts   = 50
	MaxPrice      = int64(1e12)    // minor units of one place, fee included
	MaxTime       = int64(1) << 45 // unix ms; the year 3084
)

// WithDefaults fills the zero fields of limits, times and queue policy with what most sales want.
func (c Config) WithDefaults() Config {
	c.Queue = c.Queue.WithDefaults()
	if c.Limits.PerHold == 0 {
		c.Limits.PerHold = 6
	}
	if c.Limits.PerAccount == 0 {
		c.Limits.PerAccount = c.Limits.PerHold
	}
	if c.Limits.Attempts == 0 {
		c.Limits.Attempts = 5
	}
	for _, d := range []struct {
		field *int64
		value int64
	}{
		{&c.Times.Hold, 10 * minute}, {&c.Times.HoldRenewal, 10 * minute}, {&c.Times.HoldCap, 30 * minute},
		{&c.Times.PayGrace, 3 * minute}, {&c.Times.ActionGrace, 10 * minute},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return c
}

// Validate names the first field that is not allowed.
func (c Config) Validate() error {
	for _, check := range []func() error{c.checkNames, c.checkTimes, c.checkLimits, c.checkPlan} {
		if err := check(); err != nil {
			return fmt.Errorf("check sale: %w", err)
		}
	}
	return nil
}

func (c Config) checkNames() error {
	if c.Event == 0 {
		return fmt.Errorf("event: must not be 0")
	}
	if len(c.Slug) < 1 || len(c.Slug) > 64 || strings.Trim(c.Slug, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("slug: %q, allowed are 1 to 64 of a-z, 0-9 and -", clip(c.Slug, 80))
	}
	for _, f := range []struct{ name, value string }{{"name", c.Name}, {"venue", c.Venue}, {"time_zone", c.TimeZone}} {
		if len(f.value) < 1 || len(f.value) > 200 {
			return fmt.Errorf("%s: has %d bytes, allowed are 1 to 200", f.name, len(f.value))
		}
	}
	if len(c.Currency) != 3 || strings.Trim(c.Currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return fmt.Errorf("currency: %q, allowed are three capital letters (ISO 4217)", clip(c.Currency, 10))
	}
	return nil
}

func (c Config) checkTimes() error {
	for _, f := range []struct {
		name  string
		value int64
	}{{"starts_at", c.StartsAt}, {"lobby_at", c.LobbyAt}, {"opens_at", c.OpensAt}, {"closes_at", c.ClosesAt}} {
		if f.value < 0 || f.value > MaxTime {
			return fmt.Errorf("%s: %d, allowed are unix milliseconds from 0 to %d", f.name, f.value, MaxTime)
		}
	}
	if c.LobbyAt > c.OpensAt {
		return fmt.Errorf("lobby_at: %d is after opens_at %d", c.LobbyAt, c.OpensAt)
	}
	if c.OpensAt >= c.ClosesAt {
		return fmt.Errorf("closes_at: %d is not after opens_at %d", c.ClosesAt, c.OpensAt)
	}
	t := c.Times
	for _, f := range []struct {
		name  string
		value int64
	}{{"hold", t.Hold}, {"hold_renewal", t.HoldRenewal}, {"hold_cap", t.HoldCap}, {"pay_grace", t.PayGrace}, {"action_grace", t.ActionGrace}} {
		if f.value < second || f.value > day {
			return fmt.Errorf("times.%s: %d ms, allowed are %d to %d", f.name, f.value, second, day)
		}
	}
	if t.HoldCap < t.Hold {
		return fmt.Errorf("times.hold_cap: %d ms is less than times.hold %d", t.HoldCap, t.Hold)
	}
	return nil
}

func (c Config) checkLimits() error {
	l := c.Limits
	switch {
	case l.PerHold < 1 || l.PerHold > MaxPerHold:
		return fmt.Errorf("limits.per_hold: %d, allowed are 1 to %d", l.PerHold, MaxPerHold)
	case l.PerAccount < 1 || l.PerAccount > MaxPerAccount:
		return fmt.Errorf("limits.per_account: %d, allowed are 1 to %d", l.PerAccount, MaxPerAccount)
	case l.Attempts < 1 || l.Attempts > MaxAttempts:
		return fmt.Errorf("limits.attempts: %d, allowed are 1 to %d", l.Attempts, MaxAttempts)
	case c.Epoch > MaxEpoch:
		return fmt.Errorf("epoch: %d, allowed are 0 to %d", c.Epoch, MaxEpoch)
	case c.Orphan > seatmap.OrphanIgnore:
		return fmt.Errorf("orphan: %d, allowed are 0 to %d", c.Orphan, seatmap.OrphanIgnore)
	}
	if err := c.Queue.Validate(); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	return nil
}

func (c Config) checkPlan() error {
	if c.Plan == nil {
		return fmt.Errorf("plan: missing")
	}
	if err := c.Plan.Validate(); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	for i, cat := range c.Plan.Categories {
		if cat.Price < 0 || cat.Fee < 0 || cat.Price > MaxPrice || cat.Fee > MaxPrice-cat.Price {
			return fmt.Errorf("plan.categories[%d]: price %d and fee %d, allowed are together 0 to %d", i, cat.Price, cat.Fee, MaxPrice)
		}
	}
	return nil
}

// clip cuts text to at most n bytes without splitting a character.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && text[n]&0xc0 == 0x80 {
		n--
	}
	return text[:n]
}
