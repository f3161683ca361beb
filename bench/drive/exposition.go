package drive

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// Bounds of what one scrape is read of.
const (
	maxScrape     = 8 << 20
	maxScrapeLine = 64 << 10
)

// readMetrics adds up the samples of the Prometheus text format (https://prometheus.io/docs/instrumenting/exposition_formats/)
// that want says it wants. Lines that make no sense are passed over: a chart is no audit.
func readMetrics(r io.Reader, want func(name string, label func(string) string) (sum string, ok bool)) (map[string]float64, error) {
	out := make(map[string]float64)
	s := bufio.NewScanner(io.LimitReader(r, maxScrape))
	s.Buffer(make([]byte, 0, 4096), maxScrapeLine)
	for s.Scan() {
		name, labels, value, ok := sample(s.Text())
		if !ok {
			continue
		}
		if sum, wanted := want(name, func(key string) string { return label(labels, key) }); wanted {
			out[sum] += value
		}
	}
	return out, s.Err()
}

// sample takes one line apart: name{labels} value timestamp.
func sample(line string) (name, labels string, value float64, ok bool) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", "", 0, false
	}
	var rest string
	if i := strings.IndexAny(line, "{ \t"); i < 0 {
		return "", "", 0, false
	} else if line[i] == '{' {
		end := closing(line[i+1:])
		if end < 0 {
			return "", "", 0, false
		}
		name, labels, rest = line[:i], line[i+1:i+1+end], line[i+2+end:]
	} else {
		name, rest = line[:i], line[i:]
	}
	fields := strings.Fields(rest)
	if name == "" || len(fields) == 0 {
		return "", "", 0, false
	}
	value, err := strconv.ParseFloat(fields[0], 64)
	return name, labels, value, err == nil
}

// closing is where the labels end: at the first brace outside quotes.
func closing(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted && s[i] == '}':
			return i
		}
	}
	return -1
}

// label is the value of one label. Values with an escaped quote in them end there; none of ours has one.
func label(labels, key string) string {
	for len(labels) > 0 {
		name, rest, ok := strings.Cut(labels, `="`)
		if !ok {
			return ""
		}
		value, more, ok := strings.Cut(rest, `"`)
		if !ok {
			return ""
		}
		if strings.TrimSpace(name) == key {
			return value
		}
		labels = strings.TrimLeft(more, ", ")
	}
	return ""
}
