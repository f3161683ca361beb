package catraca

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/transport/wire"
)

// numberFrom reads a positive number from the environment.
func numberFrom(t *testing.T, name string, otherwise, most int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		t.Fatalf("%s is %q, want a number from 1 to %d", name, text, most)
	}
	return n
}

// seeded is a source of chances that CATRACA_SEED repeats.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64() //nolint:gosec // printed and repeatable
	if text := os.Getenv("CATRACA_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("CATRACA_SEED is %q, want a number", text)
		}
		seed = n
	}
	t.Logf("seed %d; CATRACA_SEED repeats the choices", seed)
	return rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // repeatable
}

const (
	chaosShoppers = 24
	// fewest commands that must be answered in a round: a fault that nobody noticed because nobody shopped shows
	// nothing.
	fewestCommands = 20
	// nextAnswer bounds the time from the end of a fault to the answer of a command begun after it, in the long run; the
	// short one goes on beside whatever else tests the machine, and with the race detector.
	nextAnswer = 5 * time.Second
)

// arena is the event file of the chaos: whatever is held stays held, so that nothing ends by time alone.
func arena(r *rehearsal, active int) string {
	text := stadium(r, 2*time.Second, fmt.Sprintf(`
rekey: true
orphan: ignore
queue: {rate_per_minute: 60000, burst: 1000, active_cap: %d, claim: 1h, lease: 24h, lease_cap: 24h}
times: {hold: 12h, hold_renewal: 12h, hold_cap: 24h, pay_grace: 1h, action_grace: 1h}
`, active))
	return strings.Replace(text, "limits: {per_hold: 4, per_account: 4}", "limits: {per_hold: 4, per_account: 1000}", 1)
}

// Three nodes go through one fault after the other while shoppers fight over the same seats at all of them and a crowd
// queues and buys. Afterwards the history of every operation must be linearizable seat by seat and account by account,
// everything that was acknowledged must be in the books, and the books, the queue's order and the seats must be the
// same on every node. One node alone (CATRACA_CHAOS_NODES=1) is only killed and stopped.
func TestChaos(t *testing.T) {
	began := time.Now()
	took := func(what string) { t.Logf("%v: %s", time.Since(began).Round(time.Second), what) }
	rounds := numberFrom(t, "CATRACA_CHAOS_ROUNDS", 8, 100_000)
	random := seeded(t)
	f := newFleet(t, numberFrom(t, "CATRACA_CHAOS_NODES", 3, 9))
	f.apply("estadio", arena(f.rehearsal, chaosShoppers+12))
	shop := goShopping(f, chaosShoppers, random)
	fans := f.crowd(min(24+rounds, 150), time.Duration(rounds)*4*time.Second, f.patientStory(), random)
	n := &nemesis{fleet: f, shop: shop, random: random, long: rounds > 20, faults: make(map[string]int), terms: f.terms()}
	took("the market opens")
	shop.begin()
	for n.round = 1; n.round <= rounds; n.round++ {
		n.strike()
	}
	f.heal()
	f.ready(time.Minute)
	shop.end(time.Minute)
	took("the market is closed")
	select {
	case <-fans.ended:
	case <-time.After(3 * time.Minute):
		t.Fatalf("the crowd has not gone home:\n%s", f.standing())
	}
	fans.fail(t)
	journals := fans.journals()
	if err := bench.Audit(journals); err != nil {
		t.Error(err)
	}
	took("the crowd has gone home")
	books, provider := f.settled(time.Minute, journals)
	took("the money is settled")
	same := f.agreed(time.Minute)
	if same.Queue.Digest != books.Queue.Digest || !same.Clean {
		t.Errorf("the queue's digest was %s and is %s; defects %q", books.Queue.Digest, same.Queue.Digest, same.Defects)
	}
	shop.maps()
	v, err := check(shop.history.operations())
	if err != nil {
		t.Error(err)
	}
	t.Logf("%s; elections %d; exits by themselves %d; longest wait for the first answer after a fault %v", n.counts(), f.terms()-n.terms, n.exits, n.longest.Round(time.Millisecond))
	t.Logf("%s", shop.report())
	t.Logf("history: %d operations on %d seats by %d accounts are linearizable, found in %v; books: %d orders, %d payments, %d places sold; queue of %d the same on all nodes; crowd %+v",
		v.operations, v.seats, v.accounts, v.took.Round(time.Millisecond), len(same.Rows), len(provider.Payments), same.Places.Sold, same.Queue.Issued, fans.count())
	if shop.tally.deeds[deedSale] == 0 || fans.count().bought == 0 {
		t.Error("nobody bought anything")
	}
}

