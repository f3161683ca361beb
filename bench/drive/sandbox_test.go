package drive

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/catraca/catraca/bench/scenario"
	fake "github.com/catraca/catraca/transport/pay/sandbox"
)

// What the sandbox is told is what it takes, the fault of the moment before that of the whole run.
func TestFaultsOfTheSandbox(t *testing.T) {
	var mu sync.Mutex
	var now []fake.Fault
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		now = nil
		if err := json.NewDecoder(r.Body).Decode(&now); err != nil || r.Method != http.MethodPut || r.URL.Path != "/_sandbox/faults" || r.Header.Get("Authorization") != "Bearer key" {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		for i := range now {
			if err := now[i].Validate(); err != nil {
				t.Error(err)
			}
		}
	}))
	defer server.Close()
	s := &sandbox{api: newCaller(server.URL, "key")}
	defer s.api.close()
	expect := func(when string, want ...fake.Fault) {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff(append([]fake.Fault{}, want...), now); diff != "" {
			t.Errorf("%s:\n%s", when, diff)
		}
	}
	ctx := t.Context()
	if err := s.begin(ctx, scenario.Payment{Delay: 3 * time.Second, Failing: 25, Late: time.Second}); err != nil {
		t.Fatal(err)
	}
	failing, slow := fake.Fault{On: "api", Do: "500", Probability: 0.25}, fake.Fault{On: "api", Do: "delay", DelayMS: 3000}
	late := fake.Fault{On: "webhook", Do: "delay", DelayMS: 1000}
	expect("from the beginning", failing, slow, late)
	var heals []func(context.Context) error
	for _, f := range []scenario.Fault{
		{Kind: "payment-down"}, {Kind: "payment-slow", Delay: time.Second}, {Kind: "late-webhooks"}, {Kind: "lost-webhooks"},
	} {
		heal, err := s.fail(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		heals = append(heals, heal)
	}
	down, slower := fake.Fault{On: "api", Do: "500"}, fake.Fault{On: "api", Do: "delay", DelayMS: 1000}
	later, lost := fake.Fault{On: "webhook", Do: "delay", DelayMS: 5000}, fake.Fault{On: "webhook", Do: "lose"}
	expect("all together", down, slower, later, lost, failing, slow, late)
	if err := heals[1](ctx); err != nil {
		t.Fatal(err)
	}
	expect("one healed", down, later, lost, failing, slow, late)
	if err := s.mend(ctx); err != nil {
		t.Fatal(err)
	}
	expect("mended")
}
