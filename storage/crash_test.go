package storage

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"github.com/hashicorp/raft"

	"github.com/catraca/catraca/storage/storagetest"
)

const envCrash = "CATRACA_STORAGE_CHILD" // the folder a child process is to write in

// child runs instead of the tests in a process that a test has started.
func child() bool {
	dir := os.Getenv(envCrash)
	if dir == "" {
		return false
	}
	s, err := Open(Options{Dir: dir, NodeID: "n1", Shards: 3, Preallocate: -1, Fatal: func(err error) { panic(err) }})
	if err != nil {
		panic(err)
	}
	say := make(chan string)
	for i := range s.opt.Shards {
		go appendForEver(s.Shard(i), say)
	}
	for line := range say {
		fmt.Println(line) // written at once: os.Stdout has no buffer
	}
	return true
}

// appendForEver writes entries, takes some back and cuts some off, and reports every acknowledged step: shard, first,
// last, and the last entry's term, which is also the last vote.
func appendForEver(sh *Shard, say chan<- string) {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	term, err := sh.GetUint64([]byte("LastVoteTerm"))
	must(err)
	for {
		term++
		must(sh.SetUint64([]byte("LastVoteTerm"), term))
		must(sh.Set([]byte("LastVoteCand"), fmt.Append(nil, "candidate of ", term)))
		first, _ := sh.FirstIndex()
		last, _ := sh.LastIndex()
		if term%7 == 0 && last-first > 30 {
			must(sh.DeleteRange(last-3, last))
			last -= 4
		}
		logs := storagetest.Entries(last+1, last+1+rand.Uint64N(8), term)
		must(sh.StoreLogs(logs))
		last = logs[len(logs)-1].Index
		if last-first > 200 {
			must(sh.DeleteRange(first, last-100))
		}
		first, _ = sh.FirstIndex()
		say <- fmt.Sprintf("%d %d %d %d", sh.id, first, last, term)
	}
}

type acked struct{ first, last, term uint64 }

func TestKill(t *testing.T) {
	dir := t.TempDir()
	rounds := 10
	if testing.Short() {
		rounds = 2
	}
	steps := 0
	for round := range rounds {
		said := killOnce(t, dir)
		s := open(t, options(t, dir))
		for i := range s.opt.Shards {
			steps += len(said[i])
			checkKilled(t, s.Shard(i), said[i])
		}
		if n, err := s.Scrub(t.Context()); err != nil || n == 0 {
			t.Errorf("scrub of %d entries: %v", n, err)
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if steps < 10*rounds {
		t.Errorf("only %d steps were acknowledged: nothing was tried", steps)
	}
}

func killOnce(t *testing.T, dir string) map[int][]acked {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), envCrash+"="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(map[int][]acked)
	lines := bufio.NewScanner(out)
	for left := 20 + rand.IntN(200); lines.Scan(); left-- {
		var shard int
		var a acked
		if n, _ := fmt.Sscan(lines.Text(), &shard, &a.first, &a.last, &a.term); n == 4 {
			said[shard] = append(said[shard], a)
		}
		if left == 0 {
			_ = cmd.Process.Kill() // and read on: what is in the pipe was acknowledged, too
		}
	}
	_ = cmd.Wait()
	if stderr.Len() > 0 {
		t.Fatalf("child: %s", stderr.String())
	}
	return said
}

// tookBack says whether the log was taken back to kept and nothing else: what comes after it, if anything, was written
// by the step of that term before it could be acknowledged.
func tookBack(t *testing.T, sh *Shard, kept, term uint64) bool {
	t.Helper()
	last, _ := sh.LastIndex()
	for i := kept + 1; i <= last; i++ {
		var l raft.Log
		if err := sh.GetLog(i, &l); err != nil {
			t.Fatalf("shard %d: entry %d: %v", sh.id, i, err)
		}
		if l.Term != term {
			return false
		}
	}
	return last >= kept
}

// checkKilled: at most one step beyond the last acknowledged one may have happened.
func checkKilled(t *testing.T, sh *Shard, said []acked) {
	t.Helper()
	if len(said) == 0 {
		return
	}
	was := said[len(said)-1]
	first, _ := sh.FirstIndex()
	last, _ := sh.LastIndex()
	vote, err := sh.GetUint64([]byte("LastVoteTerm"))
	if err != nil {
		t.Fatal(err)
	}
	cand, _ := sh.Get([]byte("LastVoteCand"))
	if vote != was.term && vote != was.term+1 {
		t.Errorf("shard %d: vote is of term %d, acknowledged was %d", sh.id, vote, was.term)
	}
	if string(cand) != fmt.Sprint("candidate of ", vote) {
		t.Errorf("shard %d: vote in %d is for %q", sh.id, vote, cand)
	}
	if last < was.last && (vote != was.term+1 || vote%7 != 0 || !tookBack(t, sh, was.last-4, vote)) {
		t.Errorf("shard %d: the log ends at %d, acknowledged was %d", sh.id, last, was.last)
	}
	if first != was.first && (first < was.first || vote != was.term+1) {
		t.Errorf("shard %d: the log begins at %d, acknowledged was %d", sh.id, first, was.first)
	}
	for i := first; i <= last; i++ {
		var l raft.Log
		if err := sh.GetLog(i, &l); err != nil {
			t.Fatalf("shard %d: entry %d of %d to %d: %v", sh.id, i, first, last, err)
		}
		if want := storagetest.Entry(i, l.Term); string(l.Data) != string(want.Data) || l.Term > vote {
			t.Errorf("shard %d: entry %d is %q of term %d", sh.id, i, l.Data, l.Term)
		}
	}
}
