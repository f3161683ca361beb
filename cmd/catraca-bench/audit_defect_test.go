package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	virtual "github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/transport/wire"
)

// told is a fan who was told of an order for one seat.
func told(t *testing.T) []*virtual.Journal {
	t.Helper()
	j, err := virtual.Filed([]byte(`{"account":"7","orders":[{"Hold":"h1-1","Order":{"id":"o1-1","state":"awaiting",`+
		`"lines":[{"unit":5,"count":1,"section":"Pista","row":"F","seat":"12"}],"total":{"amount":20700,"currency":"BRL"}}}]}`), time.Now(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return []*virtual.Journal{j}
}

// booked are books with that order, or without it.
func booked(has bool) wire.Ledger {
	l := wire.Ledger{Places: wire.LedgerPlaces{Capacity: 9, Free: 8, Held: 1}, Rows: []wire.LedgerRow{}}
	if has {
		l.Rows = append(l.Rows, wire.LedgerRow{
			Order: "o1-1", Account: "7", State: "awaiting", Total: wire.Money{Amount: 20700, Currency: "BRL"}, Units: []wire.LedgerUnit{{Unit: 5, Count: 1}},
		})
	}
	return l
}

// keepWith keeps a run whose own audit found nothing, with its evidence.
func keepWith(t *testing.T, e *virtual.Evidence) string {
	t.Helper()
	dir := t.TempDir()
	run := &record.Run{Format: record.Format, ID: "1", Audit: record.Audit{Ran: true, Checks: []record.Check{
		{Name: "nothing acknowledged lost", Held: true}, {Name: "nothing without standing in line", Held: true},
	}}}
	if err := keepEvidence(dir, run, e); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "run-1.json")
	if err := writeTo(path, run.Write); err != nil {
		t.Fatal(err)
	}
	return path
}

const lostOrder = "BROKEN nothing acknowledged lost\n"

func TestAuditOfTheEvidenceThatWasKept(t *testing.T) {
	good := keepWith(t, &virtual.Evidence{Event: "ensaio", Journals: told(t), Books: booked(true)})
	got := do(t.Context(), "audit", good)
	if got.code != 0 || !strings.HasPrefix(got.stdout, "checked again: what 1 fans were told, against the server's books and the provider's as they were kept, of ") ||
		!strings.Contains(got.stdout, "held   nothing acknowledged lost\n") || !strings.Contains(got.stdout, "held   nothing without standing in line (as the run has it)\n") {
		t.Errorf("exit %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
	// What the run's own audit missed is found now.
	got = do(t.Context(), "audit", keepWith(t, &virtual.Evidence{Event: "ensaio", Journals: told(t), Books: booked(false)}))
	if got.code != record.ExitSafety || !strings.Contains(got.stdout, lostOrder) || !strings.Contains(got.stdout, "the run's own audit had found nothing") ||
		!strings.Contains(got.stdout, "order o1-1 of account 7 for unit 5 (Pista F-12) was acknowledged at ") {
		t.Errorf("exit %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
	// Evidence of another run is none.
	other := keepWith(t, &virtual.Evidence{Event: "ensaio", Journals: told(t), Books: booked(false)})
	b, err := os.ReadFile(evidenceBeside(other))
	if err == nil {
		err = os.WriteFile(evidenceBeside(good), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := do(t.Context(), "audit", good); got.code != record.ExitConfig || !strings.Contains(got.stderr, "is not what run 1 was audited by") {
		t.Errorf("exit %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// What the run's own audit found stays found.
func TestAuditDoesNotForgive(t *testing.T) {
	path := keepWith(t, &virtual.Evidence{Event: "ensaio", Journals: told(t), Books: booked(true)})
	run, err := openRun(path)
	if err != nil {
		t.Fatal(err)
	}
	run.Verdict.Broken = []string{"bot 1 was granted places without standing in line"}
	if err := writeTo(path, run.Write); err != nil {
		t.Fatal(err)
	}
	if got := do(t.Context(), "audit", path); got.code != record.ExitSafety || !strings.Contains(got.stdout, "is not found any more:\n  bot 1 was granted") {
		t.Errorf("exit %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestAuditOfWhatServersSayNow(t *testing.T) {
	provider := virtual.Provider{Payments: []virtual.ProviderPayment{{Payment: "pi_1", Status: "succeeded", Currency: "brl", Captured: 100, Metadata: map[string]string{"reference": "o1-9"}}}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var out any
		switch r.URL.Path + " " + r.Header.Get("Authorization") {
		case "/api/v1/admin/events/ensaio/ledger Bearer owner":
			out = booked(false)
		case "/_sandbox/ledger Bearer key":
			out = provider
		default:
			w.WriteHeader(http.StatusForbidden)
			return
		}
		var b bytes.Buffer
		if err := json.NewEncoder(&b).Encode(out); err != nil {
			t.Error(err)
		}
		_, _ = w.Write(b.Bytes())
	}))
	defer server.Close()
	path := keepWith(t, &virtual.Evidence{Event: "ensaio", Journals: told(t), Books: booked(true)})
	owner, key := write(t, "owner", "owner\n"), write(t, "key", "key\n")
	got := do(t.Context(), "audit", path, "--target", server.URL, "--admin-token-file", owner)
	if got.code != record.ExitSafety || !strings.Contains(got.stdout, lostOrder) || !strings.Contains(got.stdout, "against the books that "+server.URL+" has now, and no provider's") {
		t.Errorf("exit %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
	got = do(t.Context(), "audit", path, "--target", server.URL, "--admin-token-file", owner, "--payments", server.URL, "--payments-key-file", key)
	if got.code != record.ExitSafety || !strings.Contains(got.stdout, `the provider kept 100 for order "o1-9", which is not in the books (payment pi_1 succeeded: 1.00 BRL taken)`) {
		t.Errorf("exit %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
	bare := keep(t, &record.Run{Format: record.Format, Audit: record.Audit{Ran: true}})
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{bare}, 0, "shown as it was kept, and nothing was checked again"},
		{[]string{bare, "--target", server.URL, "--admin-token-file", owner}, record.ExitConfig, "so nothing can be held against"},
		{[]string{path, "--target", server.URL}, record.ExitConfig, "--admin-token-file is missing"},
		{[]string{path, "--payments", server.URL}, record.ExitConfig, "--payments without --target"},
		{[]string{path, "--target", server.URL, "--admin-token-file", key}, 1, "403"},
	} {
		if got := do(t.Context(), append([]string{"audit"}, tt.args...)...); got.code != tt.code || !strings.Contains(got.stdout+got.stderr, tt.want) {
			t.Errorf("%q: exit %d, want %d and %q:\n%s%s", tt.args, got.code, tt.code, tt.want, got.stdout, got.stderr)
		}
	}
}
