package cluster

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	envCrash = "CATRACA_CLUSTER_CHILD" // what this process is to do, and the folder
	envRound = "CATRACA_CLUSTER_ROUND"
)

// child runs instead of the tests in a process that a test has started.
func child() bool {
	mode, dir, ok := strings.Cut(os.Getenv(envCrash), ":")
	if !ok {
		return false
	}
	o := crashOptions(dir)
	o.Fatal = func(err error) { panic(err) }
	ts := newTapes(o.Shards)
	pump := ts.pump
	if mode == "panic" {
		pump = func(int) Pump { return panicking{newTape()} }
	}
	n, err := Start(o, pump)
	if err != nil {
		panic(err)
	}
	if mode == "hold" {
		fmt.Println("held")
		select {}
	}
	proposeForEver(n)
	return true
}

func crashOptions(dir string) Options {
	return Options{NodeID: "n1", Dir: dir, Shards: 2, Preallocate: -1,
		// Snapshots all the time, so that the end comes in the middle of one, too.
		SnapshotInterval: 5 * time.Millisecond, SnapshotEntries: 40, TrailingEntries: 10}
}

// proposeForEver prints what has been acknowledged: shard, round.caller and number.
func proposeForEver(n *Node) {
	var mu sync.Mutex
	for caller := range 4 {
		go func() {
			shard := caller % 2
			for i := 0; ; {
				f, err := n.Propose(shard, fmt.Appendf(nil, "%s.%d %d", os.Getenv(envRound), caller, i), time.Second)
				if err != nil {
					continue // not yet the leader
				}
				if err := f.Wait(context.Background()); err != nil {
					panic(err)
				}
				mu.Lock()
				fmt.Printf("%d %s.%d %d\n", shard, os.Getenv(envRound), caller, i)
				mu.Unlock()
				i++
			}
		}()
	}
	select {}
}

type panicking struct{ *tape }

func (panicking) Apply(uint64, uint64, []byte) { panic("the state is broken") }

func command(t *testing.T, mode, dir string, round int) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), envCrash+"="+mode+":"+dir, fmt.Sprintf("%s=%d", envRound, round))
	return cmd
}

// runAndKill lets a child acknowledge some entries, kills it, and returns the acknowledged ones by shard.
func runAndKill(t *testing.T, dir string, round int, acked []map[string]bool) {
	t.Helper()
	cmd := command(t, "propose", dir, round)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for enough := 50 + rand.IntN(300); enough > 0 && lines.Scan(); enough-- {
		if enough == 1 {
			_ = cmd.Process.Kill() // read on: what is in the pipe was acknowledged, too
			enough = 1 << 30
		}
		var shard int
		var who string
		var i int
		if _, err := fmt.Sscanf(lines.Text(), "%d %s %d", &shard, &who, &i); err != nil {
			continue // torn by the end
		}
		acked[shard][fmt.Sprintf("%s %d", who, i)] = true
	}
	_ = cmd.Wait()
	if stderr.Len() > 0 {
		t.Fatalf("child: %s", stderr.String())
	}
}

func TestKill(t *testing.T) {
	dir := t.TempDir()
	acked := []map[string]bool{{}, {}}
	rounds := 10
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		runAndKill(t, dir, round, acked)
		o := crashOptions(dir)
		o.Fatal = func(err error) { t.Errorf("fatal: %v", err) }
		n, ts := start(t, o)
		ts.ready(t)
		for shard, p := range ts {
			checkTape(t, p.strings(), acked[shard])
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
		stop(t, n)
	}
	if len(acked[0]) < rounds || len(acked[1]) < rounds {
		t.Errorf("only %d and %d entries were acknowledged: nothing was tried", len(acked[0]), len(acked[1]))
	}
}

// checkTape wants every acknowledged entry once, and each caller's entries in order without a hole.
func checkTape(t *testing.T, got []string, acked map[string]bool) {
	t.Helper()
	next, seen := make(map[string]int), make(map[string]bool, len(got))
	for _, d := range got {
		who, num, _ := strings.Cut(d, " ")
		if num != fmt.Sprint(next[who]) {
			t.Errorf("caller %s: entry %s where %d was due", who, num, next[who])
			return
		}
		next[who]++
		seen[d] = true
	}
	for a := range acked {
		if !seen[a] {
			t.Errorf("acknowledged entry %q is gone", a)
		}
	}
}

// TestPanicStopsTheProcess: a state machine that cannot go on must not be answered for.
func TestPanicStopsTheProcess(t *testing.T) {
	out, err := command(t, "panic", t.TempDir(), 0).CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("the state is broken")) {
		t.Errorf("the child went on: %v\n%s", err, out)
	}
	if bytes.Contains(out, []byte("0 0.0 0\n")) {
		t.Error("the entry was acknowledged")
	}
}

func TestOneProcessAtATime(t *testing.T) {
	dir := t.TempDir()
	cmd := command(t, "hold", dir, 0)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	if !bufio.NewScanner(out).Scan() {
		t.Fatal("the child said nothing")
	}
	o := crashOptions(dir)
	if _, err := Start(o, newTapes(2).pump); err == nil || !strings.Contains(err.Error(), "already in use") {
		t.Errorf("second process: %v", err)
	}
}
