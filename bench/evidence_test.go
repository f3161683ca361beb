package bench

import (
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/catraca/catraca/transport/wire"
)

// packed is the evidence as a file, and what is in it.
func packed(t testing.TB, e *Evidence) (file []byte, text string) {
	t.Helper()
	var b bytes.Buffer
	if err := e.Write(&b); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), string(plain)
}

// evidenceOf is a sale in which every promise was broken.
func evidenceOf() *Evidence {
	l, books, p := honest()
	url := "https://pay.example/cs_secret"
	j := l.of("2")
	j.orders[0].Order.Payment = &wire.Payment{URL: &url}
	j.orders[0].Tickets[0].Holder = "Fulana de Tal"
	l.of("3").orders = j.Orders()                            // a seat and its ticket twice
	l.told("4", 4, "waiting", 3, 0)                          // a place that the books do not have
	l.told("4", 4, "waiting", 5, 0)                          // and a view that goes back
	l.told("2", 2, "offered", 0, 40)                         // before the first
	p.Payments[0].Captured = 0                               // tickets that nobody paid
	books.Defects = []string{"verify sale: seat 3 is wrong"} // which the server knows
	return &Evidence{Event: "ensaio", Journals: l.order, Books: books, Provider: &p}
}

// What an audit finds is found again in the file, and the file has nobody's secrets.
func TestEvidenceIsFoundAgain(t *testing.T) {
	e := evidenceOf()
	first, final := e.Checks()
	if got := broken(first); strings.Count(got, ",") != int(promises)-1 || final == 0 {
		t.Fatalf("broken are %s, %d for good", got, final)
	}
	file, text := packed(t, e)
	for _, secret := range []string{"Fulana", "cs_secret", "CT1"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in the evidence", secret)
		}
	}
	back, err := ReadEvidence(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	again, _ := back.Checks()
	// The seal is all that is told of a code, before and after.
	if diff := cmp.Diff(first, again); diff != "" || back.Event != "ensaio" {
		t.Errorf("event %s:\n%s", back.Event, diff)
	}
}

func TestWhatIsNoEvidenceIsRefused(t *testing.T) {
	file, _ := packed(t, evidenceOf())
	gz := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, text)
		_ = z.Close()
		return b.Bytes()
	}
	changed := slices.Clone(file)
	changed[len(changed)-6] ^= 1 // within the checksum
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"nothing":         {nil, "read evidence"},
		"not packed":      {[]byte(`{"format":1}`), "read evidence"},
		"cut off":         {file[:len(file)/2], "read evidence"},
		"changed":         {changed, "checksum"},
		"another format":  {gz(`{"format":2}`), "format 2"},
		"more":            {gz(`{"format":1}{}`), "something follows"},
		"another promise": {gz(`{"format":1,"journals":[{"account":"1","breaches":[{"promise":"love"}]}]}`), `"love"`},
	} {
		if _, err := ReadEvidence(bytes.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func FuzzReadEvidence(f *testing.F) {
	file, _ := packed(f, evidenceOf())
	f.Add(file)
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ReadEvidence(bytes.NewReader(data))
		if err != nil {
			return
		}
		if a, _ := e.Checks(); len(a.Checks) != int(promises) {
			t.Errorf("the audit is %+v", a)
		}
	})
}

// Each kind of evidence comes before the second of any kind, and what is left out is counted.
func TestEvidenceIsOfEveryKind(t *testing.T) {
	f := &findings{}
	for i := range 40 {
		f.add(noSeatTwice, "fans say %d", i)
	}
	f.add(noSeatTwice, "books say %d", 7)
	f.add(moneyAgrees, "provider says %d", 8)
	got := f.told()
	if len(got) != 11 || got[0] != "no seat twice: fans say 0" || got[1] != "no seat twice: books say 7" || got[2] != "no seat twice: fans say 1" ||
		got[9] != "no seat twice: 32 more" || got[10] != "captures = tickets + refunds: provider says 8" {
		t.Errorf("told are %d: %q", len(got), got)
	}
}

// Money that is on its way may heal; money that both sides are done with does not.
func TestFindingsThatMayHeal(t *testing.T) {
	for name, c := range map[string]struct {
		change func(b *wire.Ledger, p *Provider)
		heals  bool
	}{
		"committed, not captured yet": {func(b *wire.Ledger, p *Provider) {
			b.Rows[0].State, b.Rows[0].Payments = "committed", []wire.LedgerPayment{{Ref: "pi_1", State: "authorized"}}
			p.Payments[0].Captured, p.Payments[0].Authorized = 0, 200
		}, true},
		"a void that was not answered yet": {func(b *wire.Ledger, p *Provider) {
			b.Rows[1].Payments = []wire.LedgerPayment{{Ref: "pi_0", State: "authorized"}}
			p.Payments[1].Authorized = 100
		}, true},
		"a refund on its way": {func(b *wire.Ledger, p *Provider) {
			b.Rows[2].State = "refunding"
			b.Money.Refunded.Amount, b.Money.Refunding.Amount = 0, 100
			p.Payments[3].Refunded, p.Payments[3].Pending = 0, 100
		}, true},
		"issued, and never paid": {func(b *wire.Ledger, p *Provider) {
			b.Rows[0].Payments = []wire.LedgerPayment{{Ref: "pi_1", State: "captured"}}
			p.Payments[0].Captured, p.Payments[0].Authorized = 0, 200
		}, false},
		"canceled, and paid": {func(b *wire.Ledger, p *Provider) {
			b.Rows[2].State, b.Rows[2].Payments = "canceled", []wire.LedgerPayment{{Ref: "pi_3", State: "canceled"}}
			p.Payments[3].Refunded = 0
		}, false},
	} {
		_, books, p := honest()
		c.change(&books, &p)
		a, final := (&Evidence{Books: books, Provider: &p}).Checks()
		if len(a.Findings) == 0 || (final == 0) != c.heals {
			t.Errorf("%s: %d are for good of %q", name, final, a.Findings)
		}
	}
}
