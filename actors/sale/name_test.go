package sale

import (
	"strings"
	"testing"
)

// Every state has a name of its own: a new one would otherwise show as a number to programs.
func TestEveryStateHasAName(t *testing.T) {
	seen := map[string]bool{}
	check := func(kind, name string) {
		if seen[kind+name] || name == "" || strings.HasPrefix(name, "state_") {
			t.Errorf("%s: %q is no name, or the second of its kind", kind, name)
		}
		seen[kind+name] = true
	}
	for p := PhaseScheduled; p <= PhaseClosed; p++ {
		check("phase ", p.String())
	}
	for s := OrderAwaiting; s <= OrderRefunded; s++ {
		check("order ", s.String())
	}
	for s := PayNone; s <= PayCanceled; s++ {
		check("pay ", s.String())
	}
	for s := RefundNone; s <= RefundFailed; s++ {
		check("refund ", s.String())
	}
	for m := MethodNone; m <= MethodPix; m++ {
		check("method ", m.String())
	}
	if got := OrderState(200).String(); got != "state_200" {
		t.Errorf("an unknown state is named %q", got)
	}
}
