// Package eventfile reads the file that an organiser describes an event in, and makes from it and a seating plan
// what a sale is created with. It decides nothing about a sale; every mistake is named by file, line and column, or
// by its path in the plan, and all of them at once.
//
// docs/EVENT-FILE.md describes the file for organisers.
package eventfile

import (
	"time"

	"github.com/catraca/catraca/config/strict"
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

	doc *strict.Document // where everything stands; nil when it was not read
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

// Parse reads a file strictly; name is for messages. The error is a [*RefusedError].
func Parse(name string, data []byte) (*File, error) {
	f := &File{}
	doc, err := strict.Read(name, data, f)
	if err != nil {
		return nil, refuse(err)
	}
	f.doc = doc
	return f, nil
}
