package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func each(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, child := range c.Commands() {
		each(child, do)
	}
}

// TestEveryCommandHasItsHelp wants a sentence and examples of each.
func TestEveryCommandHasItsHelp(t *testing.T) {
	env := environment{lookup: func(string) (string, bool) { return "", false }}
	n := 0
	each(commands(env), func(c *cobra.Command) {
		n++
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: short help %q", c.CommandPath(), c.Short)
		}
		if !strings.Contains(c.Example, c.Root().Name()+" ") {
			t.Errorf("%s has no examples", c.CommandPath())
		}
		if c.RunE == nil || c.Args == nil {
			t.Errorf("%s does not check its arguments", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			if !strings.HasPrefix(line, "  ") {
				t.Errorf("%s: example %q is not indented by two", c.CommandPath(), line)
			}
		}
	})
	if n < 20 {
		t.Errorf("%d commands", n)
	}
}

// TestCloseAsks on a terminal, and takes anything but yes for no.
func TestCloseAsks(t *testing.T) {
	closed := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		closed++
		_, _ = fmt.Fprint(w, `{"slug":"aurora","phase":"closed"}`)
	}))
	defer s.Close()
	for _, tt := range []struct {
		asking bool
		answer string
		flags  []string
		closes bool
	}{
		{true, "y\n", nil, true}, {true, "YES\n", nil, true}, {true, "n\n", nil, false}, {true, "\n", nil, false}, {true, "why?\n", nil, false},
		{true, "", nil, false}, {true, "", []string{"--yes"}, true}, {false, "", nil, true},
	} {
		closed = 0
		got := typeIn(t, func(e *environment) { e.asking, e.stdin = tt.asking, strings.NewReader(tt.answer) },
			append([]string{"event", "close", "aurora", "--server", s.URL}, tt.flags...)...)
		if (closed == 1) != tt.closes {
			t.Errorf("%+v: %+v", tt, got)
		}
		if asked := strings.Contains(got.stderr, "Close the sale of aurora for good?"); asked != (tt.asking && tt.flags == nil) {
			t.Errorf("%+v: asked %t", tt, asked)
		}
	}
}

func TestColours(t *testing.T) {
	for _, tt := range []struct {
		terminal bool
		noColor  string
		red      bool
	}{{true, "", true}, {true, "1", false}, {false, "", false}} {
		got := typeIn(t, func(e *environment) {
			e.terminal = tt.terminal
			e.lookup = func(k string) (string, bool) { return tt.noColor, k == "NO_COLOR" && tt.noColor != "" }
		}, "evnt")
		if strings.Contains(got.stderr, "\x1b[31m") != tt.red {
			t.Errorf("%+v: %q", tt, got.stderr)
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 8897: "8,897", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is %s", n, got)
		}
	}
}

func TestNotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	env := map[string]string{"NOTIFY_SOCKET": path}
	lookup := func(k string) (string, bool) { v, ok := env[k]; return v, ok }
	if err := notify(lookup, "READY=1"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 64)
	n, err := l.Read(b)
	if err != nil || string(b[:n]) != "READY=1" {
		t.Errorf("%q, %v", b[:n], err)
	}
	env["NOTIFY_SOCKET"] = path + ".none"
	if err := notify(lookup, "READY=1"); err == nil {
		t.Error("nobody listens, and nothing was said")
	}
	delete(env, "NOTIFY_SOCKET")
	if err := notify(lookup, "READY=1"); err != nil {
		t.Error(err)
	}
}

// TestUnit reads the systemd unit, and lets systemd judge it where there is one.
func TestUnit(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "deploy", "systemd", "catraca.service"))
	if err != nil {
		t.Fatal(err)
	}
	section, keys := "", map[string]string{}
	for i, line := range strings.Split(string(data), "\n") {
		key, value, pair := strings.Cut(line, "=")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			section = line
		case section == "" || !pair || strings.TrimSpace(key) != key || value == "":
			t.Errorf("line %d is no setting: %q", i+1, line)
		default:
			keys[section+key] = value
		}
	}
	for key, want := range map[string]string{
		"[Service]Type": "notify", "[Service]ExecStart": "/usr/local/bin/catraca serve --config /etc/catraca/catraca.yaml",
		"[Service]User": "catraca", "[Service]NoNewPrivileges": "true", "[Service]ProtectSystem": "strict", "[Service]StateDirectory": "catraca",
		"[Service]RestartPreventExitStatus": strconv.Itoa(exitUsage), "[Install]WantedBy": "multi-user.target",
	} {
		if keys[key] != want {
			t.Errorf("%s is %q, want %q", key, keys[key], want)
		}
	}
	if keys["[Service]LimitNOFILE"] == "" {
		t.Error("open files are not raised")
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "catraca.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(data), "/usr/local/bin/catraca", self)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", unit).CombinedOutput(); err != nil || strings.Contains(string(out), "catraca.service") {
		t.Errorf("%v\n%s", err, out)
	}
}