// patientStory is a fan of the crowd, who buys one or two of the second category's seats at leisure.
func (f *fleet) patientStory() func(int, *rand.Rand) bench.Story {
	f.t.Helper()
	e, err := f.look()
	if err != nil {
		f.t.Fatal(err)
	}
	at := slices.IndexFunc(e.Categories, func(c wire.Category) bool { return c.Key == "Category II" })
	second := uint16(e.Categories[at].ID) //nolint:gosec // few
	return func(i int, random *rand.Rand) bench.Story {
		s := hardStory(i, random)
		s.Quantity, s.Category, s.GiveUp = 1+random.Uint32N(2), &second, false
		return s
	}
}

// nemesis brings the faults, one at a time, and heals them.
type nemesis struct {
	*fleet

	shop    *shopping
	random  *rand.Rand
	long    bool // stops may last half a minute
	round   int
	bag     []fault
	faults  map[string]int // by name
	terms   uint64         // when it began
	exits   int            // nodes that ended by themselves, as they should after a long stop
	longest time.Duration  // from the end of a fault to the first answer
}

// strike does one round: a fault, some time with it, its end, and what has to be true then.
func (n *nemesis) strike() {
	n.t.Helper()
	before := n.shop.tally.count()
	n.shop.allow(2)
	n.linger(500*time.Millisecond, time.Second)
	if len(n.bag) == 0 { // every kind comes before any comes again
		n.bag = faults(len(n.nodes), os.Getenv("CATRACA_CHAOS_FAULTS"))
		if len(n.bag) == 0 {
			n.t.Fatal("CATRACA_CHAOS_FAULTS names none of the faults")
		}
		n.random.Shuffle(len(n.bag), func(i, j int) { n.bag[i], n.bag[j] = n.bag[j], n.bag[i] })
	}
	kind := n.bag[0]
	n.bag = n.bag[1:]
	victim := n.victim()
	began := time.Now()
	n.faults[kind.name]++
	kind.bring(n, victim)
	lasted := time.Since(began)
	n.shop.tally.after()
	limit := nextAnswer
	if !n.long {
		limit *= 3
	}
	var first time.Duration
	for ok := false; !ok; time.Sleep(5 * time.Millisecond) {
		if first, ok = n.shop.tally.firstAnswer(); !ok && time.Since(began)-lasted > limit {
			n.t.Fatalf("round %d: no command was answered within %v after %s of %s had healed:\n%s", n.round, limit, kind.name, victim.id, n.tails())
		}
	}
	n.longest = max(n.longest, first)
	n.raise(kind)
	n.ready(time.Minute)
	n.whole(time.Minute)
	answered := n.shop.tally.count() - before
	n.t.Logf("round %d: %s of %s for %v, first answer %v after it, everything as before after %v, %d commands answered",
		n.round, kind.name, victim.id, lasted.Round(time.Millisecond), first.Round(time.Millisecond), time.Since(began).Round(time.Millisecond), answered)
	if answered < fewestCommands {
		n.t.Fatalf("round %d: only %d commands were answered", n.round, answered)
	}
	if n.t.Failed() {
		n.t.FailNow()
	}
}

// victim is the leader of the sale half of the time, otherwise anybody.
func (n *nemesis) victim() *member {
	if n.random.IntN(2) == 0 {
		if m, _ := n.leader(); m != nil {
			return m
		}
	}
	return n.nodes[n.random.IntN(len(n.nodes))]
}

// other is another node than m.
func (n *nemesis) other(m *member) *member {
	at := slices.Index(n.nodes, m)
	return n.nodes[(at+1+n.random.IntN(len(n.nodes)-1))%len(n.nodes)]
}

func (n *nemesis) linger(least, most time.Duration) {
	time.Sleep(least + time.Duration(n.random.Int64N(int64(most-least)+1)))
}

// raise starts again what has ended by itself. Only after a stop may a node do so: it cannot know whether its disk
// hung.
func (n *nemesis) raise(kind fault) {
	n.t.Helper()
	for _, m := range n.nodes {
		how, fell := m.fell()
		if !fell {
			continue
		}
		if !kind.mayEnd {
			n.t.Fatalf("round %d: %s ended by itself (%s) after %s:\n%s", n.round, m.id, how, kind.name, m.tail())
		}
		n.exits++
		m.start()
	}
}

// counts are the faults by kind.
func (n *nemesis) counts() string {
	var all []string
	for _, name := range sortedKeys(n.faults) {
		all = append(all, fmt.Sprintf("%d %s", n.faults[name], name))
	}
	return fmt.Sprintf("%d rounds: %s", n.round-1, strings.Join(all, ", "))
}
