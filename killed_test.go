package catraca

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/catraca/catraca/bench"
)

// The server is killed again and again while a crowd buys, at moments that nobody chose, also while it comes back. It
// finds on its disk whatever it had acknowledged: places, holds, orders, tickets, and the order of the queue.
func TestKilledServerLosesNothing(t *testing.T) {
	const fans = 400
	usual := 20
	if testing.Short() {
		usual = 5
	}
	times := numberFrom(t, "CATRACA_KILLS", usual, 10_000)
	random := seeded(t)
	t.Logf("%d kills", times)
	r := stage(t, false)
	r.trouble()
	// Everybody comes while the first fifth of the kills happens, and is let in over the time of the others.
	lasts := time.Duration(times) * 2400 * time.Millisecond
	r.apply("estadio", stadium(r, 3*time.Second, fmt.Sprintf(`
rekey: true
queue: {rate_per_minute: %d, burst: 10, active_cap: 60, claim: 3m, lease: 15m}
`, int(fans*time.Minute/lasts))))
	began := time.Now()
	c := r.crowd(fans, lasts/5, hardStory, random)
	k := &killer{rehearsal: r, crowd: c, random: random, fans: fans}
	for k.kills < times {
		k.kill()
	}
	for over := false; !over; {
		select {
		case <-c.ended:
			over = true
		case <-time.After(250 * time.Millisecond):
			r.closeWhenSoldOut()
		}
		if time.Since(began) > lasts+4*time.Minute {
			t.Fatalf("the sale has not ended: %s", r.standing())
		}
	}
	c.fail(t)
	sold, journals := time.Since(began), c.journals()
	if err := bench.Audit(journals); err != nil {
		t.Fatal(err)
	}
	books, provider := r.settled(90*time.Second, journals)
	k.sameOrder(books.Queue.Issued, books.Queue.Digest)
	var again, lost int64
	for _, j := range journals {
		again, lost = again+j.Retries(), lost+j.Reconnects()
		if n := len(j.Places()); n > 1 {
			t.Errorf("fan %s was given %d places", j.Account(), n)
		}
	}
	n := c.count()
	t.Logf("%d fans, %d kills (%d of them while starting) in %v, settled after %v: %+v; %d orders, %d payments; %d requests asked again, %d sockets opened again; the whole queue was compared %d times; longest restart %v",
		fans, k.kills, k.early, sold.Round(time.Second), time.Since(began).Round(time.Second), n, len(books.Rows), len(provider.Payments), again, lost, k.ordered, k.longest.Round(time.Millisecond))
	if n.failed+n.unpaid+n.closed != 0 || n.bought == 0 || uint32(n.tickets) != books.Places.Sold {
		t.Errorf("the stories ended as %+v, and %d places are sold", n, books.Places.Sold)
	}
	if lost == 0 || k.ordered < 2 {
		t.Errorf("%d sockets were lost to the kills, and the order of the queue was compared %d times", lost, k.ordered)
	}
	mailed := r.letters()
	for _, row := range books.Rows {
		if got := mailed["tickets."+row.Order]; (row.State == "fulfilled") != (got > 0) {
			t.Errorf("order %s is %s and got %d letters with tickets", row.Order, row.State, got)
		}
	}
	r.verifyLedger()
}

// trouble makes the payment server lose, double, delay and reorder its notices, and sometimes its answers.
func (r *rehearsal) trouble() {
	r.t.Helper()
	faults := []map[string]any{
		{"on": "webhook", "do": "lose", "probability": 0.1},
		{"on": "webhook", "do": "duplicate", "probability": 0.1},
		{"on": "webhook", "do": "delay", "probability": 0.1, "delay_ms": 3000},
		{"on": "webhook", "do": "reorder", "probability": 0.05},
		{"on": "api", "do": "500_after_commit", "probability": 0.02},
		{"on": "api", "do": "cut_after_commit", "probability": 0.02},
	}
	if code := apiCall(r.t, http.MethodPut, r.payments+"/_sandbox/faults", r.key, faults, nil); code != http.StatusOK {
		r.t.Fatalf("the faults were answered with %d", code)
	}
}

// killer kills the server and looks at what comes back.
type killer struct {
	*rehearsal

	crowd   *crowd
	random  *rand.Rand
	fans    int
	longest time.Duration // until the server was ready again
	digest  string        // of the queue, once everybody has a place
	kills   int
	early   int // of them before the server was ready
	ordered int // restarts after which the order of the whole queue was compared
}

// kill waits for a moment that nobody chose, kills, starts again, and holds the server to all it had acknowledged.
func (k *killer) kill() {
	k.t.Helper()
	time.Sleep(time.Duration(k.random.Int64N(int64(2500 * time.Millisecond))))
	k.closeWhenSoldOut()
	k.server.kill()
	k.kills++
	if k.random.IntN(5) == 0 { // it does not get far the first time
		k.server = launch(k.t, "serve", "--config", k.config)
		time.Sleep(time.Duration(k.random.Int64N(int64(400 * time.Millisecond))))
		k.server.kill()
		k.kills++
		k.early++
	}
	acknowledged := k.crowd.journals()
	k.longest = max(k.longest, k.serve())
	ctx, cancel := context.WithTimeout(k.t.Context(), 30*time.Second)
	defer cancel()
	books, err := bench.FetchLedger(ctx, k.client, k.fan, k.event, k.owner)
	if err == nil {
		err = bench.AuditLedger(acknowledged, books)
	}
	if err != nil {
		k.t.Fatalf("after kill %d: %v\nthe server said:\n%s", k.kills, err, tail(k.server))
	}
	k.sameOrder(books.Queue.Issued, books.Queue.Digest)
}

// sameOrder wants the queue as it was: the digest covers every place's number, account and time.
func (k *killer) sameOrder(issued uint32, digest string) {
	k.t.Helper()
	if issued > uint32(k.fans) {
		k.t.Fatalf("%d places were issued to %d fans", issued, k.fans)
	}
	if issued < uint32(k.fans) {
		return // somebody is still to come
	}
	if k.digest == "" {
		k.digest = digest
	}
	k.ordered++
	if digest != k.digest {
		k.t.Fatalf("the order of the queue changed from %s to %s", k.digest, digest)
	}
}

// hardStory is one of the fans of a hard day: they think longer, so that they hold and pay while the server dies.
func hardStory(i int, random *rand.Rand) bench.Story {
	s := stadiumStory(i, random)
	s.Hesitate = time.Duration(random.Int64N(int64(3 * time.Second)))
	s.Linger = time.Duration(random.Int64N(int64(2 * time.Second)))
	s.Patience, s.Vanish = 3*time.Minute, false
	return s
}
