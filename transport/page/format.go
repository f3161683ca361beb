package page

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // venue time must be right on hosts without a zone database
)

// money is an amount in minor units, as the API writes it.
type money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// sign is how a currency is written before the number; an unknown one is written by its code.
func sign(currency string) string {
	switch currency {
	case "BRL":
		return "R$"
	case "USD":
		return "US$"
	case "EUR":
		return "€"
	case "GBP":
		return "£"
	}
	return currency
}

// Money writes an amount: R$ 1.234,50 or R$1,234.50.
func (l *tongue) Money(m money) string {
	gap, minus, n := "\u00a0", "", m.Amount
	if l.tag == "en" && len(m.Currency) == 3 && sign(m.Currency) != m.Currency {
		gap = ""
	}
	if n < 0 {
		minus, n = "-", -n
	}
	return minus + sign(m.Currency) + gap + l.Number(n/100) + l.decimal + fmt.Sprintf("%02d", n%100)
}

// instant is a time of the API; the zero one is absent.
type instant struct{ time.Time }

// UnmarshalJSON takes RFC 3339, null or the empty string.
func (t *instant) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	if s == "null" || s == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("read time: %w", err)
	}
	t.Time = at.UTC()
	return nil
}

// MarshalJSON writes null for an absent time.
func (t instant) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + t.ISO() + `"`), nil
}

// ISO is the time for a datetime attribute and for scripts, empty when absent.
func (t instant) ISO() string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

// zone finds the venue's time zone; an unknown name counts as UTC.
func zone(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return loc
}

// Day writes weekday and date at the venue: sábado, 14 de março de 2026.
func (l *tongue) Day(t instant, tz string) string {
	if t.IsZero() {
		return ""
	}
	at := t.In(zone(tz))
	return l.T("date", "w", l.list("weekdays", int(at.Weekday())), "d", fmt.Sprint(at.Day()),
		"m", l.list("months", int(at.Month())-1), "y", fmt.Sprint(at.Year()))
}

// Clock writes hours and minutes at the venue, on 24 hours in every language.
func (l *tongue) Clock(t instant, tz string) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone(tz)).Format("15:04")
}

// list takes the i-th word of a text that is a comma-separated list.
func (l *tongue) list(key string, i int) string {
	words := strings.Split(l.T(key), ",")
	if i < 0 || i >= len(words) {
		return ""
	}
	return words[i]
}

// Span writes a duration coarsely for the no-script pages: 2 d 3 h, 4 h 10 min, 12 min, 40 s.
func (l *tongue) Span(d time.Duration) string {
	s := max(int64(d/time.Second), 0)
	switch {
	case s >= 86400:
		return fmt.Sprintf("%d d %d h", s/86400, s%86400/3600)
	case s >= 3600:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	case s >= 90:
		return fmt.Sprintf("%d min", (s+30)/60)
	}
	return fmt.Sprintf("%d s", s)
}

// Clockface writes what is left as m:ss, the form the scripts count down.
func Clockface(d time.Duration) string {
	s := max(int64(d/time.Second), 0)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s%3600/60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// Wait writes the estimated wait as a range of minutes, never as false precision.
func (l *tongue) Wait(e *eta) string {
	switch {
	case e == nil:
		return l.T("eta.unknown")
	case e.OverHour:
		return l.T("eta.over_hour")
	}
	lo, hi := e.LoMs/60_000, (e.HiMs+59_999)/60_000
	switch {
	case hi <= 1:
		return l.T("eta.under_minute")
	case lo < 1:
		return l.T("eta.up_to", "n", hi)
	case lo == hi:
		return l.T("eta.about", "n", hi)
	}
	return l.T("eta.range", "a", lo, "b", hi)
}
