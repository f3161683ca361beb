package drive

import "github.com/catraca/catraca/bench"

// Fate is what came of one fan.
type Fate struct {
	Class   string
	Outcome string // as in [record.Run]
	Journal *bench.Journal
}

// journals of the fans by network class, all of them together as class "".
func journals(fates []Fate) map[string][]*bench.Journal {
	out := map[string][]*bench.Journal{"": nil}
	for _, f := range fates {
		out[""] = append(out[""], f.Journal)
		if f.Class != "" {
			out[f.Class] = append(out[f.Class], f.Journal)
		}
	}
	return out
}

// outcomes counts fates.
func outcomes(fates []Fate) map[string]int64 {
	out := make(map[string]int64)
	for _, f := range fates {
		out[f.Outcome]++
	}
	return out
}
