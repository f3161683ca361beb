package storage

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

const (
	envFlip     = "CATRACA_STORAGE_FLIPPED" // what a child process is to read: folder, first and last flip
	flipBatch   = 100                       // flips of one child
	flipDefault = 200
	flipShards  = 4
	wholeName   = "whole"
)

// TestFlips flips single bits of the file of a stopped node, anywhere, and lets a process of its own open and read
// everything, as a starting node does. Either nothing changes, or the damage is noticed before a wrong value is handed
// out: by the opening, by the reading, by Check, or by a crash. CATRACA_FLIPS=2000 tries as many.
func TestFlips(t *testing.T) {
	flips := flipDefault / slowdown
	if n, err := strconv.Atoi(os.Getenv("CATRACA_FLIPS")); err == nil {
		flips = n
	} else if testing.Short() {
		flips = 20
	}
	dir := t.TempDir()
	size := writeRealistic(t, dir)
	classes := make(map[string]int)
	for from := 0; from < flips; {
		next, said := flipInChild(t, dir, from, min(from+flipBatch, flips))
		for _, class := range said {
			classes[class]++
		}
		if next == from {
			t.Fatalf("no progress at flip %d", from)
		}
		from = next
	}
	total := 0
	var text []string
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		total += classes[class]
		text = append(text, fmt.Sprintf("%s %d", class, classes[class]))
		if strings.HasPrefix(class, "wrong") {
			t.Errorf("%d flips: %s", classes[class], class)
		}
	}
	if total != flips || classes["harmless"] == total || classes["harmless"] == 0 {
		t.Errorf("%d of %d flips were judged", total, flips)
	}
	t.Logf("%d flips in %d bytes: %s", flips, size, strings.Join(text, ", "))
}

// writeRealistic makes the file of a node that has worked: entries of 100 bytes to 64 KiB in several shards, cut off
// at both ends, with votes and an installed snapshot.
func writeRealistic(t *testing.T, dir string) int {
	t.Helper()
	o := options(t, filepath.Join(dir, "work"))
	o.Shards, o.noSync = flipShards, true
	s := open(t, o)
	r := rand.New(rand.NewPCG(7, 7))
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for round := range uint64(30) {
		for i := range flipShards {
			sh := s.Shard(i)
			must(sh.SetUint64([]byte("CurrentTerm"), round+1))
			must(sh.SetUint64([]byte(keyVoteTerm), round+1))
			must(sh.Set([]byte(keyVoteCandidate), fmt.Append(nil, "n", round%3)))
			first, _ := sh.FirstIndex()
			last, _ := sh.LastIndex()
			switch {
			case round%7 == 3:
				must(sh.DeleteRange(last-1, last))
				last -= 2
			case round == 20 && i == 0:
				last += 100
			case round%5 == 4:
				must(sh.DeleteRange(first, (first+last)/2))
			}
			var logs []*raft.Log
			for n := range 1 + r.Uint64N(5) {
				data := make([]byte, 100<<r.IntN(10)+r.IntN(300))
				for j := range data {
					data[j] = byte(r.Uint32())
				}
				logs = append(logs, &raft.Log{Index: last + 1 + n, Term: round + 1, Data: data, AppendedAt: time.Unix(int64(round), 0).UTC()})
			}
			must(sh.StoreLogs(logs))
		}
	}
	must(s.Close())
	whole, err := os.ReadFile(o.path())
	must(err)
	must(os.WriteFile(filepath.Join(dir, wholeName), whole, 0o600))
	return len(whole)
}

// flipInChild judges the flips from from to to, or up to the first one that the child does not survive.
func flipInChild(t *testing.T, dir string, from, to int) (next int, classes []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", envFlip, dir, from, to), "GORACE=atexit_sleep_ms=0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hang := time.AfterFunc(20*time.Second, cancel) // a broken tree may go round in circles
	for lines := bufio.NewScanner(out); lines.Scan(); hang.Reset(20 * time.Second) {
		if class, ok := strings.CutPrefix(lines.Text(), "flip: "); ok {
			classes = append(classes, class)
		}
	}
	how := "crash"
	if !hang.Stop() {
		how = "hang"
	}
	_ = cmd.Wait() // how it ends shows in how much it said
	if next = from + len(classes); next < to {
		next++
		classes = append(classes, how)
	}
	return next, classes
}

// flipped is the child.
func flipped(arg string) {
	var dir string
	var from, to int
	if _, err := fmt.Sscan(arg, &dir, &from, &to); err != nil {
		panic(err)
	}
	o := Options{Dir: filepath.Join(dir, "work"), NodeID: "n1", Shards: flipShards, Preallocate: -1, RingBytes: -1, ScrubBytes: -1,
		Fatal: func(error) {}, noSync: true}
	whole, err := os.ReadFile(filepath.Join(dir, wholeName))
	if err != nil {
		panic(err)
	}
	refresh := func(b []byte) {
		if err := errors.Join(os.RemoveAll(o.Dir), os.MkdirAll(o.Dir, 0o700), os.WriteFile(o.path(), b, 0o600)); err != nil {
			panic(err)
		}
	}
	refresh(whole)
	want, class := readWhole(o, nil)
	if class != "" {
		panic(class)
	}
	for i := from; i < to; i++ {
		bit := rand.New(rand.NewPCG(3, uint64(i))).IntN(len(whole) * 8)
		b := bytes.Clone(whole)
		b[bit/8] ^= 1 << (bit % 8)
		refresh(b)
		_, class := readWhole(o, want)
		if class == "" {
			class = "harmless"
			if err := Check(context.Background(), o); err != nil {
				class = "check"
			}
		}
		if strings.HasPrefix(class, "wrong") {
			class = fmt.Sprintf("%s at bit %d", class, bit)
		}
		fmt.Println("flip: " + class)
	}
}

// readWhole opens the store and reads everything, or compares it with what it was. The class is empty when all is well.
func readWhole(o Options, want []any) (got []any, class string) {
	s, err := Open(o)
	if err != nil {
		return nil, "open"
	}
	defer s.Close()
	for i := range o.Shards {
		sh := s.Shard(i)
		first, _ := sh.FirstIndex()
		last, _ := sh.LastIndex()
		got = append(got, first, last)
		for _, key := range []string{"CurrentTerm", keyVoteTerm, keyVoteCandidate} {
			v, err := sh.Get([]byte(key))
			if err != nil {
				return nil, "read"
			}
			got = append(got, string(v))
		}
		for j := first; j <= last; j++ {
			var l raft.Log
			if err := sh.GetLog(j, &l); err != nil && !errors.Is(err, raft.ErrLogNotFound) {
				return nil, "read"
			}
			got = append(got, l)
		}
		if n := len(got); want != nil && (n > len(want) || !reflect.DeepEqual(got, want[:n])) {
			return nil, "wrong value handed out"
		}
	}
	return got, ""
}
