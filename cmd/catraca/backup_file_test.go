package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// sampleBackup is a file of shards with so many bytes each.
func sampleBackup(t testing.TB, sizes ...int) []byte {
	t.Helper()
	var out bytes.Buffer
	b, err := newBackupWriter(&out, backupHead{
		Format: backupFormat, Cluster: "c", Node: "n1", Version: "v", Time: time.UnixMilli(1).UTC(), Shards: len(sizes),
		Secrets: map[string][]byte{houseIDName: []byte("house\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range backupOrder(len(sizes)) {
		if err := b.shard(i, func(w io.Writer) error {
			_, err := w.Write(sampleShard(i, sizes[i]))
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func sampleShard(i, size int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, size) }

// readAll reads a file to its end.
func readAll(r io.Reader) (shards map[int][]byte, order []int, err error) {
	b, err := newBackupReader(r)
	if err != nil {
		return nil, nil, err
	}
	shards = map[int][]byte{}
	for {
		i, data, err := b.next()
		if errors.Is(err, io.EOF) {
			return shards, order, nil
		}
		if err != nil {
			return shards, order, err
		}
		if shards[i], err = io.ReadAll(data); err != nil {
			return shards, order, err
		}
		order = append(order, i)
	}
}

func TestBackupFile(t *testing.T) {
	sizes := []int{0, 1, maxBlock, 2*maxBlock + 7}
	file := sampleBackup(t, sizes...)
	shards, order, err := readAll(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(order); got != "[1 2 3 0]" {
		t.Errorf("the shards come as %s: the directory must be last", got)
	}
	for i, size := range sizes {
		if !bytes.Equal(shards[i], sampleShard(i, size)) {
			t.Errorf("shard %d has %d bytes, want %d", i, len(shards[i]), size)
		}
	}
	b, err := newBackupReader(bytes.NewReader(file))
	if err != nil || b.head.Cluster != "c" || string(b.head.Secrets[houseIDName]) != "house\n" {
		t.Fatalf("the head is %+v: %v", b.head, err)
	}
	if _, _, err = b.next(); err != nil {
		t.Fatal(err)
	}
	if _, _, err = b.next(); err == nil {
		t.Error("the next shard came before the one before was read")
	}
}

// No byte of a backup may be other, missing or more.
func TestBackupFileDamage(t *testing.T) {
	file := sampleBackup(t, 5, 9)
	for i := range file {
		bad := bytes.Clone(file)
		bad[i] ^= 1 << (i % 8)
		if _, _, err := readAll(bytes.NewReader(bad)); !errors.Is(err, errBackup) {
			t.Fatalf("byte %d is another, and: %v", i, err)
		}
		if _, _, err := readAll(bytes.NewReader(file[:i])); !errors.Is(err, errBackup) {
			t.Fatalf("only %d bytes are there, and: %v", i, err)
		}
	}
	if _, _, err := readAll(bytes.NewReader(append(bytes.Clone(file), 'x'))); !errors.Is(err, errBackup) {
		t.Errorf("something follows, and: %v", err)
	}
}

// A file must have every shard once, though each of its blocks is right.
func TestBackupFileWhole(t *testing.T) {
	put := func(int) func(io.Writer) error { return func(io.Writer) error { return nil } }
	for _, c := range []struct {
		name   string
		shards int
		write  []int
		ok     bool
	}{
		{"all", 2, []int{1, 0}, true},
		{"one missing", 3, []int{1, 0}, false},
		{"one twice", 2, []int{1, 1}, false},
		{"one too many", 2, []int{1, 0, 2}, false},
		{"none", 0, nil, false},
		{"beyond all bounds", maxBackupShard + 1, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			b, err := newBackupWriter(&out, backupHead{Format: backupFormat, Shards: c.shards})
			for _, i := range c.write {
				err = errors.Join(err, b.shard(i, put(i)))
			}
			if err = errors.Join(err, b.close()); err != nil {
				t.Fatal(err)
			}
			if _, _, err := readAll(&out); (err == nil) != c.ok {
				t.Errorf("read: %v", err)
			}
		})
	}
}

func FuzzBackupFile(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte(backupMagic))
	f.Add(sampleBackup(f, 3, 4))
	f.Add(sampleBackup(f, 0, 300))
	f.Fuzz(func(t *testing.T, data []byte) {
		shards, _, err := readAll(bytes.NewReader(data))
		if err != nil && !errors.Is(err, errBackup) {
			t.Fatalf("refused without saying that it is damaged: %v", err)
		}
		total := 0
		for _, s := range shards {
			total += len(s)
		}
		if total > len(data) {
			t.Fatalf("%d bytes were read from %d", total, len(data))
		}
	})
}

// Orders keep their numbers without a gap when a restored sale begins another epoch.
func TestMissingOrders(t *testing.T) {
	for _, c := range []struct {
		refs []string
		want string
	}{
		{nil, "[]"},
		{[]string{"o7-1", "o7-2"}, "[]"},
		{[]string{"o7-1", "o7-3"}, "[o7-2]"},
		{[]string{"o7-1", wire.OrderRef(7, 1<<orderNumberBits|2), wire.OrderRef(7, 3<<orderNumberBits|3)}, "[]"},
		{[]string{"o7-1", wire.OrderRef(7, 1<<orderNumberBits|3)}, "[o7-2]"},
		{[]string{wire.OrderRef(7, 2<<orderNumberBits|1), "o7-2"}, "[" + wire.OrderRef(7, 2<<orderNumberBits|2) + "]"},
		{[]string{"nonsense"}, "[with a good reference instead of nonsense]"},
	} {
		refs := map[string]bool{}
		for _, r := range c.refs {
			refs[r] = true
		}
		got := fmt.Sprint(missingOrders(refs))
		if got != c.want {
			t.Errorf("of %v: %s, want %s", c.refs, got, c.want)
		}
	}
}
