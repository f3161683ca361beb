package event

import (
	"testing"

	"github.com/catraca/catraca/actors/sale"
)

// Every state has a name: a new one would otherwise end the scrape.
func TestNamesCoverEveryState(t *testing.T) {
	seen := map[string]bool{}
	for s := sale.OrderAwaiting; s <= sale.OrderRefunded; s++ {
		seen[orderName(s)] = true
	}
	for p := sale.PhaseScheduled; p <= sale.PhaseClosed; p++ {
		seen[phaseName(p)] = true
	}
	if want := int(sale.OrderRefunded) + int(sale.PhaseClosed) + 1; len(seen) != want {
		t.Errorf("%d names, want %d different ones: %v", len(seen), want, seen)
	}
}
