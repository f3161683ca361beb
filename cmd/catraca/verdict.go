package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// maxShown defects of one check on the page; JSON has them all.
const maxShown = 20

// showVerdict writes the one page that people read.
func showVerdict(env environment, v *verdict) error {
	w := bufio.NewWriter(env.stdout)
	l := &v.Ledger
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) } // Flush tells the first error
	p("Books of %s, %s, as of %s (batch %d)", l.Event, l.Phase, time.UnixMilli(int64(l.At)).UTC().Format(time.RFC3339), l.Index)
	p("")
	if err := facts(w,
		"places", fmt.Sprintf("%s: %s free, %s held, %s sold, %s blocked", thousands(l.Places.Capacity), thousands(l.Places.Free), thousands(l.Places.Held), thousands(l.Places.Sold), thousands(l.Places.Blocked)),
		"orders", orderCounts(l.Orders),
		"tickets", fmt.Sprintf("%s valid, %s revoked, %s let in", thousands(l.Tickets.Issued-l.Tickets.Revoked), thousands(l.Tickets.Revoked), thousands(l.Tickets.Scanned)),
		"money", moneyLine(l.Money),
		"queue", fmt.Sprintf("%s places given out; %s wait, %s shop, %s bought", thousands(l.Queue.Issued), thousands(l.Queue.Waiting+l.Queue.Away), thousands(l.Queue.Offered+l.Queue.Shopping), thousands(l.Queue.Done)),
		"odd", oddLine(l.Odd),
		"provider", providerLine(v),
	); err != nil {
		return err
	}
	p("")
	showChecks(w, env, v)
	return w.Flush()
}

func showChecks(w io.Writer, env environment, v *verdict) {
	n := 0
	for _, c := range v.Checks {
		mark := "ok"
		if len(c.Defects) > 0 {
			mark = env.red("NO")
		}
		_, _ = fmt.Fprintf(w, "  %s  %s\n", mark, c.Name) // the writer keeps its first error
		for i, d := range c.Defects {
			if i == maxShown {
				_, _ = fmt.Fprintf(w, "      and %s more\n", thousands(len(c.Defects)-maxShown))
				break
			}
			_, _ = fmt.Fprintf(w, "      %s\n", d)
		}
		n += len(c.Defects)
	}
	verdict := "CLEAN"
	switch {
	case v.Restless && n == 0:
		verdict = "NOT SURE: the sale went on while it was read; pause it, or try again when it is over"
	case v.Restless:
		verdict = fmt.Sprintf("NOT SURE: %s defects, but the sale went on while it was read; pause it, or try again when it is over", thousands(n))
	case n > 0:
		verdict = env.red("NOT CLEAN") + fmt.Sprintf(": %s defects", thousands(n))
	}
	_, _ = fmt.Fprintf(w, "\n%s\n", verdict)
}

func orderCounts(orders map[string]uint32) string {
	var parts []string
	for _, state := range slices.Sorted(maps.Keys(orders)) {
		if orders[state] > 0 {
			parts = append(parts, thousands(orders[state])+" "+state)
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func moneyLine(m wire.LedgerMoney) string {
	return fmt.Sprintf("captured %s − refunded %s − on its way back %s = sold %s + fees %s",
		amount(m.Captured), amount(m.Refunded), amount(m.Refunding), amount(m.SoldFace), amount(m.SoldFees))
}

// oddLine tells what went another way than usual, if anything did.
func oddLine(o wire.LedgerOdd) string {
	var parts []string
	for _, x := range []struct {
		n    uint32
		what string
	}{
		{o.LateSaved, "paid late and saved"}, {o.LateGone, "paid late, given back"}, {o.Repaid, "paid twice, given back"},
		{o.Foreign, "in another currency, given back"}, {o.Unmatched, "notices nobody claimed"}, {o.Attention, "a person has to look at"},
	} {
		if x.n > 0 {
			parts = append(parts, thousands(x.n)+" "+x.what)
		}
	}
	return strings.Join(parts, ", ")
}

func providerLine(v *verdict) string {
	if v.Provider == nil {
		return ""
	}
	t, m := v.Provider, func(n int64) string { return amount(wire.Money{Amount: n, Currency: v.Ledger.Money.Captured.Currency}) }
	return fmt.Sprintf("%s payments: captured %s − refunded %s − on its way back %s = kept %s; reserved %s",
		thousands(t.Payments), m(t.Captured), m(t.Refunded), m(t.Pending), m(t.Net), m(t.Authorized))
}
