package due

import (
	"testing"

	"pgregory.net/rapid"
)

// TestHeapIsAMap compares with a map that is searched for its least entry.
func TestHeapIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h Heap
		want := map[uint32]Item{}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				slot := rapid.Uint32Range(0, 30).Draw(t, "slot")
				x := Item{At: rapid.Int64Range(0, 9).Draw(t, "at"), ID: 100 - slot, Slot: slot}
				h.Set(x)
				want[slot] = x
			},
			"remove": func(t *rapid.T) {
				slot := rapid.Uint32Range(0, 40).Draw(t, "slot")
				h.Remove(slot)
				delete(want, slot)
			},
			"": func(t *rapid.T) {
				if h.Len() != len(want) {
					t.Fatalf("%d deadlines, want %d", h.Len(), len(want))
				}
				for _, x := range want {
					if top := h.Top(); x.before(top) {
						t.Fatalf("the first is %+v, but there is %+v", top, x)
					}
					if !h.Has(x) || h.Has(Item{At: x.At + 1, ID: x.ID, Slot: x.Slot}) {
						t.Fatalf("%+v is not found", x)
					}
				}
			},
		})
	})
}
