// Command main breaks promises in a copy of the sources and wants each break to be noticed. It ends with 1 when one is not,
// does not build, or does not apply any more.
//
//	main [NAME…]           applies each mutant beside it and runs the test that must fail then
//	main planted [NAME…]   plants each defect in the server, lets a crowd come to it, and wants catraca-bench to find out
//
// A mutant is a file NAME.mutant:
//
//	why: what it breaks, and why the test notices
//	test: PACKAGE PATTERN
//	says: what the test says then, a regular expression
//	file: PATH
//	--- from
//	lines that are there exactly once, in any layout
//	--- to
//	lines that come instead
//
// with file, from and to as often as needed. A planted defect, planted/NAME.planted, has instead of the test
//
//	scenario: the file beside it that the crowd comes by
//	broken: the check of the audit that must say so
//	says: what the evidence must say, a regular expression
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	args, do := os.Args[1:], run
	if len(args) > 0 && args[0] == "planted" {
		args, do = args[1:], runPlanted
	}
	if err := do(args); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// mutant is a break and what must be said of it.
type mutant struct {
	name, why string
	pkg       string // of the test
	pattern   string // of the test's name
	scenario  string // of a planted defect
	broken    string // the check
	says      string
	edits     []edit
}

func run(names []string) error {
	files, err := filepath.Glob(".ci/mutants/*.mutant")
	if err != nil || len(files) == 0 {
		return errors.Join(errors.New("no mutants found: run it at the root"), err)
	}
	dir, err := os.MkdirTemp("", "catraca-mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := copySources(dir); err != nil {
		return err
	}
	tried, bad := 0, 0
	for _, f := range files {
		m, err := read(f)
		if err == nil && m.pattern == "" {
			err = errors.New("test is missing")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		if len(names) > 0 && !slices.Contains(names, m.name) {
			continue
		}
		tried++
		began := time.Now()
		said, err := m.try(dir)
		if err != nil {
			bad++
			fmt.Printf("NOT CAUGHT  %-28s %v\n            %s\n%s\n", m.name, err, m.why, indent(said))
			continue
		}
		fmt.Printf("caught      %-28s by %s %s (%v)\n", m.name, m.pkg, m.pattern, time.Since(began).Round(time.Second))
	}
	fmt.Printf("%d mutants, %d caught\n", tried, tried-bad)
	switch {
	case tried == 0:
		return fmt.Errorf("no mutant is called %s", strings.Join(names, " or "))
	case bad > 0:
		return fmt.Errorf("%d mutants live", bad)
	}
	return nil
}

// try applies the mutant, runs its test, and puts the sources back. A nil error says that it was caught.
func (m *mutant) try(dir string) (said string, err error) {
	restore, err := m.plant(dir)
	defer func() { err = errors.Join(err, restore()) }()
	if err != nil {
		return "", fmt.Errorf("it does not apply any more: %w", err)
	}
	if said, err := m.goTest(dir, "^$"); err != nil {
		return said, errors.New("it does not build")
	}
	said, err = m.goTest(dir, m.pattern)
	switch {
	case err == nil && (strings.Contains(said, "no tests to run") || strings.Contains(said, "--- SKIP")):
		return said, errors.New("its test did not run")
	case err == nil:
		return said, errors.New("its test passes")
	case !strings.Contains(said, "--- FAIL") && !strings.Contains(said, "panic:"):
		return said, fmt.Errorf("its test did not fail, something else did: %w", err)
	}
	if ok, err := regexp.MatchString(m.says, said); err != nil || !ok {
		return said, errors.Join(fmt.Errorf("its test failed, and did not say %q", m.says), err)
	}
	return said, nil
}

func (m *mutant) goTest(dir, pattern string) (string, error) {
	cmd := exec.Command("go", "test", "-count=1", "-timeout=5m", "-v", "-run", pattern, m.pkg)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func indent(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	var b strings.Builder
	for _, l := range lines[max(0, len(lines)-15):] {
		_, _ = io.WriteString(&b, "            | "+l+"\n")
	}
	return b.String()
}
