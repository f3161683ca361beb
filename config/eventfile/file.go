// Package eventfile reads the file that an organiser describes an event in, and makes from it and a seating plan
// what a sale is created with. It decides nothing about a sale; every mistake is named by file, line and column, or
// by its path in the plan.
package eventfile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
	"github.com/catraca/catraca/config/strict"
	"github.com/catraca/catraca/transport/seating"
)

// File is an event file, YAML or JSON. Durations are written like 90s, 10m, 2h.
type File struct {
	Slug      string `yaml:"slug"` // in addresses: a-z, 0-9, -
	Name      string `yaml:"name"`
	Venue     string `yaml:"venue"`
	Currency  string `yaml:"currency"`  // ISO 4217, default BRL
	TimeZone  string `yaml:"time_zone"` // IANA, default America/Sao_Paulo
	Rehearsal bool   `yaml:"rehearsal"` // virtual fans may come; tickets open no gate

	Plan  string `yaml:"plan"`  // a pretix plan, a seats.io chart, or a built-in sample: racetrack, stadium, club
	Rekey bool   `yaml:"rekey"` // give repeated seat ids of the plan new ones

	StartsAt Instant `yaml:"starts_at"` // RFC 3339, or now+90s in rehearsals
	LobbyAt  Instant `yaml:"lobby_at"`  // default: at once
	OpensAt  Instant `yaml:"opens_at"`
	ClosesAt Instant `yaml:"closes_at"` // default: when the event starts

	Categories map[string]Category `yaml:"categories"` // by the plan's category key or name
	Areas      []Area              `yaml:"areas"`      // general admission, when there is no plan

	Queue  Queue  `yaml:"queue"`
	Limits Limits `yaml:"limits"`
	Times  Times  `yaml:"times"`
	Orphan string `yaml:"orphan"` // single seats left alone: avoid (default), strict, ignore
}

// Category of prices.
type Category struct {
	Name  string `yaml:"name"` // shown instead of the plan's
	Price Amount `yaml:"price"`
	Fee   Amount `yaml:"fee"`
	Color string `yaml:"color"` // #rrggbb, instead of the plan's
}

// Area of general admission.
type Area struct {
	Name     string `yaml:"name"`
	Category string `yaml:"category"`
	Capacity uint32 `yaml:"capacity"`
}

// Queue policy.
type Queue struct {
	RatePerMinute uint32        `yaml:"rate_per_minute"` // fans let in a minute
	Burst         uint32        `yaml:"burst"`
	ActiveCap     uint32        `yaml:"active_cap"` // shopping at once, offers included
	Claim         time.Duration `yaml:"claim"`      // to answer "your turn"
	Lease         time.Duration `yaml:"lease"`      // to choose
	LeaseCap      time.Duration `yaml:"lease_cap"`  // activity extends the lease up to this
	Grace         time.Duration `yaml:"grace"`      // a missed turn is kept this long
	MaxPlaces     uint32        `yaml:"max_places"`
}

// Limits of one account.
type Limits struct {
	PerHold    uint32 `yaml:"per_hold"`
	PerAccount uint32 `yaml:"per_account"`
	Attempts   uint8  `yaml:"attempts"` // payment attempts per order
}

// Times of holds and payments.
type Times struct {
	Hold        time.Duration `yaml:"hold"`
	HoldRenewal time.Duration `yaml:"hold_renewal"`
	HoldCap     time.Duration `yaml:"hold_cap"`
	PayGrace    time.Duration `yaml:"pay_grace"`
	ActionGrace time.Duration `yaml:"action_grace"`
}

// Instant is a time as written; "now+20s" is taken from when the file is applied.
type Instant string

// Amount of money as written, in major units: 120, 120.5 or 120.50.
type Amount string

// UnmarshalYAML keeps the digits as written: a price never passes through a floating point number.
func (a *Amount) UnmarshalYAML(b []byte) error {
	*a = Amount(strings.Trim(strings.TrimSpace(string(b)), `"'`))
	return nil
}

// UnmarshalYAML keeps the text as written.
func (i *Instant) UnmarshalYAML(b []byte) error {
	*i = Instant(strings.Trim(strings.TrimSpace(string(b)), `"'`))
	return nil
}

var (
	_ yaml.BytesUnmarshaler = (*Amount)(nil)
	_ yaml.BytesUnmarshaler = (*Instant)(nil)
)

// Parse reads a file strictly; name is for messages.
func Parse(name string, data []byte) (*File, error) {
	f := &File{}
	if err := strict.Decode(name, data, f); err != nil {
		return nil, err
	}
	return f, nil
}

