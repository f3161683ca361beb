package seating

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"slices"
)

// The sample plans are real drawings by others; plans/ORIGIN.md names their authors and licence.
//
//go:embed plans
var plans embed.FS

type embedded struct{ name, file string }

// samples are the names of the embedded plans, biggest first.
func samples() []embedded {
	return []embedded{
		{"racetrack", "plans/racetrack.json.gz"}, // seats.io, 8,897 seats, 4 stands
		{"stadium", "plans/stadium.json.gz"},     // pretix, 738 seats, duplicate keys: import it with Rekey
		{"club", "plans/club.json.gz"},           // seats.io, 32 seats and 2 areas of 100 places
	}
}

// Samples lists the names Sample knows.
func Samples() []string {
	var names []string
	for _, s := range samples() {
		names = append(names, s.name)
	}
	return names
}

// Sample is the file of an embedded seating plan, ready for [Import].
func Sample(name string) ([]byte, error) {
	for _, s := range samples() {
		if s.name != name {
			continue
		}
		packed, err := plans.ReadFile(s.file)
		if err != nil {
			return nil, fmt.Errorf("read sample plan %q: %w", name, err)
		}
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, fmt.Errorf("unpack sample plan %q: %w", name, err)
		}
		data, err := io.ReadAll(z)
		if err != nil {
			return nil, fmt.Errorf("unpack sample plan %q: %w", name, err)
		}
		return data, nil
	}
	return nil, fmt.Errorf("find sample plan %q: there are %q", name, slices.Clone(Samples()))
}
