package main

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// What is to stand behind does so by its own priority, and nothing that is started afterwards.
func TestBehind(t *testing.T) {
	priority := func(behind bool) int {
		t.Helper()
		said := make(chan string, 1)
		p := &process{name: "asker", binary: "/bin/sh", args: []string{"-c", "nice"}, log: filepath.Join(t.TempDir(), "log"), behind: behind}
		if err := p.start(func(line string) { said <- line }); err != nil {
			t.Skipf("no shell to ask: %v", err)
		}
		if err := p.gone(t.Context()); err != nil {
			t.Fatal(err)
		}
		select {
		case line := <-said:
			n, err := strconv.Atoi(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			return n
		default:
			t.Skip("the system does not tell priorities: " + p.lastWords())
			return 0
		}
	}
	own := priority(false)
	if own >= courtesy {
		t.Skipf("this test runs with priority %d already", own)
	}
	for range 4 {
		if got := priority(true); got != courtesy {
			t.Errorf("priority %d, want %d", got, courtesy)
		}
		if got := priority(false); got != own {
			t.Errorf("priority %d after somebody stood behind, want %d", got, own)
		}
	}
}
