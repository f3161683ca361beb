package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/catraca/catraca/transport/pass"
	"github.com/catraca/catraca/transport/seating"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"catraca": main})
}

// TestScripts are what people type, and what they get. Each runs in a folder of its own; `node` starts a whole server.
// `exec catraca` is a process as people start it; `run` is the same in this one, for scripts with many steps.
func TestScripts(t *testing.T) {
	var one sync.Mutex // of a process: proto.actor's remote sets gRPC's global logger, whoever else uses it
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector makes every process linger for a second
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"run":     scriptRun,
			"misuse":  scriptMisuse,
			"node":    func(ts *testscript.TestScript, _ bool, _ []string) { scriptNode(ts, &one) },
			"tickets": scriptTickets,
			"sample":  scriptSample,
		},
	})
}

// scriptRun runs a command here. A word that is the name of a file in the script's folder means that file.
func scriptRun(ts *testscript.TestScript, fails bool, args []string) {
	want := 0
	if fails {
		want = exitFailed
	}
	if code := runHere(ts, args); code != want {
		ts.Fatalf("ended with %d, want %d", code, want)
	}
}

// scriptMisuse runs a command that is used wrongly.
func scriptMisuse(ts *testscript.TestScript, _ bool, args []string) {
	if code := runHere(ts, args); code != exitUsage {
		ts.Fatalf("ended with %d, want %d", code, exitUsage)
	}
}

func runHere(ts *testscript.TestScript, args []string) int {
	words := slices.Clone(args)
	for i, w := range words {
		if info, err := os.Stat(ts.MkAbs(w)); w != "" && err == nil && info.Mode().IsRegular() {
			words[i] = ts.MkAbs(w)
		}
	}
	return run(context.Background(), environment{
		args: words, stdin: strings.NewReader(""), stdout: ts.Stdout(), stderr: ts.Stderr(),
		lookup: func(k string) (string, bool) { v := ts.Getenv(k); return v, v != "" },
	})
}

// scriptSample writes a built-in seating plan: sample club plan.json.
func scriptSample(ts *testscript.TestScript, _ bool, args []string) {
	data, err := seating.Sample(args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}

// scriptTickets writes a ticket key's public half to keys.json and ticket codes to $GOOD, $FORGED and $MUTATED.
func scriptTickets(ts *testscript.TestScript, _ bool, _ []string) {
	keys, err := pass.NewKeyring()
	ts.Check(err)
	other, err := pass.NewKeyring()
	ts.Check(err)
	claims := pass.Claims{Event: 1, Ticket: 42, Version: 1, Unit: 812, Number: 1}
	good := keys.Sign(claims)
	ts.Check(os.WriteFile(ts.MkAbs("keys.json"), keys.JWKS(), 0o600))
	ts.Setenv("GOOD", good)
	ts.Setenv("FORGED", other.Sign(claims))
	// The letter is within the ticket's number, so the code stays well-formed and its signature does not.
	at, letter := 20, "A"
	if good[at] == 'A' {
		letter = "B"
	}
	ts.Setenv("MUTATED", good[:at]+letter+good[at+1:])
}

// scriptNode starts a node with the demonstration's event, whose sale is an hour away, and sets $SERVER to its operator
// address and $TOKEN to its token file.
func scriptNode(ts *testscript.TestScript, one *sync.Mutex) {
	one.Lock()
	ts.Defer(one.Unlock) // the last of all
	s := &stage{log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(context.Background())
	ts.Defer(func() {
		stopping, done := context.WithTimeout(context.Background(), 20*time.Second)
		defer done()
		s.stop(stopping)
		cancel()
	})
	dir := ts.MkAbs("node")
	ts.Check(s.start(ctx, environment{}, demoOptions{listen: "127.0.0.1:0", opensIn: time.Hour, data: dir, event: ts.MkAbs("event.yaml")}))
	ts.Setenv("SERVER", "http://"+s.node.opAddr.String())
	ts.Setenv("FAN", s.url)
	ts.Setenv("TOKEN", filepath.Join(dir, tokenName))
}

// typed runs a command in this process.
type typed struct {
	code           int
	stdout, stderr string
}

// syncBuffer may be written and read at once.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func typeIn(t *testing.T, change func(*environment), args ...string) typed {
	t.Helper()
	var out, said syncBuffer
	env := environment{
		args: args, lookup: func(string) (string, bool) { return "", false }, stdin: strings.NewReader(""), stdout: &out, stderr: &said,
	}
	if change != nil {
		change(&env)
	}
	code := run(t.Context(), env)
	return typed{code, out.String(), said.String()}
}
