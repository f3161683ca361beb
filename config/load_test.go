package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/catraca/catraca/config/strict"
)

func nothing(string) (string, bool) { return "", false }

func environment(vars map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) {
		v, ok := vars[k]
		return v, ok
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "catraca.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const paying = "payment: {secret_key_file: k, webhook_secret_file: w, hosted_page: 'http://127.0.0.1:8090/pay/{payment_intent}?s={client_secret}'}\n"

func TestSourcesInOrder(t *testing.T) {
	file := write(t, "node: {id: from-file, data: from-file}\nfan: {per_address: 7, max_connections: 8, origins: [https://a.example]}\naccounts: {session_life: 90m}\n"+paying)
	env := environment(map[string]string{
		"CATRACA_NODE_ID": "from-env", "CATRACA_FAN_PER_ADDRESS": "9", "CATRACA_ACCOUNTS_HASH_MAX_WAIT": "3s",
		"CATRACA_FAN_ORIGINS": "https://b.example, https://c.example", "CATRACA_CLUSTER_ROUTES": "n2=10.0.0.2:7100, n3=10.0.0.3:7100",
	})
	l, err := Read(file, env, Override{"node.id", "from-flag"}, Override{"log.level", "debug"})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Node.ID, want.Node.Data = "from-flag", "from-file"
	want.Cluster.Routes = map[string]string{"n2": "10.0.0.2:7100", "n3": "10.0.0.3:7100"}
	want.Fan.PerAddress, want.Fan.MaxConnections = 9, 8
	want.Fan.Origins = []string{"https://b.example", "https://c.example"}
	want.Accounts.SessionLife, want.Accounts.HashMaxWait = 90*time.Minute, 3*time.Second
	want.Log.Level = "debug"
	want.Payment = l.Config.Payment
	if d := cmp.Diff(want, l.Config); d != "" {
		t.Error(d)
	}
	for path, origin := range map[string]string{
		"node.id": "--set", "node.data": file, "fan.per_address": "CATRACA_FAN_PER_ADDRESS", "fan.max_connections": file,
		"fan.listen": "default", "log.level": "--set", "accounts.session_life": file,
	} {
		if got := l.Origin(path); got != origin {
			t.Errorf("%s comes from %q, want %q", path, got, origin)
		}
	}
}

func TestReadTellsEverything(t *testing.T) {
	file := write(t, "nod: {}\ncluster: {shards: many}\nfan:\n  listn: 127.0.0.1:1\n")
	env := environment(map[string]string{"CATRACA_MAIL_PORT": "smtp", "CATRACA_ACCOUNTS_SESSION_LIFE": "long"})
	_, err := Load(file, env, Override{"fan.lisen", "x"}, Override{"cluster.shards", "two"})
	var shown interface{ Detail() string }
	if !errors.As(err, &shown) {
		t.Fatalf("error = %v", err)
	}
	got := shown.Detail()
	for _, want := range []string{
		file + ":1:1: unknown key \"nod\", did you mean \"node\"?\n  nod: {}\n  ^",
		file + ":2:19: a text does not fit here, allowed is a whole number\n  cluster: {shards: many}\n                    ^",
		file + ":4:3: unknown key \"fan.listn\", did you mean \"fan.listen\"?",
		`CATRACA_MAIL_PORT: "smtp" does not fit here, allowed is a whole number`,
		`CATRACA_ACCOUNTS_SESSION_LIFE: "long" does not fit here, allowed is a duration like 10m or 90s`,
		`--set: unknown key "fan.lisen", did you mean "fan.listen"?`,
		`--set cluster.shards: "two" does not fit here, allowed is a whole number`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing\n%s\nin\n%s", want, got)
		}
	}
	var one *strict.Error
	if !errors.As(err, &one) || one.Line != 1 {
		t.Errorf("first error in the file: %+v", one)
	}
}

func TestValidateShowsThePlace(t *testing.T) {
	file := write(t, "fan:\n  listen: 0.0.0.0:8080\n"+paying)
	_, err := Load(file, environment(map[string]string{"CATRACA_LOG_LEVEL": "loud"}), Override{"cluster.shards", "1"})
	var shown interface{ Detail() string }
	if !errors.As(err, &shown) {
		t.Fatalf("error = %v", err)
	}
	want := file + ":2:11: fan.listen: 0.0.0.0:8080 can be reached from other machines, so fan.cert_file and fan.key_file are needed; " +
		"without them allowed is 127.0.0.1, [::1] or localhost\n    listen: 0.0.0.0:8080\n            ^\n" +
		file + ":1:1: fan.public_url: is needed, because fan.listen is not how browsers see the server; mails and payers come back by it\n  fan:\n  ^\n" +
		"--set cluster.shards: 1, allowed are 2 to 256\n" +
		"CATRACA_LOG_LEVEL: \"loud\", allowed are debug, info, warn, error"
	if d := cmp.Diff(want, shown.Detail()); d != "" {
		t.Error(d)
	}
}

