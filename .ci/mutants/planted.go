package main

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Exit codes of catraca-bench.
const (
	passed  = 0
	safety  = 98
	invalid = 99
)

// mostRuns is how often a crowd comes to the server as it is until the machine has let the bench keep its plan.
const mostRuns = 5

// seed lets the same fans come at the same moments every time.
const seed = "7"

// runPlanted lets a crowd come to the server as it is, which must pass, and to one with each planted defect, which the
// same bench must find out, with the evidence.
func runPlanted(names []string) error {
	files, err := filepath.Glob(".ci/mutants/planted/*.planted")
	if err != nil || len(files) == 0 {
		return errors.Join(errors.New("no planted defects found: run it at the root"), err)
	}
	all, err := readPlanted(files, names)
	if err != nil {
		return err
	}
	p := &planted{}
	if p.dir, err = os.MkdirTemp("", "catraca-planted-"); err != nil {
		return err
	}
	defer os.RemoveAll(p.dir)
	if err := p.build(); err != nil {
		return err
	}
	bad := 0
	for _, s := range scenarios(all) {
		began := time.Now()
		r, err := p.clean(s)
		if err != nil {
			bad++
			fmt.Printf("NOT CLEAN   %-24s %v\n%s\n", s, err, indent(r.said))
			continue
		}
		fmt.Printf("passed      %-24s by the server as it is (%v)\n", s, time.Since(began).Round(time.Second))
	}
	for _, m := range all {
		began := time.Now()
		r, err := p.try(m)
		if err != nil {
			bad++
			fmt.Printf("NOT CAUGHT  %-24s %v\n            %s\n%s\n", m.name, err, m.why, indent(r.said))
			continue
		}
		fmt.Printf("caught      %-24s exit %d: BROKEN %s (%v)\n", m.name, r.code, m.broken, time.Since(began).Round(time.Second))
		fmt.Print(evidence(r.said, m.broken))
		if strings.Contains(r.said, "the server itself: ") {
			fmt.Println("            | the server's own recount, when its books are asked for, notices too")
		}
	}
	fmt.Printf("%d defects planted\n", len(all))
	if bad > 0 {
		return fmt.Errorf("%d runs did not come to what they must", bad)
	}
	return nil
}

