package storagetest

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
)

const (
	envChild = "CATRACA_STORAGETEST_CHILD" // test name and folder a child process is to write in

	killRounds    = 5
	killMinSteps  = 20
	killMoreSteps = 200
)

// Child runs instead of the tests in a process that the crash test of the test called name has started, and then
// returns true. TestMain calls it first.
func Child(name string, f Factory) bool {
	test, dir, ok := strings.Cut(os.Getenv(envChild), " ")
	if !ok || test != name {
		return false
	}
	shards, _, err := f.Open(dir)
	if err != nil {
		panic(err)
	}
	say := make(chan string)
	for i, s := range shards {
		go appendForEver(i, s, say)
	}
	for line := range say {
		fmt.Println(line) // written at once: os.Stdout has no buffer
	}
	return true
}

// appendForEver writes entries, takes some back and cuts some off, and reports every acknowledged step: shard, first,
// last, and the last entry's term, which is also the last vote.
func appendForEver(id int, s Store, say chan<- string) {
	must := func(err error) {
		if err != nil && !isNone(err) {
			panic(err)
		}
	}
	term, err := s.GetUint64([]byte("LastVoteTerm"))
	must(err)
	for {
		term++
		must(s.SetUint64([]byte("LastVoteTerm"), term))
		must(s.Set([]byte("LastVoteCand"), fmt.Append(nil, "candidate of ", term)))
		first, _ := s.FirstIndex()
		last, _ := s.LastIndex()
		if term%7 == 0 && last-first > 30 {
			must(s.DeleteRange(last-3, last))
			last -= 4
		}
		logs := Entries(last+1, last+1+rand.Uint64N(8), term)
		must(s.StoreLogs(logs))
		last = logs[len(logs)-1].Index
		if last-first > 200 {
			must(s.DeleteRange(first, last-100))
		}
		first, _ = s.FirstIndex()
		say <- fmt.Sprintf("%d %d %d %d", id, first, last, term)
	}
}

type acked struct{ first, last, term uint64 }

// testKilled kills a writing process again and again and looks whether everything it had acknowledged is there.
func testKilled(t *testing.T, h *house) {
	h.close = func() error { return nil }
	rounds := killRounds
	if testing.Short() {
		rounds = 2
	}
	steps := 0
	for round := range rounds {
		said := killOnce(t, h.dir)
		for i, s := range h.open(t) {
			steps += len(said[i])
			checkKilled(t, i, s, said[i])
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
		must(t, h.close())
		h.close = func() error { return nil }
	}
	if steps < killMinSteps/2*rounds {
		t.Errorf("only %d steps were acknowledged: nothing was tried", steps)
	}
}

func killOnce(t *testing.T, dir string) map[int][]acked {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	top, _, _ := strings.Cut(t.Name(), "/")
	cmd.Env = append(os.Environ(), envChild+"="+top+" "+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	said := make(map[int][]acked)
	lines := bufio.NewScanner(out)
	for left := killMinSteps + rand.IntN(killMoreSteps); lines.Scan(); left-- {
		var shard int
		var a acked
		if n, _ := fmt.Sscan(lines.Text(), &shard, &a.first, &a.last, &a.term); n == 4 {
			said[shard] = append(said[shard], a)
		}
		if left == 0 {
			_ = cmd.Process.Kill() // and read on: what is in the pipe was acknowledged, too
		}
	}
	_ = cmd.Wait() // killed
	if stderr.Len() > 0 {
		t.Fatalf("child: %s", stderr.String())
	}
	return said
}

// tookBack says whether the log was taken back to kept and nothing else: what comes after it, if anything, was written
// by the step of that term before it could be acknowledged.
func tookBack(t *testing.T, s Store, kept, term uint64) bool {
	t.Helper()
	last, err := s.LastIndex()
	must(t, err)
	for i := kept + 1; i <= last; i++ {
		var l raft.Log
		must(t, s.GetLog(i, &l))
		if l.Term != term {
			return false
		}
	}
	return last >= kept
}

// checkKilled: at most one step beyond the last acknowledged one may have happened.
func checkKilled(t *testing.T, id int, s Store, said []acked) {
	t.Helper()
	if len(said) == 0 {
		return
	}
	was := said[len(said)-1]
	first, err := s.FirstIndex()
	must(t, err)
	last, err := s.LastIndex()
	must(t, err)
	vote, err := s.GetUint64([]byte("LastVoteTerm"))
	must(t, err)
	cand, err := s.Get([]byte("LastVoteCand"))
	must(t, err)
	if vote != was.term && vote != was.term+1 {
		t.Errorf("shard %d: vote is of term %d, acknowledged was %d", id, vote, was.term)
	}
	if string(cand) != fmt.Sprint("candidate of ", vote) {
		t.Errorf("shard %d: vote in %d is for %q", id, vote, cand)
	}
	if last < was.last && (vote != was.term+1 || vote%7 != 0 || !tookBack(t, s, was.last-4, vote)) {
		t.Errorf("shard %d: the log ends at %d, acknowledged was %d", id, last, was.last)
	}
	if first != was.first && (first < was.first || vote != was.term+1) {
		t.Errorf("shard %d: the log begins at %d, acknowledged was %d", id, first, was.first)
	}
	for i := first; i <= last; i++ {
		var l raft.Log
		if err := s.GetLog(i, &l); err != nil {
			t.Fatalf("shard %d: entry %d of %d to %d: %v", id, i, first, last, err)
		}
		if want := Entry(i, l.Term); !bytes.Equal(l.Data, want.Data) || l.Term > vote {
			t.Errorf("shard %d: entry %d is %q of term %d", id, i, l.Data, l.Term)
		}
	}
}
