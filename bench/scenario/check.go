package scenario

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/catraca/catraca/config/strict"
)

// Bounds of a scenario: what one machine can be asked for, and what a run's file can hold.
const (
	MaxFans     = 200_000
	MaxDuration = 24 * time.Hour
	maxList     = 100
	maxCounts   = 3600
	maxWeight   = 1_000_000
	maxBots     = 1000
	maxDelay    = 10 * time.Minute // of the sandbox
)

// checker gathers what is wrong.
type checker struct {
	doc  *strict.Document
	errs strict.Errors
}

func (c *checker) must(ok bool, path, format string, args ...any) {
	if !ok && len(c.errs) < 50 {
		c.errs = append(c.errs, c.doc.Errorf(path, format, args...))
	}
}

func (c *checker) number(path string, n, lo, hi int) {
	c.must(n >= lo && n <= hi, path, "%d does not fit here, allowed are %d to %d", n, lo, hi)
}

func (c *checker) span(path string, d, lo, hi time.Duration) {
	c.must(d >= lo && d <= hi, path, "%v does not fit here, allowed are %v to %v", d, lo, hi)
}

func (c *checker) oneOf(path, got string, of []string) {
	c.must(slices.Contains(of, got), path, "%.40q is not known, allowed are %s", got, strings.Join(of, ", "))
}

func (s *Scenario) check(doc *strict.Document) strict.Errors {
	c := &checker{doc: doc}
	c.must(regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`).MatchString(s.Name), "name", "1 to 40 of a-z, 0-9 and - are needed")
	c.must(len(s.Description) <= 1000, "description", "at most 1000 bytes are allowed")
	c.number("fans", s.Fans, 1, MaxFans)
	c.must(s.Nodes == 1 || s.Nodes == 3, "nodes", "%d does not fit here, allowed are 1 and 3", s.Nodes)
	c.span("duration", s.Duration, time.Second, MaxDuration)
	c.span("opens_in", s.OpensIn, 0, s.Duration)
	c.span("warm_up", s.WarmUp, 0, s.Duration)
	c.span("comeback", s.Comeback, 0, time.Hour)
	c.number("bots.count", s.Bots.Count, 0, maxBots)
	c.span("bots.every", s.Bots.Every, 0, time.Minute)
	c.must(!s.SignIn || s.Fans <= 5000, "fans", "%d passwords take too long to make, allowed are 5000 with sign_in", s.Fans)
	c.payment(s.Payment)
	c.event(s.Event)
	c.arrivals(s.Arrival, s.Duration)
	c.mix(s.Mix, s.Event.PerHold)
	c.must(len(s.Classes) <= maxList, "classes", "at most %d are allowed", maxList)
	for i, k := range s.Classes {
		path := fmt.Sprintf("classes[%d]", i)
		c.number(path+".weight", k.Weight, 0, maxWeight)
		c.network(path+".network", k.Network)
	}
	c.faults(s)
	c.must(len(s.Bounds) <= maxList, "thresholds", "at most %d are allowed", maxList)
	for i, b := range s.Bounds {
		c.threshold(fmt.Sprintf("thresholds[%d]", i), b)
	}
	return c.errs
}

func (c *checker) payment(p Payment) {
	c.span("payment.pix_after", p.PixAfter, 0, time.Hour)
	c.span("payment.delay", p.Delay, 0, maxDelay)
	c.number("payment.failing", p.Failing, 0, 100)
	c.span("payment.late", p.Late, 0, maxDelay)
}

func (c *checker) event(e Event) {
	c.oneOf("event.plan", e.Plan, Plans())
	c.number("event.rate_per_minute", e.RatePerMinute, 1, 1_000_000)
	c.number("event.active_cap", e.ActiveCap, 1, 100_000)
	c.span("event.claim", e.Claim, 10*time.Second, time.Hour)
	c.span("event.lease", e.Lease, 10*time.Second, time.Hour)
	c.span("event.hold", e.Hold, 10*time.Second, time.Hour)
	c.number("event.per_hold", e.PerHold, 1, 20)
}

func (c *checker) arrivals(list []Arrival, within time.Duration) {
	c.must(len(list) > 0 && len(list) <= maxList, "arrival", "1 to %d ways to arrive are needed", maxList)
	all := time.Duration(0)
	for i, a := range list {
		path := fmt.Sprintf("arrival[%d]", i)
		c.oneOf(path+".shape", a.Shape, Shapes())
		c.number(path+".share", a.Share, 0, maxWeight)
		if a.Shape != "curve" {
			c.span(path+".over", a.Over, 0, within)
			c.must(len(a.Counts) == 0, path+".counts", "only a curve has counts")
			all += min(max(a.Over, 0), within)
			continue
		}
		c.must(a.Over == 0, path+".over", "a curve takes as long as it has counts, one second each")
		c.must(len(a.Counts) > 0 && len(a.Counts) <= maxCounts, path+".counts", "1 to %d counts are needed", maxCounts)
		sum := 0
		for k, n := range a.Counts {
			c.number(fmt.Sprintf("%s.counts[%d]", path, k), n, 0, maxWeight)
			sum += min(max(n, 0), maxWeight)
		}
		c.must(sum > 0, path+".counts", "somebody has to come")
		all += time.Duration(len(a.Counts)) * time.Second
	}
	c.must(all <= within, "arrival", "everybody has come after %v, and the run ends after %v", all, within)
}

func (c *checker) mix(list []Story, perHold int) {
	c.must(len(list) > 0 && len(list) <= maxList, "mix", "1 to %d stories are needed", maxList)
	for i, m := range list {
		path := fmt.Sprintf("mix[%d]", i)
		c.oneOf(path+".story", m.Story, Stories())
		c.number(path+".weight", m.Weight, 0, maxWeight)
		c.number(path+".at_least", m.AtLeast, 0, perHold)
		c.number(path+".at_most", m.AtMost, 0, perHold)
		c.must(m.AtMost == 0 || m.AtMost >= m.AtLeast, path+".at_most", "%d is less than at_least", m.AtMost)
		c.span(path+".linger", m.Linger, 0, time.Hour)
		c.span(path+".hesitate", m.Hesitate, 0, time.Hour)
		c.oneOf(path+".choose", m.Choose, []string{"", "map", "best"})
		c.must(len(m.Category) <= 100, path+".category", "at most 100 bytes are allowed")
	}
}

func (c *checker) faults(s *Scenario) {
	c.must(len(s.Faults) <= maxList, "faults", "at most %d are allowed", maxList)
	for i, f := range s.Faults {
		path := fmt.Sprintf("faults[%d]", i)
		c.oneOf(path+".kind", f.Kind, Faults())
		c.span(path+".at", f.At, 0, s.Duration)
		c.span(path+".for", f.For, 0, s.Duration)
		c.span(path+".delay", f.Delay, 0, maxDelay)
		c.must(len(f.Node) <= 63, path+".node", "at most 63 bytes are allowed")
		c.must(f.Kind != "drain" || s.Nodes > 1, path+".kind", "a node alone cannot be drained, nodes must be 3")
	}
}
