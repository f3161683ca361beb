package report

import (
	"strconv"
	"strings"
	"time"
)

// leading reads the figure that a row of the engine's table begins with: 290,458/s, 5.68057ms, 1.06× (…), 15.0 %,
// 0.88 MB. The unit is "" when there is none.
func leading(got string) (value float64, unit string) {
	first, rest, _ := strings.Cut(strings.TrimSpace(got), " ")
	first = strings.TrimSuffix(first, ",")
	number := func(s string) (float64, bool) {
		v, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
		return finite(v), err == nil
	}
	if s, is := strings.CutSuffix(first, "/s"); is {
		if v, ok := number(s); ok {
			return v, "per_second"
		}
	}
	if s, is := strings.CutSuffix(first, "×"); is {
		if v, ok := number(s); ok {
			return v, "×"
		}
	}
	if d, err := time.ParseDuration(first); err == nil {
		return d.Seconds(), "seconds"
	}
	v, ok := number(first)
	next, _, _ := strings.Cut(rest, " ")
	switch {
	case ok && next == "%":
		return v, "%"
	case ok && next == "MB":
		return v * (1 << 20), "bytes"
	}
	return 0, ""
}