func TestNoFile(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), nothing); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error = %v", err)
	}
	l, err := Read("", nothing)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Default(), l.Config); d != "" {
		t.Error(d)
	}
	if _, err := Load(write(t, strings.Repeat("#", strict.MaxBytes+1)), nothing); err == nil {
		t.Error("a file that is too large was read")
	}
}

// TestPrintReadsBack prints a configuration full of difficult values, and reads it.
func TestPrintReadsBack(t *testing.T) {
	l := &Loaded{Config: Default(), above: map[string]string{"node.id": "--set"}}
	c := &l.Config
	c.Node = Node{ID: "007", Data: `C:\dir "x": # no`, Check: "never"}
	c.Cluster.Routes = map[string]string{"n2": "[fe80::1%eth0]:7100", "007": "n, {x}:1"}
	c.Fan.Origins = []string{"https://a.example:8443", "a, b", ""}
	c.Fan.TrustedProxies = []string{"::1", "10.0.0.0/8"}
	c.Accounts.SessionLife = 36*time.Hour + 5*time.Second
	c.Payment.HostedPage = "https://x.example/{payment_intent}?a={client_secret}&b=[c]"
	c.Mail.From = "Çatraca, S/A <a@b.example>"
	c.Mail.User, c.Log.Level = "true", "- null"
	for _, o := range []PrintOptions{{}, {Comments: true}, {Origin: true}, {Origin: true, Comments: true}} {
		var b bytes.Buffer
		if err := l.Print(&b, o); err != nil {
			t.Fatal(err)
		}
		back, err := Read(write(t, b.String()), nothing)
		if err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		if d := cmp.Diff(l.Config, back.Config); d != "" {
			t.Errorf("%+v: %s", o, d)
		}
		if strings.Contains(b.String(), "# --set") != o.Origin || strings.Contains(b.String(), "# the node's name") != o.Comments {
			t.Errorf("%+v prints\n%s", o, b.String())
		}
		if l.Digest() != back.Digest() || l.Digest() == (&Loaded{Config: Default()}).Digest() {
			t.Errorf("digests %s %s", l.Digest(), back.Digest())
		}
	}
}

// TestManualIsWhole wants a word about every key but those whose name says it all.
func TestManualIsWhole(t *testing.T) {
	m, err := readManual()
	if err != nil {
		t.Fatal(err)
	}
	c := Default()
	seen := map[string]bool{}
	for _, k := range keys(&c) {
		if m.key(k) == "" && k.Path != "mail.host" {
			t.Errorf("%s has no comment in config.go", k.Path)
		}
		section, _, _ := strings.Cut(k.Path, ".")
		if !seen[section] && m.section(section) == "" {
			t.Errorf("%s has no comment in config.go", section)
		}
		seen[section] = true
	}
	if len(seen) != 9 {
		t.Errorf("%d sections", len(seen))
	}
}

// TestSampleFile holds deploy/catraca.yaml to what it says of itself: it is valid, names every key, and its commented
// lines are the defaults.
func TestSampleFile(t *testing.T) {
	path := filepath.Join("..", "deploy", "catraca.yaml")
	if _, err := Load(path, nothing); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var defaults, all strings.Builder
	for line := range strings.Lines(string(data)) {
		rest, commented := strings.CutPrefix(line, "#  ")
		switch {
		case commented && !strings.HasPrefix(rest, " "):
			defaults.WriteString("  " + rest)
			all.WriteString("  " + rest)
		case strings.HasPrefix(line, "#"):
		default:
			all.WriteString(line)
			if !strings.HasPrefix(line, " ") {
				defaults.WriteString(line)
			}
		}
	}
	l, err := Read(write(t, defaults.String()), nothing)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Default(), l.Config, emptyLists()); d != "" {
		t.Errorf("commented lines are not the defaults: %s", d)
	}
	whole, err := Read(write(t, all.String()), nothing)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys(&whole.Config) {
		if whole.Origin(k.Path) == "default" {
			t.Errorf("%s is not in the sample", k.Path)
		}
	}
}

func emptyLists() cmp.Option {
	return cmp.Options{
		cmp.FilterValues(func(a, b []string) bool { return len(a) == 0 && len(b) == 0 }, cmp.Ignore()),
		cmp.FilterValues(func(a, b map[string]string) bool { return len(a) == 0 && len(b) == 0 }, cmp.Ignore()),
	}
}
