package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// span is a duration in seconds with three digits and the unit people say: 870 µs, 38.2 ms, 2.05 s, 3 min 20 s.
func span(seconds float64) string {
	switch {
	case math.IsNaN(seconds) || math.IsInf(seconds, 0):
		return "–"
	case seconds == 0:
		return "0 s"
	case seconds < 0:
		return "−" + span(-seconds)
	case seconds < 0.0009995:
		return digits(seconds*1e6) + " µs"
	case seconds < 0.9995:
		return digits(seconds*1e3) + " ms"
	case seconds < 59.95:
		return digits(seconds) + " s"
	case seconds < 3600:
		whole := int64(math.Round(seconds))
		return fmt.Sprintf("%d min %d s", whole/60, whole%60)
	default:
		minutes := int64(math.Round(seconds / 60))
		return fmt.Sprintf("%s h %d min", count(minutes/60), minutes%60)
	}
}

// digits is v with three significant digits, or all of its whole part.
func digits(v float64) string {
	switch {
	case v < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return count(int64(math.Round(v)))
	}
}

// count is n with its thousands apart.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// perSecond is a rate.
func perSecond(v float64) string { return digits(max(0, finite(v))) }

// share is a part of a whole in per cent.
func share(part, whole int64) string {
	if whole <= 0 {
		return "–"
	}
	p := 100 * float64(part) / float64(whole)
	switch {
	case part == 0:
		return "0 %"
	case p < 0.01:
		return "< 0.01 %"
	case p < 10:
		return strconv.FormatFloat(p, 'f', 2, 64) + " %"
	default:
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	}
}

// memory is a number of bytes.
func memory(n int64) string {
	switch {
	case n <= 0:
		return "–"
	case n < 1<<20:
		return digits(float64(n)/(1<<10)) + " KiB"
	case n < 1<<30:
		return digits(float64(n)/(1<<20)) + " MiB"
	default:
		return digits(float64(n)/(1<<30)) + " GiB"
	}
}

// moment is a time as every report writes it.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// oneLine keeps what a run says from breaking the lines, or steering the terminal, it is printed on.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, s)
}

// finite is v, or 0 for what no chart can show.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}
