package catraca

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/catraca/catraca/bench"
)

// longestRefusal is how long anybody may have to ask again while nodes restart one after the other.
const longestRefusal = 5 * time.Second

// Three nodes are restarted in turn, as for a new version, while thousands of fans wait on live sockets and some shop.
// Everybody keeps the place, the order stays, and no request has to be asked again for longer than five seconds. How
// many fans: CATRACA_FANS.
func TestRollingRestart(t *testing.T) {
	number := numberFrom(t, "CATRACA_FANS", 1000, 15_000)
	random := seeded(t)
	f := newFleet(t, numberFrom(t, "CATRACA_CHAOS_NODES", 3, 9))
	const shoppers = 12
	f.apply("estadio", arena(f.rehearsal, shoppers+8))
	shop := goShopping(f, shoppers, random)
	shop.doors = []*member{{f: f, id: "balancer", fan: f.fan}}
	fans := f.crowd(number, time.Duration(number)*time.Millisecond, f.patientStory(), random)
	before := everybodyIn(f, fans, number, shoppers)
	places := placesOf(fans)
	shop.begin()
	restarts := make([]time.Time, 0, len(f.nodes)+1)
	for _, m := range f.nodes {
		f.whole(time.Minute)
		time.Sleep(time.Second)
		restarts = append(restarts, time.Now())
		m.signal(syscall.SIGTERM)
		m.gone(30 * time.Second)
		stopped := time.Since(restarts[len(restarts)-1])
		m.start()
		m.ready(time.Minute)
		t.Logf("%s: stopped after %v, ready again after %v", m.id, stopped.Round(time.Millisecond), time.Since(restarts[len(restarts)-1]).Round(time.Millisecond))
	}
	connected(t, fans, number)
	restarts = append(restarts, time.Now())
	shop.end(time.Minute)
	after := f.agreed(time.Minute)
	fans.goHome()
	<-fans.ended
	for i, err := range fans.errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("fan %s: %v", fans.fans[i].Journal.Account(), err)
		}
	}
	if after.Queue.Issued != before.issued || after.Queue.Digest != before.digest || !after.Clean {
		t.Errorf("the queue was %+v and is %+v; defects %q", before, after.Queue, after.Defects)
	}
	journals := fans.journals()
	kept(t, places, placesOf(fans))
	if err := errors.Join(bench.Audit(journals), bench.AuditLedger(journals, after)); err != nil {
		t.Error(err)
	}
	shop.maps()
	operations := shop.history.operations()
	v, err := check(operations)
	if err != nil {
		t.Error(err)
	}
	slowest := slices.MaxFunc(operations, func(a, b operation) int { return int((a.ret - a.call) - (b.ret - b.call)) })
	if took := slowest.ret - slowest.call; took > longestRefusal {
		t.Errorf("a request was refused for %v: %v", took, slowest)
	}
	t.Logf("%d fans: %+v; %s", number, after.Queue, jitter(t, journals, restarts, number/len(f.nodes)))
	t.Logf("%s; slowest operation %v in %d tries; history of %d operations on %d seats is linearizable", shop.report(), (slowest.ret - slowest.call).Round(time.Millisecond), slowest.tries, v.operations, v.seats)
}

// lineup is the queue as it was.
type lineup struct {
	issued uint32
	digest string
}

// everybodyIn waits until every fan has a place and a live socket, and returns the queue.
func everybodyIn(f *fleet, fans *crowd, number, others int) lineup {
	f.t.Helper()
	began := time.Now()
	for ; time.Since(began) < 2*time.Minute; time.Sleep(200 * time.Millisecond) {
		books, err := bench.FetchLedger(f.t.Context(), f.client, f.fan, f.event, f.owner)
		if err == nil && books.Queue.Issued == uint32(number+others) && len(placesOf(fans)) == number { //nolint:gosec // few
			f.t.Logf("everybody is in line after %v", time.Since(began).Round(time.Millisecond))
			return lineup{books.Queue.Issued, books.Queue.Digest}
		}
	}
	f.t.Fatalf("only %d of %d fans have a place after %v\n%s", len(placesOf(fans)), number, time.Since(began), f.tails())
	return lineup{}
}

// placesOf are the fans' numbers in the queue, by account; more than one if a fan was ever told another.
func placesOf(fans *crowd) map[string][]uint32 {
	out := make(map[string][]uint32)
	for _, f := range fans.fans {
		for _, p := range f.Journal.Places() {
			out[f.Journal.Account()] = append(out[f.Journal.Account()], p.Number)
		}
	}
	return out
}

// kept wants everybody's one number as it was.
func kept(t *testing.T, before, after map[string][]uint32) {
	t.Helper()
	lost := 0
	for account, number := range before {
		if !slices.Equal(number, after[account]) || len(number) != 1 {
			if lost++; lost <= 5 {
				t.Errorf("fan %s had place %v and has %v", account, number, after[account])
			}
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d fans lost their place", lost, len(before))
	}
}

// connected waits until every fan who still needs one has a live socket again.
func connected(t *testing.T, fans *crowd, number int) {
	t.Helper()
	var without int
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(100 * time.Millisecond) {
		without = 0
		for _, f := range fans.fans {
			places := f.Journal.Places()
			if waits := len(places) > 0 && (places[len(places)-1].State == "waiting" || places[len(places)-1].State == "away"); waits && !f.Journal.Connected() {
				without++
			}
		}
		if without == 0 {
			return
		}
	}
	t.Errorf("%d of %d fans were not connected again within half a minute", without, number)
}

// jitter says how the fans came back after each restart, and wants them to have come one by one: never a third of them
// in the same tenth of a second.
func jitter(t *testing.T, journals []*bench.Journal, restarts []time.Time, share int) string {
	t.Helper()
	var told []string
	for i, from := range restarts[:len(restarts)-1] {
		tenths := make(map[int64]int)
		all, most, last := 0, 0, time.Duration(0)
		for _, j := range journals {
			for _, back := range j.Comebacks() {
				if back.Before(from) || !back.Before(restarts[i+1]) {
					continue
				}
				all++
				last = max(last, back.Sub(from))
				at := back.Sub(from).Milliseconds() / 100
				tenths[at]++
				most = max(most, tenths[at])
			}
		}
		told = append(told, fmt.Sprintf("%d came back within %v, at most %d in a tenth of a second", all, last.Round(time.Millisecond), most))
		if all < share/4 || most > all/3 {
			t.Errorf("restart %d: %d fans came back, %d of them in the same tenth of a second", i+1, all, most)
		}
	}
	return strings.Join(told, "; ")
}
