package main

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// judge compares the parts with each other, and says whether everything is good.
func (out *inspection) judge(h backupHead) {
	bad := func(format string, args ...any) { out.Defects = append(out.Defects, fmt.Sprintf(format, args...)) }
	for _, name := range houseFiles() {
		if len(h.Secrets[name]) == 0 {
			bad("the secret %s is missing", name)
		}
	}
	sales := map[uint32]saleSeen{}
	for _, s := range out.Sales {
		sales[uint32(s.Event)] = s
	}
	if d := out.Directory; d != nil {
		known := map[uint32]bool{}
		for _, e := range d.known {
			known[uint32(e.ID)] = true
			s, ok := sales[uint32(e.ID)]
			switch {
			case ok && s.Shard != e.Shard:
				bad("event %d is on shard %d, and the accounts say on %d", e.ID, s.Shard, e.Shard)
			case !ok:
				// Published after its shard was copied, or not made yet: it is applied anew after a restore.
				continue
			}
		}
		for _, s := range out.Sales {
			if !known[uint32(s.Event)] {
				bad("the sale of event %d is of no event", s.Event)
			}
		}
	}
	out.Clean = len(out.Defects) == 0 && out.Directory != nil && len(out.Directory.Defects) == 0
	for _, s := range out.Sales {
		out.Clean = out.Clean && len(s.Defects) == 0
	}
}

// showInspection writes the page that people read.
func showInspection(env environment, seen *inspection) error {
	w := bufio.NewWriter(env.stdout)
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) } // Flush tells the first error
	p("Backup of cluster %s, made by node %s (%s) on %s", seen.Cluster, seen.Node, seen.Version, seen.Time.Format(time.RFC3339))
	if d := seen.Directory; d != nil {
		p("")
		if err := facts(w,
			"accounts", fmt.Sprintf("%s, as of %s (entry %d)", thousands(d.Accounts), moment(d.At), d.Index),
			"events", thousands(d.Events), "audit", thousands(d.Audit)+" entries", "numbers", epochLine(d.Epoch),
		); err != nil {
			return err
		}
		showDefects(w, env, d.Defects)
	}
	for _, s := range seen.Sales {
		p("")
		p("%s, %s, as of %s (shard %d, entry %d)", s.Slug, s.Phase, moment(s.At), s.Shard, s.Index)
		if err := facts(w,
			"places", fmt.Sprintf("%s: %s free, %s held, %s being paid for, %s sold, %s blocked", thousands(s.Places.Capacity), thousands(s.Places.Free),
				thousands(s.Places.Held), thousands(s.Places.Paying), thousands(s.Places.Sold), thousands(s.Places.Blocked)),
			"queue", fmt.Sprintf("%s places given out; %s wait, %s shop, %s bought", thousands(s.Queue.Issued), thousands(s.Queue.Waiting+s.Queue.Away),
				thousands(s.Queue.Offered+s.Queue.Shopping), thousands(s.Queue.Done)),
			"orders", orderCounts(s.Orders),
			"tickets", fmt.Sprintf("%s valid, %s revoked, %s let in", thousands(s.Tickets.Issued-s.Tickets.Revoked), thousands(s.Tickets.Revoked), thousands(s.Tickets.Scanned)),
			"money", moneyLine(s.Money),
		); err != nil {
			return err
		}
		showDefects(w, env, s.Defects)
	}
	p("")
	showDefects(w, env, seen.Defects)
	if seen.Clean {
		p("GOOD: every checksum, every count and every sum is right")
	} else {
		p("%s", env.red("NOT GOOD"))
	}
	return w.Flush()
}

// epochLine says in which epoch the numbers are that are given out; nothing of a house that was never restored.
func epochLine(epoch uint8) string {
	if epoch == 0 {
		return ""
	}
	return fmt.Sprintf("in epoch %d: restored before", epoch)
}

func moment(t wire.Time) string { return time.UnixMilli(int64(t)).UTC().Format(time.RFC3339) }

func showDefects(w io.Writer, env environment, defects []string) {
	for _, d := range defects {
		_, _ = fmt.Fprintf(w, "  %s  %s\n", env.red("NO"), d) // the writer keeps its first error
	}
}
