package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catraca/catraca/bench"
)

// TestVerifyLedgerOfASale sells to a handful of fans through the public interface, and audits the books against the
// payment server's; then it takes a payment out of those.
func TestVerifyLedgerOfASale(t *testing.T) {
	dir := t.TempDir()
	event := write(t, "event.yaml", "slug: baile\nname: Baile\nvenue: Clube\nrehearsal: true\nstarts_at: now+48h\nopens_at: now+1h\n"+
		"categories: {pista: {price: 60, fee: 6}}\nareas: [{name: Pista, category: pista, capacity: 30}]\n"+
		"queue: {rate_per_minute: 60000, active_cap: 100}\n")
	s := &stage{log: slog.New(slog.DiscardHandler)}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		s.stop(ctx)
	})
	if err := s.start(t.Context(), environment{}, demoOptions{listen: "127.0.0.1:0", opensIn: 50 * time.Millisecond, pixAfter: 50 * time.Millisecond, data: dir, event: event}); err != nil {
		t.Fatal(err)
	}
	buy(t, s, []bench.Story{
		{Quantity: 2, Scatter: true, Method: "card", Card: "4242424242424242"},
		{Quantity: 1, Scatter: true, Method: "card", Card: "4242424242424242"},
		{Quantity: 3, Scatter: true, Method: "pix"},
		{Quantity: 1, Scatter: true, Walkaway: true},
	})
	key := write(t, "key", sandboxKey)
	ledger := []string{
		"verify", "ledger", "baile", "--server", "http://" + s.node.opAddr.String(), "--token-file", filepath.Join(dir, tokenName),
		"--provider-ledger", s.payURL + "/_sandbox/ledger", "--provider-key-file", key,
	}
	got := typeIn(t, nil, ledger...)
	if got.code != 0 || !strings.HasSuffix(got.stdout, "\nCLEAN\n") || !strings.Contains(got.stdout, "3 fulfilled") || !strings.Contains(got.stdout, "6 valid") {
		t.Fatalf("%d\n%s%s", got.code, got.stdout, got.stderr)
	}
	whole, err := fetchAddress(t.Context(), s.payURL+"/_sandbox/ledger", sandboxKey, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	cooked := filepath.Join(t.TempDir(), "ledger.json")
	if err := os.WriteFile(cooked, []byte(strings.Replace(string(whole), `"captured":`, `"captured":1`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	ledger[8] = cooked
	got = typeIn(t, nil, ledger[:9]...)
	if got.code != 1 || !strings.Contains(got.stdout, "NO  every capture has its tickets or its refund") || !strings.Contains(got.stdout, "NOT CLEAN") || got.stderr != "" {
		t.Errorf("%d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// buy lives the stories of as many fans, at once, to their ends.
func buy(t *testing.T, s *stage, stories []bench.Story) {
	t.Helper()
	fans, err := s.mint(t.Context(), len(stories))
	if err != nil {
		t.Fatal(err)
	}
	client := bench.NewClient(8)
	defer client.CloseIdleConnections()
	payer := bench.SandboxPayer(client)
	var all sync.WaitGroup
	for i, story := range stories {
		story.PollOrder = 100 * time.Millisecond
		all.Go(func() {
			f := &bench.Fan{Base: s.url, Event: "baile", Token: fans[i].Token, Client: client, Payer: payer}
			out, err := f.Run(t.Context(), story)
			if err != nil || len(out.Tickets) != int(story.Quantity) && !story.Walkaway {
				t.Errorf("fan %d: %d tickets, %v", i, len(out.Tickets), err)
			}
		})
	}
	all.Wait()
}
