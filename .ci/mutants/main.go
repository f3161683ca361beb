// Command main applies each mutant beside it to a copy of the sources and runs the test that must fail then. It ends
// with 1 when a mutant is not caught, does not build, or does not apply any more.
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
// with file, from and to as often as needed.
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

type edit struct{ file, from, to string }

type mutant struct {
	name, why, pkg, pattern, says string
	edits                         []edit
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
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

// copySources copies what is or would be under version control, as it is now.
func copySources(dir string) error {
	out, err := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return fmt.Errorf("list sources: %w", err)
	}
	for _, name := range strings.Split(strings.TrimRight(string(out), "\x00"), "\x00") {
		data, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted and not committed
		}
		if err == nil {
			err = os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
		}
		if err != nil {
			return fmt.Errorf("copy sources: %w", err)
		}
	}
	return nil
}

func read(path string) (*mutant, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &mutant{name: strings.TrimSuffix(filepath.Base(path), ".mutant")}
	into := (*string)(nil)
	for _, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		key, value, _ := strings.Cut(line, ": ")
		last := len(m.edits) - 1
		switch {
		case key == "why" && into == nil:
			m.why = value
		case key == "test" && into == nil:
			m.pkg, m.pattern, _ = strings.Cut(value, " ")
		case key == "says" && into == nil:
			m.says = value
		case key == "file":
			m.edits = append(m.edits, edit{file: value})
			into = nil
		case line == "--- from" && last >= 0:
			into = &m.edits[last].from
		case line == "--- to" && last >= 0:
			into = &m.edits[last].to
		case into != nil:
			*into += line + "\n"
		default:
			return nil, fmt.Errorf("line %q is not understood", line)
		}
	}
	if m.why == "" || m.pattern == "" || m.says == "" || len(m.edits) == 0 {
		return nil, errors.New("why, test, says or file is missing")
	}
	return m, nil
}

// try applies the mutant, runs its test, and puts the sources back. A nil error says that it was caught.
func (m *mutant) try(dir string) (said string, err error) {
	originals := map[string][]byte{}
	defer func() {
		for path, data := range originals {
			err = errors.Join(err, os.WriteFile(path, data, 0o600))
		}
	}()
	for _, e := range m.edits {
		path := filepath.Join(dir, e.file)
		data, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("it does not apply any more: %w", err)
		}
		if _, ok := originals[path]; !ok {
			originals[path] = data
		}
		changed, err := e.apply(data)
		if err == nil {
			err = os.WriteFile(path, changed, 0o600)
		}
		if err != nil {
			return "", fmt.Errorf("it does not apply any more: %s: %w", e.file, err)
		}
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

// apply replaces the one place where the lines of from are, whatever the white space.
func (e *edit) apply(data []byte) ([]byte, error) {
	var pattern strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(e.from), "\n") {
		if i > 0 {
			pattern.WriteString(`\s*\n\s*`)
		}
		for j, word := range strings.Fields(line) {
			if j > 0 {
				pattern.WriteString(`[ \t]+`)
			}
			pattern.WriteString(regexp.QuoteMeta(word))
		}
	}
	re, err := regexp.Compile(pattern.String())
	if err != nil {
		return nil, err
	}
	found := re.FindAllIndex(data, -1)
	if len(found) != 1 {
		return nil, fmt.Errorf("its lines are there %d times, want once", len(found))
	}
	at := found[0]
	return slices.Concat(data[:at[0]], []byte(strings.TrimSpace(e.to)), data[at[1]:]), nil
}

func indent(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	var b strings.Builder
	for _, l := range lines[max(0, len(lines)-15):] {
		_, _ = io.WriteString(&b, "            | "+l+"\n")
	}
	return b.String()
}
