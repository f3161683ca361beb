package cluster

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/catraca/catraca/storage"
)

// TestRejoin finds data marked, and sets it aside for what the others have.
func TestRejoin(t *testing.T) {
	h := three(t, func(o *Options) { o.Rejoin, o.TrailingEntries = true, 1 })
	h.propose(0, "one", "a")
	h.propose(0, "two", "a")
	h.expect(0, []string{"one", "two"}, "a", "b", "c")
	stop(t, h.nodes["b"])
	if err := storage.Mark(h.opts["b"].Dir, "a test says so"); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(func() Options { o := h.opts["b"]; o.Rejoin = false; return o }(), newTapes(2).pump); !errors.Is(err, storage.ErrMarked) {
		t.Errorf("without leave to rejoin: %v", err)
	}
	h.start("b")
	h.until("the new incarnation to be known", func() bool { return h.member("a", "b").ServerID == "b~2" })
	h.voters([]string{"a", "b", "c"}, "a", "b", "c")
	h.until("the old incarnation to be gone", func() bool {
		for _, s := range h.nodes["a"].groups[0].servers() {
			if s.ID == "b" {
				return false
			}
		}
		return true
	})
	h.propose(0, "three", "b")
	h.expect(0, []string{"one", "two", "three"}, "a", "b", "c")
	if aside, _ := filepath.Glob(h.opts["b"].Dir + ".aside-*"); len(aside) != 1 {
		t.Errorf("set aside: %q", aside)
	}

	stop(t, h.nodes["b"]) // it stays what it is
	h.start("b")
	h.until("it to be back", h.nodes["b"].Ready)
	if id := h.nodes["b"].id; id != "b~2" {
		t.Errorf("restarted as %s", id)
	}
	if name, _, _ := h.nodes["b"].Leader(0); strings.Contains(name, "~") || name == "" {
		t.Errorf("the leader is called %q", name)
	}
}

