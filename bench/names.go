package bench

import (
	"fmt"
	"strings"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// names are the units as fans were told of them. The books have numbers only.
type names map[uint32]string

// learn gathers the names that fans were told.
func learn(journals []*Journal) names {
	n := make(names)
	add := func(lines []wire.Line) {
		for _, l := range lines {
			if _, known := n[l.Unit]; !known {
				n[l.Unit] = label(l)
			}
		}
	}
	for _, j := range journals {
		for _, h := range j.Holds() {
			add(h.Hold.Lines)
		}
		for _, o := range j.Orders() {
			add(o.Order.Lines)
		}
	}
	return n
}

// label is a line as people read it: the section, then row and seat.
func label(l wire.Line) string {
	parts := []string{l.Section}
	if !l.Area {
		parts = append(parts, strings.Trim(l.Row+"-"+l.Seat, "-"))
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// unit names a unit: its number, and what is printed on its ticket.
func (n names) unit(u uint32) string {
	if s := n[u]; s != "" {
		return fmt.Sprintf("unit %d (%.60s)", u, s)
	}
	return fmt.Sprintf("unit %d", u)
}

// units names the units of lines.
func (n names) units(lines []wire.Line) string {
	var all []string
	for _, l := range lines {
		all = append(all, n.unit(l.Unit))
	}
	return listed(all)
}

// clock is a moment as it stands in the servers' logs, in UTC.
func clock(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.UTC().Format("15:04:05.000")
}

// moment is [clock] of the server's time.
func moment(t wire.Time) string {
	if t == 0 {
		return "an unknown time"
	}
	return clock(time.UnixMilli(int64(t)))
}

// amount of minor units.
func amount(n int64, currency string) string {
	if currency == "" || strings.Contains("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF", currency) {
		return strings.TrimSpace(fmt.Sprintf("%d %s", n, currency))
	}
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d %s", sign, n/100, n%100, currency)
}

func cost(m wire.Money) string { return amount(m.Amount, m.Currency) }

// listed are at most eight things, and how many more.
func listed(things []string) string {
	const most = 8
	if n := len(things) - most; n > 0 {
		return strings.Join(things[:most], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(things, ", ")
}
