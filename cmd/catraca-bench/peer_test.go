package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/catraca/catraca/config/eventfile"
)

func peerDefaults() peerOptions {
	return peerOptions{works: peerWorks(), length: time.Second, rounds: 3, clients: 64, fans: 4096, waiting: 100_000}
}

func TestPeerFlagsAreChecked(t *testing.T) {
	for want, change := range map[string]func(*peerOptions){
		"--work":    func(o *peerOptions) { o.works = []string{"dance"} },
		"--for":     func(o *peerOptions) { o.length = time.Millisecond },
		"--rounds":  func(o *peerOptions) { o.rounds = 0 },
		"--clients": func(o *peerOptions) { o.clients = 1000 },
		"--fans":    func(o *peerOptions) { o.fans = 63 },
		"--waiting": func(o *peerOptions) { o.waiting = -1 },
		"--nodes 3": func(o *peerOptions) { o.nodes = 3 },
	} {
		o := peerDefaults()
		change(&o)
		err := o.check("postgres")
		if _, ok := errors.AsType[*wrongError](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	for _, peer := range peerNames() {
		if o := peerDefaults(); o.check(peer) != nil {
			t.Errorf("%s is refused: %v", peer, o.check(peer))
		}
	}
	o := peerDefaults()
	if o.nodes = 3; o.check("etcd") != nil || o.check("mysql") == nil {
		t.Error("three nodes of etcd are refused, or a peer that is none is not")
	}
}

func TestPeerEventIsOneThatServersTake(t *testing.T) {
	b, err := json.Marshal(peerEvent("peers-shop", 6_000_000, 100_000))
	if err != nil {
		t.Fatal(err)
	}
	cfg, _, err := eventfile.Import(time.Now(), b, "application/json")
	if err != nil || !cfg.Rehearsal || cfg.Slug != "peers-shop" || cfg.Queue.ActiveCap != 100_000 {
		t.Errorf("%+v: %v", cfg, err)
	}
}

// Medians are held against the best form of the peer, and a ratio that is too low is a miss.
func TestPeerRatios(t *testing.T) {
	for _, c := range []struct {
		mine  float64
		ratio float64
		held  bool
	}{{20_000, 2, true}, {19_000, 1.9, false}} {
		r := peerReport{Peer: "postgres", Version: "PostgreSQL 15", Nodes: 1}
		for _, rate := range []float64{9_000, 10_000, 30_000} {
			r.add("PostgreSQL 15", peerFigure{peerForm: peerForm{"hold", "one statement"}, PerSecond: rate, P50: 3000, P99: 9000})
			r.add("PostgreSQL 15", peerFigure{peerForm: peerForm{"hold", "transaction"}, PerSecond: rate / 2})
			r.add(ours, peerFigure{peerForm: peerForm{"hold", ours}, PerSecond: c.mine})
		}
		if held := r.settle(); held != c.held {
			t.Errorf("%v a second: held is %t", c.mine, held)
		}
		if len(r.Ratios) != 1 || r.Ratios[0].Ratio != c.ratio || r.Ratios[0].Form != "one statement" || r.Ratios[0].Promised != 2 {
			t.Errorf("ratios are %+v", r.Ratios)
		}
		text := r.text()
		if !strings.Contains(text, "10000") || !strings.Contains(text, "medians of 3 rounds") || strings.Contains(text, "MISSED") == c.held {
			t.Errorf("the table is\n%s", text)
		}
		dir := t.TempDir()
		if err := r.keep(dir); err != nil {
			t.Fatal(err)
		}
		kept, _ := filepath.Glob(filepath.Join(dir, "peers-postgres-1-*.json"))
		if len(kept) != 1 {
			t.Fatalf("kept are %v", kept)
		}
		var again peerReport
		if b, err := os.ReadFile(kept[0]); err != nil || json.Unmarshal(b, &again) != nil || len(again.Table) != 3 || again.Ratios[0].Held != c.held {
			t.Errorf("what was kept is %+v: %v", again, err)
		}
	}
}

func TestPeerPromises(t *testing.T) {
	if peerPromises("etcd", 1, "hold") != 0 || peerPromises("etcd", 3, "hold") != 3 || peerPromises("postgres", 1, "join") != 100 || peerPromises("redis", 1, "best") != 0 {
		t.Error("other ratios are promised")
	}
}

func TestRepliesAreRead(t *testing.T) {
	f := &peerFan{reply: []byte(`{"t":"reply","seq":1,"id":1,"status":201,"body":{"id":"h1-7","lines":[{"unit":12,"count":1}]}}`)}
	if h, err := f.held(); err != nil || h.ID != "h1-7" || h.Lines[0].Unit != 12 {
		t.Errorf("the hold is %+v, %v", h, err)
	}
	for _, bad := range []string{``, `{"body":{}}`, `{"body":{"id":"h1-7","lines":[]}}`} {
		f.reply = []byte(bad)
		if _, err := f.held(); err == nil {
			t.Errorf("%q is taken for a hold", bad)
		}
	}
	for text, want := range map[string]int{`{"status":201,`: 201, `{"status":`: -1, `{}`: -1, `"status":x`: -1} {
		if got := numberAfter([]byte(text), `"status":`); got != want {
			t.Errorf("%s: %d", text, got)
		}
	}
}

// A peer that says what is wrong is quoted.
func TestPeerThatEndsIsQuoted(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "catraca-bench-peers")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\necho 'redis-server is not installed' >&2\nexit 1\n"), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	if _, err := startPeer(t.Context(), binary, "redis", 1); err == nil || !strings.Contains(err.Error(), "redis-server is not installed") {
		t.Errorf("the error is %v", err)
	}
	if _, err := findPeers(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "go build -C bench/peers") {
		t.Errorf("a missing program is told as %v", err)
	}
}

// The whole comparison, where the programs have been built and the peers are installed.
func TestComparison(t *testing.T) {
	binary, peers := "../../bin/catraca", "../../bin/catraca-bench-peers"
	for _, path := range []string{binary, peers} {
		if _, err := os.Stat(path); err != nil {
			t.Skip(err)
		}
	}
	for _, program := range []string{"redis-server", "etcd"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	for _, peer := range []string{"redis", "postgres"} {
		t.Run(peer, func(t *testing.T) {
			o := peerDefaults()
			o.length, o.rounds, o.clients, o.fans, o.waiting, o.binary, o.peers = 200*time.Millisecond, 1, 8, 128, 100, binary, peers
			o.works = []string{"hold", "join"}
			var out, said bytes.Buffer
			if _, err := comparePeer(t.Context(), environment{stdout: &out, stderr: &said}, peer, o); err != nil {
				if strings.Contains(err.Error(), "is not installed") {
					t.Skip(err)
				}
				t.Fatalf("%v\n%s", err, said.String())
			}
			if !strings.Contains(out.String(), "join a queue of 100, position: Catraca") {
				t.Errorf("the table is\n%s", out.String())
			}
		})
	}
}