// TestDamagedFile flips bits in the file itself.
func TestDamagedFile(t *testing.T) {
	h := three(t, func(o *Options) { o.Rejoin = true })
	h.propose(1, "precious", "a")
	h.expect(1, []string{"precious"}, "a", "b", "c")
	stop(t, h.nodes["c"])
	path := filepath.Join(h.opts["c"].Dir, "raft.db")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.LastIndex(string(b), "precious")
	if at < 0 {
		t.Fatal("the entry is not in the file")
	}
	for at >= 0 { // every copy of it
		b[at] ^= 1
		at = strings.LastIndex(string(b), "precious")
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	h.start("c")
	h.until("c to come back as another", func() bool { return h.member("a", "c").ServerID == "c~2" })
	h.expect(1, []string{"precious"}, "c")
	h.voters([]string{"a", "b", "c"}, "a", "b", "c")
}

// TestWipedDisk loses everything on a node, also what it remembers of itself beside the data.
func TestWipedDisk(t *testing.T) {
	h := three(t, nil)
	h.propose(0, "kept", "a")
	h.expect(0, []string{"kept"}, "b")
	stop(t, h.nodes["b"])
	old := h.opts["b"].Dir
	o := h.opts["b"]
	o.Dir = filepath.Join(t.TempDir(), "raft")
	h.opts["b"] = o
	h.start("b")
	if id := h.nodes["b"].id; id != "b~2" {
		t.Errorf("an empty node took the id %s", id)
	}
	h.voters([]string{"a", "b", "c"}, "a", "b", "c")
	h.expect(0, []string{"kept"}, "b")

	stop(t, h.nodes["b"]) // and the old disk turns up again
	o.Dir = old
	n, _ := start(t, o)
	h.until("the old one to be refused", func() bool { return strings.Contains(refusedBy(n, "a"), "given up") })
	if n.Ready() {
		t.Error("the old incarnation is ready")
	}
}

// TestLostVote has the others hear of new data of b while the old data still has its vote, which nobody can cast.
func TestLostVote(t *testing.T) {
	h := three(t, nil)
	leader := h.leader("a", 0)
	victim := "b"
	if leader == victim {
		victim = "c"
	}
	if err := h.nodes[leader].Transfer(ctx(t), 0, leader); err != nil {
		t.Fatal(err)
	}
	n := h.nodes[leader]
	stop(t, h.nodes[victim])
	n.book.learn(true, bookNode{Name: victim, ServerID: serverID(victim, 2), Address: h.nodes[victim].address})
	st := n.Status()[0]
	if slices.Contains(st.Voters, victim) || len(st.Voters) != 2 || st.Lost != 1 {
		t.Errorf("voters %v, lost %d", st.Voters, st.Lost)
	}
	if m := h.member(leader, victim); m.ServerID != serverID(victim, 2) || m.Votes != 0 {
		t.Errorf("%+v", m)
	}
	if err := n.Transfer(ctx(t), 0, victim); err == nil || !strings.Contains(err.Error(), "no vote") {
		t.Errorf("handed to data that is gone: %v", err)
	}
}

// TestLostFolder takes the data folder from the founder of a cluster, which then must not found another.
func TestLostFolder(t *testing.T) {
	h := three(t, nil)
	h.propose(1, "kept", "b")
	stop(t, h.nodes["a"])
	if err := os.RemoveAll(h.opts["a"].Dir); err != nil {
		t.Fatal(err)
	}
	h.start("a")
	if id := h.nodes["a"].id; id != "a~2" {
		t.Errorf("an empty node took the id %s", id)
	}
	h.expect(1, []string{"kept"}, "a")
	h.voters([]string{"a", "b", "c"}, "a", "b", "c")
}

func TestNobodyToJoin(t *testing.T) {
	o := options(t, filepath.Join(t.TempDir(), "raft"))
	o.Join, o.pace = true, pace{probe: time.Millisecond, beat: 10 * time.Millisecond}
	if _, err := Start(o, newTapes(2).pump); err == nil || !strings.Contains(err.Error(), "must be named") {
		t.Errorf("join without seeds: %v", err)
	}
	o.Seeds = []Peer{{"n2", "127.0.0.1:1"}}
	if _, err := Start(o, newTapes(2).pump); err == nil || !strings.Contains(err.Error(), "answers") {
		t.Errorf("join with a dead seed: %v", err)
	}
}

// TestDiverged lets one of three report another state.
func TestDiverged(t *testing.T) {
	h := three(t, nil)
	good, bad := [32]byte{1}, [32]byte{2}
	h.nodes["a"].Hashed(0, 7, 100, good)
	h.nodes["b"].Hashed(0, 7, 100, bad)
	h.until("two to be too few for a verdict, but enough for a word", func() bool {
		return counterOf(t, h.nodes["a"]) == 1 && counterOf(t, h.nodes["b"]) == 1
	})
	h.mu.Lock()
	if len(h.fatal) > 0 {
		t.Errorf("stopped without a majority: %v", h.fatal)
	}
	h.mu.Unlock()
	h.nodes["c"].Hashed(0, 7, 100, good)
	h.nodes["c"].Hashed(9, 7, 100, bad) // no such shard
	h.until("b to stop", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(h.fatal["b"]) > 0
	})
	h.until("the others to have heard", func() bool {
		h.nodes["a"].hashes.mu.Lock()
		defer h.nodes["a"].hashes.mu.Unlock()
		return len(h.nodes["a"].hashes.known[stateKey{0, 7, 100}].by) == 3
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	d, ok := errors.AsType[*DivergedError](h.fatal["b"][0])
	if !ok || *d != (DivergedError{0, 7, 100}) || len(h.fatal["a"])+len(h.fatal["c"]) > 0 {
		t.Errorf("fatal: %v", h.fatal)
	}
	if reason, marked := storage.Marked(h.opts["b"].Dir); !marked || !strings.Contains(reason, "machine 7") {
		t.Errorf("the data of b is marked: %v, %q", marked, reason)
	}
}

func counterOf(t *testing.T, n *Node) int {
	t.Helper()
	return metricOf(t, n, "catraca_cluster_divergences_total")
}

func TestJudge(t *testing.T) {
	x, y, z := [32]byte{1}, [32]byte{2}, [32]byte{3}
	for _, c := range []struct {
		by       map[string][32]byte
		odd      []string
		majority bool
	}{
		{map[string][32]byte{"a": x}, nil, false},
		{map[string][32]byte{"a": x, "b": x, "c": x}, nil, false},
		{map[string][32]byte{"a": x, "b": y}, []string{"a", "b"}, false},
		{map[string][32]byte{"a": x, "b": y, "c": x}, []string{"b"}, true},
		{map[string][32]byte{"a": x, "b": y, "c": z}, []string{"a", "b", "c"}, false},
		{map[string][32]byte{"a": x, "b": y, "c": y, "d": x}, []string{"a", "b", "c", "d"}, false},
		{map[string][32]byte{"a": x, "b": y, "c": y, "d": y, "e": z}, []string{"a", "e"}, true},
	} {
		odd, majority := (&comparing{by: c.by}).judge()
		if !slices.Equal(odd, c.odd) || majority != c.majority {
			t.Errorf("%v: %v, %v", c.by, odd, majority)
		}
	}
}

// TestHashesAreBounded reports more states than are kept.
func TestHashesAreBounded(t *testing.T) {
	n := &Node{opt: Options{NodeID: "a", pace: hasty()}}
	h := newHashes(n)
	for i := range uint64(maxComparings + 100) {
		h.report(report{0, 1, i, make([]byte, 32)})
	}
	if len(h.known) != maxComparings || len(h.order) != maxComparings || len(h.fresh()) != maxReports {
		t.Errorf("%d states, %d in order, %d reports", len(h.known), len(h.order), len(h.fresh()))
	}
	h.hear("b", []report{{0, 1, 5000, []byte("short")}})
	if len(h.known) != maxComparings {
		t.Error("took a hash that is too short")
	}
}

// TestRecover loses two of three for good.
func TestRecover(t *testing.T) {
	h := three(t, nil)
	h.propose(0, "before", "a")
	h.expect(0, []string{"before"}, "a", "b", "c")
	if err := Recover(h.opts["a"], nil); !errors.Is(err, storage.ErrInUse) {
		t.Errorf("recover a running node: %v", err)
	}
	for _, name := range []string{"a", "b", "c"} {
		stop(t, h.nodes[name])
	}
	o := h.opts["a"]
	if err := Recover(o, []Peer{{"a", "x:1"}, {"b", "y:1"}}); err == nil || !strings.Contains(err.Error(), "exactly one") {
		t.Errorf("recover two: %v", err)
	}
	o.Dir = filepath.Join(t.TempDir(), "nothing")
	if err := Recover(o, nil); err == nil || !strings.Contains(err.Error(), "no data") {
		t.Errorf("recover nothing: %v", err)
	}
	if err := Recover(h.opts["a"], []Peer{{"a", "x:1"}}); err != nil {
		t.Fatal(err)
	}
	h.start("a")
	h.tapes["a"].ready(t)
	h.propose(0, "after", "a")
	h.voters([]string{"a"}, "a")
	h.expect(0, []string{"before", "after"}, "a")

	b := h.opts["b"] // with the data it had
	b.Seeds = []Peer{{"a", h.nodes["a"].Address()}}
	n, _ := start(t, b)
	h.until("b to be refused", func() bool { return strings.Contains(refusedBy(n, "a"), "given up") })
	stop(t, n)
	b.Dir = filepath.Join(t.TempDir(), "raft")
	h.opts["b"] = b
	h.start("b")
	h.until("b to follow", h.nodes["b"].Ready)
	h.expect(0, []string{"before", "after"}, "b")
}

// TestFull refuses proposals while there is no room, and only then.
func TestFull(t *testing.T) {
	o := options(t, filepath.Join(t.TempDir(), "raft"))
	o.MaxBytes, o.TrailingEntries = 16<<20, 1
	n, ts := start(t, o)
	ts.ready(t)
	big := make([]byte, 256<<10)
	full := false
	for i := range 100 {
		f, err := n.Propose(0, big, time.Second)
		if err == nil {
			err = f.Wait(context.Background())
		}
		if errors.Is(err, ErrFull) {
			full = true
			break
		}
		if err != nil && !errors.Is(err, ErrNotLeader) {
			t.Fatalf("entry %d: %v", i, err)
		}
	}
	if !full {
		t.Fatal("100 large entries found room in 16 MiB")
	}
	if !n.full.Load() || metricOf(t, n, "catraca_cluster_read_only") != 1 {
		t.Error("it does not say that it is read-only")
	}
	if _, err := n.Propose(1, []byte("small"), time.Second); !errors.Is(err, ErrFull) {
		t.Errorf("another shard: %v", err)
	}
	until(t, "the shard to have a leader still, or again", n.Ready)
	if err := n.Snapshot(0); err != nil { // cuts the log
		t.Fatal(err)
	}
	until(t, "proposals to be taken again", func() bool {
		f, err := n.Propose(1, []byte("small"), time.Second)
		return err == nil && f.Wait(context.Background()) == nil
	})
}

func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	(&house{t: t}).until(what, cond)
}

// refusedBy is why another node does not talk to this one.
func refusedBy(n *Node, by string) string {
	n.links.mu.Lock()
	defer n.links.mu.Unlock()
	if p := n.links.peers[by]; p != nil {
		return p.refused
	}
	return ""
}

// TestSeedAsLaterIncarnation restores a backup where a node has been that had rejoined.
func TestSeedAsLaterIncarnation(t *testing.T) {
	from := options(t, filepath.Join(t.TempDir(), "raft"))
	n, ts := start(t, from)
	ts.ready(t)
	propose(t, n, 0, "kept")
	propose(t, n, 1, "kept too")
	var backups [2]bytes.Buffer
	for i := range backups {
		if err := n.Backup(context.Background(), i, &backups[i]); err != nil {
			t.Fatal(err)
		}
	}
	stop(t, n)
	to := options(t, filepath.Join(t.TempDir(), "raft"))
	if err := openBook(&to).keep("the cluster before", 3); err != nil {
		t.Fatal(err)
	}
	err := Seed(to, func(i int) (io.ReadCloser, error) { return io.NopCloser(&backups[i]), nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	n, ts = start(t, to)
	ts.ready(t)
	if n.id != "n1~3" || !slices.Equal(ts[0].strings(), []string{"kept"}) {
		t.Errorf("%s has %q", n.id, ts[0].strings())
	}
}