func readPlanted(files, names []string) ([]*mutant, error) {
	var all []*mutant
	for _, f := range files {
		m, err := read(f)
		if err == nil && (m.scenario == "" || m.broken == "") {
			err = errors.New("scenario or broken is missing")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		if len(names) == 0 || slices.Contains(names, m.name) {
			all = append(all, m)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no planted defect is called %s", strings.Join(names, " or "))
	}
	return all, nil
}

// scenarios are those that the defects are found by.
func scenarios(all []*mutant) []string {
	var out []string
	for _, m := range all {
		out = append(out, m.scenario)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// planted is a folder with the sources and what was built of them.
type planted struct{ dir string }

func (p *planted) sources() string { return filepath.Join(p.dir, "sources") }

// bench and server are built of the sources as they are.
func (p *planted) bench() string  { return filepath.Join(p.dir, "catraca-bench") }
func (p *planted) server() string { return filepath.Join(p.dir, "catraca") }

func (p *planted) build() error {
	if err := copySources(p.sources()); err != nil {
		return err
	}
	for path, pkg := range map[string]string{p.bench(): "./cmd/catraca-bench", p.server(): "./cmd/catraca"} {
		if said, err := p.goBuild(path, pkg); err != nil {
			return fmt.Errorf("build %s: %w\n%s", pkg, err, said)
		}
	}
	return nil
}

func (p *planted) goBuild(path, pkg string) (string, error) {
	cmd := exec.Command("go", "build", "-o", path, pkg)
	cmd.Dir = p.sources()
	said, err := cmd.CombinedOutput()
	return string(said), err
}

// result is what the bench came to.
type result struct {
	code int
	said string // on standard output
	log  string // and on standard error
	file string // of the run
}

// run lets the crowd come to a server.
func (p *planted) run(server, scenario string) (r result, err error) {
	out, err := os.MkdirTemp(p.dir, "out-")
	if err != nil {
		return r, err
	}
	r, err = p.call("run", filepath.Join(".ci/mutants/planted", scenario), "--binary", server, "--seed", seed, "--out", out)
	if err != nil {
		return r, err
	}
	found, err := filepath.Glob(filepath.Join(out, "run-*.json"))
	if err != nil || len(found) != 1 {
		return r, errors.Join(fmt.Errorf("exit %d, and the bench kept %d runs: %s", r.code, len(found), r.log), err)
	}
	r.file = found[0]
	return r, nil
}

// call runs the bench, which is never the one with the defect.
func (p *planted) call(args ...string) (result, error) {
	cmd := exec.Command(p.bench(), args...)
	cmd.Dir = p.sources()
	var said, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &log
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		err = nil
	}
	return result{code: cmd.ProcessState.ExitCode(), said: said.String(), log: log.String()}, err
}

// clean lets the crowd come to the server as it is. A run that the machine was too busy for says nothing, and is done
// again.
func (p *planted) clean(scenario string) (r result, err error) {
	for range mostRuns {
		if r, err = p.run(p.server(), scenario); err != nil || r.code != invalid {
			break
		}
	}
	switch {
	case err != nil:
		return r, err
	case r.code != passed:
		return r, fmt.Errorf("exit %d, want %d", r.code, passed)
	}
	return r, p.agree(r)
}

// try plants the defect in a server and lets the crowd come to it. A nil error says that it was caught.
func (p *planted) try(m *mutant) (r result, err error) {
	server := filepath.Join(p.dir, m.name)
	restore, err := m.plant(p.sources())
	if err != nil {
		return r, errors.Join(fmt.Errorf("it does not apply any more: %w", err), restore())
	}
	said, err := p.goBuild(server, "./cmd/catraca")
	if err := errors.Join(err, restore()); err != nil {
		return result{said: said}, fmt.Errorf("it does not build: %w", err)
	}
	if r, err = p.run(server, m.scenario); err != nil {
		return r, err
	}
	if r.code != safety {
		return r, fmt.Errorf("exit %d, want %d", r.code, safety)
	}
	if strings.Contains(r.said, "has ended by itself") {
		return r, errors.New("the server noticed by itself and stopped, so the audit had nothing to find")
	}
	if !strings.Contains(r.said, "BROKEN "+m.broken+"\n") {
		return r, fmt.Errorf("the audit says that this was kept: %s", m.broken)
	}
	says, err := regexp.Compile(m.says)
	if err != nil {
		return r, err
	}
	if !says.MatchString(r.said) {
		return r, fmt.Errorf("the evidence does not say %q", m.says)
	}
	return r, errors.Join(p.told(r, m, says), p.agree(r))
}

// told wants the evidence in everything that is kept of a run.
func (p *planted) told(r result, m *mutant, says *regexp.Regexp) error {
	page, err := os.ReadFile(strings.TrimSuffix(r.file, ".json") + ".html")
	if err != nil {
		return err
	}
	if !says.MatchString(html.UnescapeString(string(page))) {
		return fmt.Errorf("the page does not say %q", m.says)
	}
	junit, err := p.call("report", r.file, "-o", "junit")
	if err != nil {
		return err
	}
	_, failed, _ := strings.Cut(html.UnescapeString(junit.said), `<testcase name="`+m.broken+`"`)
	failed, _, _ = strings.Cut(failed, "</testcase>")
	if !says.MatchString(failed) {
		return fmt.Errorf("the JUnit file does not say %q of %q", m.says, m.broken)
	}
	return nil
}

// agree wants an audit of what was kept of the run to come to the same.
func (p *planted) agree(r result) error {
	again, err := p.call("audit", r.file)
	if err != nil {
		return err
	}
	if again.code != r.code {
		return fmt.Errorf("the run ended with %d, and its audit with %d:\n%s%s", r.code, again.code, again.said, again.log)
	}
	return nil
}

// mostShown lines of evidence are shown of a defect.
const mostShown = 4

// evidence is what the bench says first of a broken promise, and in how many lines it says more.
func evidence(said, promise string) string {
	head, _, _ := strings.Cut(said, "\n\n")
	lines := strings.Split(head, "\n")
	var b strings.Builder
	shown := 0
	for _, l := range lines[1:] {
		if shown < mostShown && strings.HasPrefix(l, "  "+promise+": ") {
			b.WriteString("            | " + strings.TrimSpace(l) + "\n")
			shown++
		}
	}
	if n := len(lines) - 1 - shown; n > 0 {
		fmt.Fprintf(&b, "            | … and %d lines more\n", n)
	}
	return b.String()
}
