package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// edit is one change of one file.
type edit struct{ file, from, to string }

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

// read reads a mutant or a planted defect.
func read(path string) (*mutant, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &mutant{name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))}
	keys := map[string]*string{"why": &m.why, "scenario": &m.scenario, "broken": &m.broken, "says": &m.says}
	into := (*string)(nil)
	for _, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		key, value, _ := strings.Cut(line, ": ")
		last := len(m.edits) - 1
		switch {
		case key == "test" && into == nil:
			m.pkg, m.pattern, _ = strings.Cut(value, " ")
		case keys[key] != nil && into == nil:
			*keys[key] = value
		case key == "file":
			m.edits = append(m.edits, edit{file: value})
			into = nil
		case line == "--- from" && last >= 0:
			if m.edits[last].from != "" {
				m.edits = append(m.edits, edit{file: m.edits[last].file})
				last++
			}
			into = &m.edits[last].from
		case line == "--- to" && last >= 0:
			into = &m.edits[last].to
		case into != nil:
			*into += line + "\n"
		default:
			return nil, fmt.Errorf("line %q is not understood", line)
		}
	}
	if m.why == "" || m.says == "" || len(m.edits) == 0 {
		return nil, errors.New("why, says or file is missing")
	}
	return m, nil
}

// plant makes the edits in a copy of the sources. What it returns puts the sources back, and is never nil.
func (m *mutant) plant(dir string) (restore func() error, err error) {
	originals := map[string][]byte{}
	restore = func() (err error) {
		for path, data := range originals {
			err = errors.Join(err, os.WriteFile(path, data, 0o600))
		}
		return err
	}
	for _, e := range m.edits {
		path := filepath.Join(dir, e.file)
		data, err := os.ReadFile(path)
		if err != nil {
			return restore, err
		}
		if _, ok := originals[path]; !ok {
			originals[path] = data
		}
		changed, err := e.apply(data)
		if err == nil {
			err = os.WriteFile(path, changed, 0o600)
		}
		if err != nil {
			return restore, fmt.Errorf("%s: %w", e.file, err)
		}
	}
	return restore, nil
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
