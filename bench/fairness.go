package bench

import "github.com/catraca/catraca/bench/record"

// Fairness says how the queue treated the fans of each network class, given their journals by class: first all of
// them together, as class "", then each class by name. The fans must be of one event.
func Fairness(journals map[string][]*Journal) []record.Fairness {
	return make([]record.Fairness, 0, len(journals))
}
