package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// ledgerServer answers with two pages of the books. The sale goes on between them for the first moves readings.
func ledgerServer(t *testing.T, moves int) *httptest.Server {
	t.Helper()
	index := 10
	places := `"capacity":1,"free":1`
	page := func(rows, next string) string {
		return fmt.Sprintf(`{"event":"aurora","index":%d,"clean":true,"categories":[{"key":"a",%s}],"places":{%s},"rows":[%s],"next":%s,
			"orders":{"expired":2},"money":{"captured":{"currency":"BRL"}}}`, index, places, places, rows, next)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/ledger") && r.URL.RawQuery == "":
			_, _ = fmt.Fprint(w, page(`{"order":"o1-1","state":"expired"}`, `"1"`))
		case strings.HasSuffix(r.URL.Path, "/ledger") && r.URL.RawQuery == "cursor=1":
			if moves > 0 {
				moves--
				index++
			}
			_, _ = fmt.Fprint(w, page(`{"order":"o1-2","state":"expired"}`, "null"))
		case strings.Contains(r.URL.Path, "/plan/"):
			_, _ = fmt.Fprint(w, `{"seats":{"x":[5]},"areas":[]}`)
		default:
			_, _ = fmt.Fprint(w, `{"slug":"aurora","plan_url":"/api/v1/events/aurora/plan/x.json"}`)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// TestLedgerOfSeveralPages reads again when the sale went on, and says so when it never rests.
func TestLedgerOfSeveralPages(t *testing.T) {
	for moves, want := range map[int]string{0: "\nCLEAN\n", 2: "\nCLEAN\n", 99: "NOT SURE: the sale went on while it was read"} {
		got := typeIn(t, nil, "verify", "ledger", "aurora", "--server", ledgerServer(t, moves).URL)
		if !strings.Contains(got.stdout, want) || (got.code == 0) != (moves < 99) || !strings.Contains(got.stdout, "2 expired") {
			t.Errorf("%d moves: %+v", moves, got)
		}
	}
}
