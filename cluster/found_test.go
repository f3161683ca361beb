package cluster

import (
	"testing"

	"github.com/catraca/catraca/storage"
)

// The power fails between the two writes by which raft founds a shard.
func TestFoundingCutShort(t *testing.T) {
	for _, c := range []struct {
		name  string
		voted bool
		leads bool
	}{
		{"term and nothing else", false, true},
		{"it has voted: others may count on it", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t, t.TempDir())
			o.Shards = 1
			store, err := storage.Open(storage.Options{Dir: o.Dir, NodeID: o.NodeID, Shards: 1, Preallocate: -1, Fatal: o.Fatal})
			if err != nil {
				t.Fatal(err)
			}
			if err := store.Shard(0).SetUint64([]byte(keyTerm), 1); err != nil {
				t.Fatal(err)
			}
			if c.voted {
				if err := store.Shard(0).Set([]byte(keyCandidate), []byte("n2")); err != nil {
					t.Fatal(err)
				}
			}
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
			n, ts := start(t, o)
			if !c.leads {
				if v := n.Status()[0].Voters; len(v) != 0 {
					t.Errorf("it was founded over what it had promised: voters %q", v)
				}
				return
			}
			ts.ready(t)
			propose(t, n, 0, "first")
		})
	}
}
