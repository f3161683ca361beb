package catraca

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/catraca/catraca/bench"
)

// stadium is an event file for the stadium plan; more is put among its fields.
func stadium(r *rehearsal, opensIn time.Duration, more string) string {
	r.t.Helper()
	plan, err := os.ReadFile(filepath.Join("transport", "seating", "testdata", "pretix_format_stadium.json"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.file("pretix_format_stadium.json", strings.TrimSpace(string(plan)))
	return fmt.Sprintf(`
slug: estadio
name: Final no Estádio
venue: Estádio da Praia
rehearsal: true
plan: pretix_format_stadium.json
starts_at: now+720h
opens_at: now+%s
categories:
  Category I: {price: 250.00, fee: 37.50}
  Category II: {price: 180.00, fee: 27.00}
  Category III: {price: 120.00, fee: 18.00}
  Category IV: {price: 90.00, fee: 13.50}
  Category V: {price: 60.00, fee: 9.00}
limits: {per_hold: 4, per_account: 4}
%s`, opensIn, more)
}

// defects of the plan: these many seat ids stand on more than one seat.
const stadiumRepeated = 126

func TestStadiumIsRefusedAsItIs(t *testing.T) {
	r := stage(t, false)
	_, said := r.catraca(1, "event", "apply", "--config", r.config, r.file("estadio.yaml", stadium(r, time.Hour, "")))
	ids := repeatedIDs(t, r)
	if len(ids) != stadiumRepeated {
		t.Fatalf("the plan has %d repeated ids, want %d", len(ids), stadiumRepeated)
	}
	for _, id := range ids {
		if !strings.Contains(said, id) {
			t.Errorf("the repeated id %s is not told; the refusal has %d lines:\n%.2000s", id, strings.Count(said, "\n"), said)
			break
		}
	}
	if n := apiCall(t, "GET", r.fan+"/api/v1/events/estadio", "", nil, nil); n != 404 {
		t.Errorf("the refused event is answered with %d", n)
	}
}

// A sought-after sale from the event file to the last seat: 2,000 fans come to a stadium of 738 places, through the
// load balancer, and every place is sold once.
func TestStadiumSellsOut(t *testing.T) {
	fans := 2000
	if testing.Short() {
		fans = 800
	}
	began, seed := time.Now(), rand.Uint64() //nolint:gosec // printed and repeatable
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable
	t.Logf("seed %d", seed)
	r := stage(t, true)
	r.apply("estadio", stadium(r, 8*time.Second, `
rekey: true
queue: {rate_per_minute: 12000, active_cap: 200, claim: 1m, lease: 30s, lease_cap: 5m}
times: {hold: 20s, hold_renewal: 3m, pay_grace: 3m, action_grace: 3m}
`))
	if r.capacity != 738 {
		t.Fatalf("the stadium has %d places", r.capacity)
	}
	c := r.crowd(fans, 6*time.Second, stadiumStory, random)
	for over := false; !over; {
		select {
		case <-c.ended:
			over = true
		case <-time.After(250 * time.Millisecond):
			r.closeWhenSoldOut()
		}
		if time.Since(began) > 4*time.Minute {
			t.Fatalf("the sale has not ended: %s", r.standing())
		}
	}
	c.fail(t)
	sold := time.Since(began)
	journals := c.journals()
	if err := bench.Audit(journals); err != nil {
		t.Fatal(err)
	}
	books, provider := r.settled(time.Minute, journals)
	n := c.count()
	t.Logf("%d fans in %v, settled after %v: %+v; %d orders, %d payments", fans, sold.Round(time.Second), time.Since(began).Round(time.Second), n, len(books.Rows), len(provider.Payments))
	seats := make(map[uint32]bool)
	for _, o := range c.outcomes {
		for _, ticket := range o.Tickets {
			seats[ticket.Unit] = true
		}
	}
	if len(seats) != 738 || n.tickets != 738 || books.Places.Sold != 738 || books.Tickets.Issued != 738 {
		t.Errorf("%d seats of fans, %d tickets, the plan has %d sold, the books have %d tickets; all want 738", len(seats), n.tickets, books.Places.Sold, books.Tickets.Issued)
	}
	if n.soldOut < fans/4 || n.failed+n.unpaid+n.closed != 0 || n.bought+n.soldOut+n.left != fans {
		t.Errorf("the stories ended as %+v", n)
	}
	mailed := r.letters()
	for _, row := range books.Rows {
		if want := map[bool]int{true: 1}[row.State == "fulfilled"]; mailed["tickets."+row.Order] != want {
			t.Errorf("order %s is %s and got %d letters with tickets", row.Order, row.State, mailed["tickets."+row.Order])
		}
	}
	r.verifyLedger()
}

// verifyLedger runs the operator's own audit.
func (r *rehearsal) verifyLedger() {
	r.t.Helper()
	out, said := r.catraca(0, "verify", "ledger", r.event, "--config", r.config, "--provider-ledger", r.payments+"/_sandbox/ledger")
	r.t.Logf("verify ledger: %s%s", out, said)
}

// repeatedIDs are the seat ids of the plan that stand on more than one seat.
func repeatedIDs(t *testing.T, r *rehearsal) []string {
	t.Helper()
	var plan struct {
		Zones []struct {
			Rows []struct {
				Seats []struct {
					ID string `json:"seat_guid"`
				} `json:"seats"`
			} `json:"rows"`
		} `json:"zones"`
	}
	data, err := os.ReadFile(filepath.Join(r.dir, "pretix_format_stadium.json"))
	if err == nil {
		err = json.Unmarshal(data, &plan)
	}
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]int)
	var repeated []string
	for _, z := range plan.Zones {
		for _, row := range z.Rows {
			for _, s := range row.Seats {
				if seen[s.ID]++; seen[s.ID] == 2 {
					repeated = append(repeated, s.ID)
				}
			}
		}
	}
	return repeated
}

// stadiumStory is what one of the fans sets out to do: most buy by card, some have to ask their bank, some pay by Pix,
// some have a bad card first, and some go away at every step.
func stadiumStory(_ int, random *rand.Rand) bench.Story {
	s := bench.Story{
		Quantity: 1 + random.Uint32N(4), Scatter: true, Fewer: true, Live: random.IntN(2) == 0,
		Linger: time.Duration(random.Int64N(int64(400 * time.Millisecond))), PollOrder: 300 * time.Millisecond,
		Method: "card", Card: "4242424242424242", Patience: 2 * time.Minute,
	}
	if random.IntN(3) == 0 {
		s.Hesitate = time.Duration(random.Int64N(int64(300 * time.Millisecond)))
	}
	switch n := random.IntN(100); {
	case n < 20:
		s.Method, s.Card = "pix", ""
	case n < 35:
		s.Card = "4000002760003184" // the bank asks
	case n < 40:
		s.Card, s.Second = "4000000000000002", s.Card // declined
	case n < 43:
		s.Walkaway = true
	case n < 46:
		s.Release = true
	case n < 48:
		s.Vanish = true
	case n < 50:
		s.GiveUp = true
	}
	return s
}
