package cluster

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// FuzzMessage reads what another node may send, and what it may not.
func FuzzMessage(f *testing.F) {
	for _, m := range []*message{
		{Hello: &linkHello{Cluster: "c", From: "a~2", To: "b", Probe: true}},
		{Welcome: &linkWelcome{Refused: "no", Incarnation: 3}},
		{Frame: &statusFrame{ServerID: "a", Address: "x:1", Shards: []shardFrame{{State: 2, Term: 7, Leader: "a", Last: 9}}, Hashes: []report{{1, 2, 3, make([]byte, 32)}}}},
		{Gossip: &gossip{Nodes: []bookNode{{Name: "a", ServerID: "a", Address: "x:1", Stamp: 5}}, Gone: []string{"z"}}},
		{Ask: &ask{ID: 1, Kind: askDrain, Node: "a", On: true, Millis: 100}},
		{Answer: &answer{ID: 1, NotLeader: true}},
	} {
		b, err := encodeMessage(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0, 0, 0, 2, '[', ']'})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readMessage(bytes.NewReader(b))
		if err != nil || m == nil {
			return
		}
		again, err := encodeMessage(m)
		if err != nil {
			return // larger than a message may be
		}
		if _, err := readMessage(bytes.NewReader(again)); err != nil {
			t.Errorf("%q became %q, which cannot be read: %v", b, again, err)
		}
	})
}

// FuzzGreeting reads the beginning of a Raft connection.
func FuzzGreeting(f *testing.F) {
	f.Add(greeting{3, "cluster", "b~2", "a"}.encode())
	f.Add(greeting{}.encode())
	f.Add([]byte{0, 0, 0, 1, 255, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := readGreeting(bytes.NewReader(b))
		if err == nil && !bytes.HasPrefix(b, h.encode()) {
			t.Errorf("%x is read as %+v", b, h)
		}
	})
}

func TestServerID(t *testing.T) {
	for _, c := range []struct {
		id, name string
		inc      int
	}{
		{"a", "a", 1}, {"a~2", "a", 2}, {"a-b~17", "a-b", 17},
		{"a~1", "a", 0}, {"a~", "a", 0}, {"a~x", "a", 0}, {"a~02", "a", 0}, {"a~2~3", "a", 0}, {"", "", 1},
	} {
		name, inc := splitID(c.id)
		if name != c.name || inc != c.inc || nameOf(c.id) != c.name || incarnationOf(c.id) != c.inc {
			t.Errorf("%q is %q, %d", c.id, name, inc)
		}
		if inc > 0 && serverID(name, inc) != c.id {
			t.Errorf("%q became %q", c.id, serverID(name, inc))
		}
	}
}

func TestBook(t *testing.T) {
	o := options(t, filepath.Join(t.TempDir(), "raft"))
	o.Seeds = []Peer{{"a", "seed:1"}, {"b", "seed:2"}}
	o.Routes = map[string]string{"r": "route:1"}
	if err := o.complete(); err != nil {
		t.Fatal(err)
	}
	b := openBook(&o)
	at := func(name, want string) {
		t.Helper()
		if got, err := b.address(name); got != want {
			t.Errorf("%s is at %q, %v, want %q", name, got, err, want)
		}
	}
	at("a", "seed:1")
	at("r", "route:1")
	at("x", "")
	b.learn(true, bookNode{Name: "a", ServerID: "a", Address: "new:1", Stamp: 10})
	at("a", "new:1")
	b.doubt("a")
	at("a", "seed:1")
	b.doubt("a")
	for _, n := range []bookNode{
		{Name: "a", ServerID: "a", Address: "old:1", Stamp: 9},   // an older rumour
		{Name: "a", ServerID: "c", Address: "lie:1", Stamp: 99},  // another name
		{Name: "a", ServerID: "a~x", Address: "x:1", Stamp: 99},  // no incarnation
		{Name: "n1", ServerID: "n1", Address: "me:1", Stamp: 99}, // this node
		{Name: "a", ServerID: "a", Stamp: 99},                    // nowhere
	} {
		b.learn(false, n)
	}
	at("a", "new:1")
	b.learn(false, bookNode{Name: "a", ServerID: "a~2", Address: "second:1", Stamp: 5})
	at("a", "second:1")
	if err := b.bury("gone", ""); err != nil {
		t.Fatal(err)
	}
	b.learn(true, bookNode{Name: "gone", ServerID: "gone", Address: "grave:1"})
	at("gone", "")
	if err := b.keep("c1", 4); err != nil {
		t.Fatal(err)
	}
	if err := b.drain(true); err != nil {
		t.Fatal(err)
	}

	b = openBook(&o) // again
	at("a", "second:1")
	at("b", "seed:2")
	if _, gone, _ := b.all(); !slices.Equal(gone, []string{"gone"}) || !b.draining() || b.file.Cluster != "c1" || b.file.Incarnation != 4 {
		t.Errorf("read back: gone %q, %+v", gone, b.file)
	}
	if err := os.WriteFile(b.path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	b = openBook(&o)
	at("a", "seed:1")
}
