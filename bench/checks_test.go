package bench

import (
	"strings"
	"testing"

	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/transport/wire"
)

// broken are the promises of an audit that were not held.
func broken(a record.Audit) string {
	var out []string
	for _, c := range a.Checks {
		if !c.Held {
			out = append(out, c.Name)
		}
	}
	return strings.Join(out, ", ")
}

func TestChecksNameThePromise(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(l *teller, b *wire.Ledger, p *Provider)
		want     string // the promises that are broken
		evidence string
		oversell int64
	}{
		"honest": {change: func(*teller, *wire.Ledger, *Provider) {}},
		"a unit sold twice": {
			change:   func(_ *teller, b *wire.Ledger, _ *Provider) { b.Rows[1].Units[0].Unit = 1 },
			want:     "no seat twice, nothing acknowledged lost",
			evidence: "no seat twice: unit 1 (Grã-fina C-1) is sold twice: to order o1-1 of account 1 (", oversell: 1,
		},
		"two fans with one ticket": {
			change:   func(l *teller, _ *wire.Ledger, _ *Provider) { l.of("3").orders = l.of("2").Orders() },
			want:     "no seat twice, nothing acknowledged lost",
			evidence: "no seat twice: unit 2 (Grã-fina C-2) was given to account 2 by ticket t1-c of order o1-2 at ", oversell: 1,
		},
		"more than there is": {
			change:   func(_ *teller, b *wire.Ledger, _ *Provider) { b.Places = wire.LedgerPlaces{Capacity: 1, Sold: 3} },
			want:     "the books agree with themselves",
			evidence: "places by state", oversell: 2,
		},
		"a lost order": {
			change: func(_ *teller, b *wire.Ledger, p *Provider) {
				b.Rows, p.Payments = b.Rows[1:], p.Payments[1:]
				b.Places.Sold, b.Places.Free = 1, 3
				b.Money.Captured.Amount, b.Money.SoldFace.Amount = 200, 100
			},
			want: "nothing acknowledged lost", evidence: "order o1-1 of account 1 for unit 0 (Grã-fina C-0), unit 1 (Grã-fina C-1) was acknowledged at ",
		},
		"overtaken": {
			change: func(l *teller, _ *wire.Ledger, _ *Provider) { l.told("2", 2, "offered", 0, 40) },
			want:   "no overtaking", evidence: "account 2 with place 2 got its turn 10 ms before account 1 with place 1",
		},
		"money": {
			change: func(_ *teller, _ *wire.Ledger, p *Provider) { p.Payments[0].Captured++ },
			want:   "captures = tickets + refunds", evidence: "kept 2.01 BRL of it",
		},
		"a view goes back": {
			change: func(l *teller, _ *wire.Ledger, _ *Provider) {
				l.told("2", 2, "waiting", 4, 0)
				l.told("2", 2, "waiting", 5, 0)
			},
			want: "each fan's view is monotonic", evidence: ": place 2: the number of people ahead rose from 4 to 5",
		},
		"defects": {
			change: func(_ *teller, b *wire.Ledger, _ *Provider) { b.Defects = []string{"seat 3"} },
			want:   "the books agree with themselves", evidence: "seat 3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, books, p := honest()
			c.change(l, &books, &p)
			got := Checks(l.order, books, &p)
			if !got.Ran || len(got.Checks) != int(promises) || broken(got) != c.want {
				t.Errorf("broken is %q, want %q; found %q", broken(got), c.want, got.Findings)
			}
			if found := strings.Join(got.Findings, "\n"); !strings.Contains(found, c.evidence) || c.want == "" && found != "" {
				t.Errorf("the evidence is %q, want %q", found, c.evidence)
			}
			if got.Counted["oversell"] != c.oversell {
				t.Errorf("counted are %v, want an oversell of %d", got.Counted, c.oversell)
			}
		})
	}
}

func TestChecksCount(t *testing.T) {
	l, books, _ := honest()
	books.Tickets.Issued = 4
	got := Checks(l.order, books, nil)
	for name, want := range map[string]int64{
		"places": 3, "holds": 2, "orders": 3, "tickets": 4, "captured": 400, "refunded": 100, "oversell": 0, "numbers": 2, "capacity": 4,
	} {
		if got.Counted[name] != want {
			t.Errorf("%s is %d, want %d", name, got.Counted[name], want)
		}
	}
	books.Money.Captured.Amount++
	if again := Checks(l.order, books, nil); broken(got) != "" || broken(again) != "captures = tickets + refunds" {
		t.Errorf("without a provider broken are %q and then %q", broken(got), broken(again))
	}
}

func TestChecksTellABoundedNumber(t *testing.T) {
	l, books, p := honest()
	for i := range 100 {
		l.told(string(rune('A'+i)), 1, "waiting", 0, 0)
	}
	got := Checks(l.order, books, &p)
	if broken(got) != "no overtaking" || len(got.Findings) != maxFindings {
		t.Errorf("broken are %q, %d findings", broken(got), len(got.Findings))
	}
}
