package drive

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/bench/drive/drivetest"
	"github.com/catraca/catraca/bench/hall"
	"github.com/catraca/catraca/bench/scenario"
)

func planned(fans int, seed uint64, list ...scenario.Arrival) []time.Duration {
	return due(&scenario.Scenario{Fans: fans, Arrival: list}, seed)
}

func TestEverybodyHasATimeToCome(t *testing.T) {
	for _, list := range [][]scenario.Arrival{
		{{Shape: "spike", Over: 3 * time.Second}}, {{Shape: "constant", Over: 3 * time.Second}}, {{Shape: "poisson", Over: 3 * time.Second}},
		{{Shape: "ramp", Over: 3 * time.Second}}, {{Shape: "curve", Counts: []int{1, 0, 2}}}, {{Shape: "spike"}}, {{Shape: "poisson"}},
		{{Shape: "spike", Over: time.Second}, {Shape: "curve", Counts: []int{3, 1}, Share: 2}},
	} {
		for _, n := range []int{1, 7, 1000} {
			due := planned(n, 5, list...)
			if len(due) != n || !slices.IsSorted(due) || due[0] < 0 || due[n-1] > 3*time.Second {
				t.Errorf("%+v: %d of %d, from %v to %v", list, len(due), n, due[0], due[len(due)-1])
			}
			if again := planned(n, 5, list...); !slices.Equal(due, again) {
				t.Errorf("%+v: the same seed gives other times", list)
			}
		}
	}
	if slices.Equal(planned(100, 1, scenario.Arrival{Shape: "spike", Over: time.Second}), planned(100, 2, scenario.Arrival{Shape: "spike", Over: time.Second})) {
		t.Error("another seed gives the same times")
	}
}

func TestSharesOfArrival(t *testing.T) {
	got := shareOut(10, []scenario.Arrival{{Share: 1}, {}, {Share: 2}})
	if !slices.Equal(got, []int{2, 2, 6}) {
		t.Errorf("shares are %v", got)
	}
}

func TestStoriesAreAsTheMixWants(t *testing.T) {
	seats, err := hall.Decode([]byte(drivetest.Plan))
	if err != nil {
		t.Fatal(err)
	}
	r := &Crowd{sale: saleFacts{categories: map[string]uint16{"1": 0}, seats: &bench.Map{Plan: seats}}}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable
	for _, name := range scenario.Stories() {
		m := scenario.Story{Story: name, AtLeast: 2, AtMost: 4, Linger: time.Second, Hesitate: time.Second, Category: "1"}
		s := r.story(m, random)
		if s.Quantity < 2 || s.Quantity > 4 || s.Linger > time.Second || s.Hesitate > time.Second || !s.Live || s.Category == nil {
			t.Errorf("%s is %+v", name, s)
		}
		for what, ok := range map[string]bool{
			"buy": s.Card == goodCard && s.Method == "card", "pix": s.Method == "pix", "bank": s.Card == askingCard,
			"declined": s.Card == declinedCard && s.Second == goodCard, "same-seats": s.Named && s.Near == 0 && !s.Scatter, "give-up": s.GiveUp,
			"walk-away": s.Walkaway, "release": s.Release, "vanish": s.Vanish, "pay-never": s.Card == "" && s.Method == "card",
		} {
			if what == name && !ok {
				t.Errorf("%s is %+v", name, s)
			}
		}
		if m.Choose = "map"; name != "same-seats" && s.Named || !r.story(m, random).Named {
			t.Errorf("%s chooses on the map when it should not, or the other way round", name)
		}
	}
	favourites := make(map[uint32]bool)
	for range 50 {
		favourites[r.story(scenario.Story{Story: "buy", Choose: "map"}, random).Near] = true
	}
	if len(favourites) < 3 {
		t.Errorf("fifty fans have %d favourites", len(favourites))
	}
	if s := r.story(scenario.Story{Story: "buy", Pages: true}, random); s.Quantity != 1 || s.Live || s.Category != nil {
		t.Errorf("the plainest story is %+v", s)
	}
}

func TestChoiceFollowsWeights(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable
	var got [3]int
	for range 10_000 {
		got[choose(random, []int{1, 0, 3})]++
	}
	if got[1] != 0 || got[0] < 2300 || got[0] > 2700 {
		t.Errorf("chosen %v times", got)
	}
}
