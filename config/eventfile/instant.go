package eventfile

import (
	"fmt"
	"strings"
	"time"

	"github.com/catraca/catraca/actors/sale"
)

// Instant is a time as written; "now+20s" is taken from when the file is applied.
type Instant string

// UnmarshalYAML keeps the text as written.
func (i *Instant) UnmarshalYAML(b []byte) error {
	*i = Instant(written(b))
	return nil
}

// relative tells whether it is taken from now.
func (i Instant) relative() bool { return strings.HasPrefix(string(i), "now") }

func (i Instant) resolve(now time.Time) (time.Time, error) {
	rest, relative := strings.CutPrefix(string(i), "now")
	if relative {
		if rest == "" {
			return now, nil
		}
		d, err := time.ParseDuration(strings.TrimPrefix(rest, "+"))
		if err != nil || d < 0 || rest[0] != '+' {
			return time.Time{}, fmt.Errorf("%q, allowed is now+ and a duration like 20s", clip(string(i)))
		}
		return now.Add(d), nil
	}
	at, err := time.Parse(time.RFC3339, string(i))
	if err != nil {
		return time.Time{}, fmt.Errorf("%q, allowed is a time with its zone like 2026-12-12T20:00:00-03:00", clip(string(i)))
	}
	if ms := at.UnixMilli(); ms < 0 || ms > sale.MaxTime {
		return time.Time{}, fmt.Errorf("%q, allowed are times from 1970 to 3084", clip(string(i)))
	}
	return at, nil
}

// times resolves the four instants of a sale and checks their order.
func (r *reading) times() {
	f, c := r.f, &r.c
	fine := true
	for _, t := range []struct {
		name    string
		written Instant
		needed  bool
		at      *int64
	}{
		{"starts_at", f.StartsAt, true, &c.StartsAt}, {"lobby_at", f.LobbyAt, false, &c.LobbyAt},
		{"opens_at", f.OpensAt, true, &c.OpensAt}, {"closes_at", f.ClosesAt, false, &c.ClosesAt},
	} {
		if t.written == "" {
			if t.needed {
				r.bad(t.name, "is needed")
				fine = false
			}
			continue
		}
		at, err := t.written.resolve(r.now)
		switch {
		case err != nil:
			r.bad(t.name, "%s", err)
		case t.written.relative() && !f.Rehearsal:
			r.bad(t.name, "%q is for rehearsals only; a sale's times are announced, so write them out", t.written)
		default:
			*t.at = at.UnixMilli()
			continue
		}
		fine = false
	}
	if !fine {
		return
	}
	if f.LobbyAt == "" {
		c.LobbyAt = min(r.now.UnixMilli(), c.OpensAt)
	}
	if f.ClosesAt == "" {
		c.ClosesAt = c.StartsAt
	}
	if c.LobbyAt > c.OpensAt {
		r.bad("lobby_at", "is after opens_at; the lobby is where people wait for the opening")
	}
	if c.OpensAt >= c.ClosesAt {
		path := "closes_at"
		if f.ClosesAt == "" {
			path = "starts_at" // which is when it closes
		}
		r.bad(path, "is not after opens_at, so nothing could be sold")
	}
}
