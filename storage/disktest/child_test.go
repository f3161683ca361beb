package disktest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/catraca/catraca/cluster"
)

const (
	envChild   = "CATRACA_DISK_CHILD" // id|folder|life|id=address,…
	shards     = 2
	exitBroken = 70 // the disk has failed, and the process has noticed
)

// child runs instead of the tests in a process that a test has started: a node of a cluster that tells what it has on
// its disk, and then what is acknowledged to it, until it is killed.
func child() bool {
	words := strings.Split(os.Getenv(envChild), "|")
	if len(words) != 4 {
		return false
	}
	o := cluster.Options{
		NodeID: words[0], ClusterID: "forgetful", Dir: words[1], Shards: shards, Preallocate: -1,
		// Snapshots all the time, so that the cut comes in the middle of one, too.
		SnapshotInterval: 20 * time.Millisecond, SnapshotEntries: 100, TrailingEntries: 20,
		StallTransfer: time.Second, StallFatal: 3 * time.Second,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Fatal: func(err error) {
			fmt.Fprintln(os.Stderr, "fatal:", err)
			os.Exit(exitBroken)
		},
	}
	for p := range strings.SplitSeq(words[3], ",") {
		id, address, _ := strings.Cut(p, "=")
		o.Peers = append(o.Peers, cluster.Peer{ID: id, Address: address})
		if id == o.NodeID {
			o.Listen = address
		}
	}
	out := &teller{w: bufio.NewWriter(os.Stdout)}
	n, err := cluster.Start(o, func(i int) cluster.Pump { return &tape{shard: i, out: out} })
	if err != nil {
		fmt.Fprintln(os.Stderr, "start:", err)
		os.Exit(1)
	}
	proposeForEver(n, out, words[0]+"."+words[2])
	return true
}

// teller writes whole lines.
type teller struct {
	mu sync.Mutex
	w  *bufio.Writer
}

func (t *teller) line(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = fmt.Fprintf(t.w, format+"\n", args...)
	_ = t.w.Flush()
}

// proposeForEver tells what has been acknowledged. A caller whose outcome is not known is heard of no more.
func proposeForEver(n *cluster.Node, out *teller, who string) {
	for caller := range 2 * shards {
		go func() {
			shard, life, i := caller%shards, 0, 0
			for {
				data := fmt.Sprintf("%s.%d.%d %d", who, caller, life, i)
				f, err := n.Propose(shard, []byte(data), time.Second)
				if err == nil {
					err = f.Wait(context.Background())
				}
				switch {
				case err == nil:
					out.line("ack %d %s", shard, data)
					i++
				case errors.Is(err, cluster.ErrUnknown):
					life, i = life+1, 0
				default: // surely not in the log
					time.Sleep(10 * time.Millisecond)
				}
			}
		}()
	}
	select {}
}

// tape is a pump that remembers what it was handed, and tells it.
type tape struct {
	shard int
	out   *teller

	mu   sync.Mutex
	data []string
}

// Apply implements cluster.Pump.
func (t *tape) Apply(_, _ uint64, data []byte) {
	t.mu.Lock()
	t.data = append(t.data, string(data))
	t.mu.Unlock()
	t.out.line("have %d %s", t.shard, data)
}

func (t *tape) all() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clip(t.data)
}

// Snapshot implements cluster.Pump.
func (t *tape) Snapshot() (cluster.Snapshot, error) {
	var b []byte
	for _, d := range t.all() {
		b = binary.BigEndian.AppendUint32(b, uint32(len(d)))
		b = append(b, d...)
	}
	return picture{bytes.NewReader(b)}, nil
}

type picture struct{ *bytes.Reader }

// Release implements cluster.Snapshot.
func (picture) Release() {}

// Restore implements cluster.Pump.
func (t *tape) Restore(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = nil
	for len(b) > 0 {
		n := 4 + binary.BigEndian.Uint32(b)
		t.data = append(t.data, string(b[4:n]))
		b = b[n:]
	}
	t.out.line("anew %d", t.shard)
	for _, d := range t.data {
		t.out.line("have %d %s", t.shard, d)
	}
	return nil
}

// LeaderReady implements cluster.Pump.
func (*tape) LeaderReady(uint64) {}

// LeaderLost implements cluster.Pump.
func (*tape) LeaderLost() {}