// Config makes what a sale is created with. plan is the seating plan's bytes, nil for a built-in sample or for areas
// alone; the event's number is left open. The report is nil without a plan.
func (f *File) Config(now time.Time, plan []byte) (*sale.Config, *seating.Report, error) {
	c := sale.Config{
		Event: 1, Slug: f.Slug, Name: f.Name, Venue: f.Venue, Rehearsal: f.Rehearsal,
		Currency: or(f.Currency, "BRL"), TimeZone: or(f.TimeZone, "America/Sao_Paulo"),
		Limits: sale.Limits{PerHold: f.Limits.PerHold, PerAccount: f.Limits.PerAccount, Attempts: f.Limits.Attempts},
		Times: sale.Times{
			Hold: ms(f.Times.Hold), HoldRenewal: ms(f.Times.HoldRenewal), HoldCap: ms(f.Times.HoldCap),
			PayGrace: ms(f.Times.PayGrace), ActionGrace: ms(f.Times.ActionGrace),
		},
		Queue: queue.Policy{
			RatePerMinute: f.Queue.RatePerMinute, Burst: f.Queue.Burst, ActiveCap: f.Queue.ActiveCap,
			ClaimMs: ms(f.Queue.Claim), LeaseMs: ms(f.Queue.Lease), LeaseCapMs: ms(f.Queue.LeaseCap),
			ParkGraceMs: ms(f.Queue.Grace), MaxPlaces: f.Queue.MaxPlaces,
		},
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil {
		return nil, nil, fmt.Errorf("time_zone: %q is no IANA name like America/Sao_Paulo", c.TimeZone)
	}
	if err := f.orphan(&c); err != nil {
		return nil, nil, err
	}
	if err := f.times(&c, now); err != nil {
		return nil, nil, err
	}
	report, err := f.plan(&c, plan)
	if err != nil {
		return nil, report, err
	}
	c = c.WithDefaults()
	if err := c.Validate(); err != nil {
		return nil, report, fmt.Errorf("event file: %w", err)
	}
	c.Event = 0
	return &c, report, nil
}

func (f *File) orphan(c *sale.Config) error {
	switch f.Orphan {
	case "", "avoid":
		c.Orphan = seatmap.OrphanAvoid
	case "strict":
		c.Orphan = seatmap.OrphanStrict
	case "ignore":
		c.Orphan = seatmap.OrphanIgnore
	default:
		return fmt.Errorf("orphan: %q, allowed are avoid, strict and ignore", f.Orphan)
	}
	return nil
}

func (f *File) times(c *sale.Config, now time.Time) error {
	if f.OpensAt == "" || f.StartsAt == "" {
		return errors.New("opens_at and starts_at are needed")
	}
	for _, t := range []struct {
		name    string
		written Instant
		at      *int64
	}{
		{"starts_at", f.StartsAt, &c.StartsAt}, {"opens_at", f.OpensAt, &c.OpensAt},
		{"lobby_at", f.LobbyAt, &c.LobbyAt}, {"closes_at", f.ClosesAt, &c.ClosesAt},
	} {
		if t.written == "" {
			continue
		}
		at, err := t.written.resolve(now)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		if strings.HasPrefix(string(t.written), "now") && !f.Rehearsal {
			return fmt.Errorf("%s: %q is for rehearsals only; a sale's times are announced, so write them out", t.name, t.written)
		}
		*t.at = at.UnixMilli()
	}
	if f.LobbyAt == "" {
		c.LobbyAt = min(now.UnixMilli(), c.OpensAt)
	}
	if f.ClosesAt == "" {
		c.ClosesAt = c.StartsAt
	}
	return nil
}

func (i Instant) resolve(now time.Time) (time.Time, error) {
	s := string(i)
	if rest, ok := strings.CutPrefix(s, "now"); ok {
		if rest == "" {
			return now, nil
		}
		d, err := time.ParseDuration(strings.TrimPrefix(rest, "+"))
		if err != nil {
			return time.Time{}, fmt.Errorf("%q: want now+ and a duration like 20s", s)
		}
		return now.Add(d), nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q: want a time with its zone like 2026-12-12T20:00:00-03:00", s)
	}
	return at, nil
}

// minor turns an amount into minor units; digits is the currency's number of decimals.
func (a Amount) minor(digits int) (int64, error) {
	bad := fmt.Errorf("%q: want an amount like 120 or 120.50, with at most %d decimals", string(a), digits)
	whole, fraction, dotted := strings.Cut(string(a), ".")
	if whole == "" || dotted && fraction == "" || len(fraction) > digits || len(whole) > 12 {
		return 0, bad
	}
	if strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, bad
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", digits-len(fraction)), 10, 64)
	if err != nil {
		return 0, bad
	}
	return n, nil
}

func ms(d time.Duration) int64 { return d.Milliseconds() }

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
