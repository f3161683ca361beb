package storage

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"

	"github.com/catraca/catraca/storage/storagetest"
)

// change edits the file behind the store's back, the way a bad disk would, but through bbolt.
func change(t *testing.T, dir string, edit func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, fileName), 0o600, &bbolt.Options{NoFreelistSync: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		sealed := tx.Bucket(metaBucket()).Get(sealKey()) != nil
		if err := edit(tx); err != nil {
			return err
		}
		if b := tx.Bucket(metaBucket()); sealed && b.Get(sealKey()) != nil {
			return seal(tx) // this transaction does not count
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func flipValue(bucket []byte, key []byte, at int) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket)
		v := bytes.Clone(b.Get(key))
		v[at] ^= 4
		return b.Put(key, v)
	}
}

func TestDamageIsNamed(t *testing.T) {
	const old, tail = 100, 1200 // the first is not read when the file is opened
	remove := func(bucket, key []byte) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Delete(key) }
	}
	shard := binary.BigEndian.AppendUint32(nil, 1)
	for _, c := range []struct {
		name   string
		edit   func(*bbolt.Tx) error
		atOpen bool
		index  uint64
		key    string
	}{
		{"old value", flipValue(logBucket(1), indexKey(old), 40), false, old, ""},
		{"old header", flipValue(logBucket(1), indexKey(old), 9), false, old, ""},
		{"old entry is gone", remove(logBucket(1), indexKey(old)), false, old, ""},
		{"value in the tail", flipValue(logBucket(1), indexKey(tail), 40), true, tail, ""},
		{"entry in the tail is gone", remove(logBucket(1), indexKey(tail)), true, tail, ""},
		{"last entry is gone", remove(logBucket(1), indexKey(tail+10)), true, tail + 10, ""},
		{"first entry is gone", remove(logBucket(1), indexKey(1)), true, 1, ""},
		{"extent", flipValue(metaBucket(), shard, 12), true, 0, "extent"},
		{"extent is gone", remove(metaBucket(), shard), true, 0, "extent"},
		{"seal is gone", remove(metaBucket(), sealKey()), true, 0, "meta"},
		{"vote", flipValue(stableBucket(), shard, 30), true, 0, "stable"},
		{"vote is gone", remove(stableBucket(), shard), true, 0, "stable"},
		{"vote is an old one", func(tx *bbolt.Tx) error {
			return putStable(tx, 1, 0, map[string][]byte{keyVoteCandidate: []byte("n3")})
		}, true, 0, "stable"},
		{"name of the node", flipValue(identityBucket(), []byte("node"), 5), true, 0, "identity node"},
		{"bucket is gone", func(tx *bbolt.Tx) error { return tx.DeleteBucket(logBucket(1)) }, true, 0, "log"},
		{"stable values are gone", func(tx *bbolt.Tx) error { return tx.DeleteBucket(stableBucket()) }, true, 0, "stable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t, t.TempDir())
			var fatal []error
			o.Fatal = func(err error) { fatal = append(fatal, err) }
			writeLog(t, o, tail+10)
			change(t, o.Dir, c.edit)

			s, err := Open(o)
			if c.atOpen {
				expectDamage(t, err, c.index, c.key)
				expectMarked(t, o)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var l raft.Log
			expectDamage(t, s.Shard(1).GetLog(c.index, &l), c.index, "")
			if l.Data != nil {
				t.Errorf("damaged data was handed out: %q", l.Data)
			}
			if len(fatal) != 1 {
				t.Errorf("fatal was called %d times: %v", len(fatal), fatal)
			}
			expectMarked(t, o)
			if n, err := s.Scrub(context.Background()); n < tail {
				t.Errorf("scrub read %d entries, %v", n, err)
			} else {
				expectDamage(t, err, c.index, "")
			}
			if err := s.Shard(1).GetLog(c.index+1, &l); err != nil {
				t.Errorf("the entry behind it: %v", err)
			}
		})
	}
}

// writeLog makes a file with a log and a vote in shard 1.
func writeLog(t *testing.T, o Options, last uint64) {
	t.Helper()
	s := open(t, o)
	sh := s.Shard(1)
	err := errors.Join(sh.StoreLogs(storagetest.Entries(1, last, 3)),
		sh.SetUint64([]byte(keyVoteTerm), 3), sh.Set([]byte(keyVoteCandidate), []byte("n2")), s.Close())
	if err != nil {
		t.Fatal(err)
	}
}

func expectMarked(t *testing.T, o Options) {
	t.Helper()
	if reason, ok := Marked(o.Dir); !ok || !strings.Contains(reason, "is damaged") {
		t.Errorf("the mark says %q", reason)
	}
	if _, err := Open(o); !errors.Is(err, ErrMarked) {
		t.Errorf("another opening: %v, want ErrMarked", err)
	}
}

func expectDamage(t *testing.T, err error, index uint64, key string) {
	t.Helper()
	var bad *DamageError
	if !errors.As(err, &bad) || bad.Index != index || bad.Key != key {
		t.Fatalf("error is %v, want damage of entry %d %s", err, index, key)
	}
	if !strings.Contains(err.Error(), "is damaged") || !strings.Contains(err.Error(), fileName) {
		t.Errorf("the text is of little help: %v", err)
	}
}

// TestDamagedHead: bbolt would go back by one commit and say nothing.
func TestDamagedHead(t *testing.T) {
	o := options(t, t.TempDir())
	s := open(t, o)
	for i := uint64(1); i <= 9; i++ {
		if err := s.Shard(0).StoreLog(storagetest.Entry(i, 1)); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	for head := range int64(2) {
		f, err := os.OpenFile(o.path(), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		at := head*int64(os.Getpagesize()) + headAt + 50 // in the number of the transaction
		var b [1]byte
		flip := func() {
			_, err := f.ReadAt(b[:], at)
			b[0] ^= 1
			if _, err2 := f.WriteAt(b[:], at); err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
		}
		flip()
		_, err = Open(o)
		expectDamage(t, err, 0, "head")
		expectMarked(t, o)
		allow := o
		allow.AllowLostCommit = true
		s, err := Open(allow)
		if err != nil {
			t.Fatal(err)
		}
		if last, _ := s.Shard(0).LastIndex(); last != 8 && last != 9 {
			t.Errorf("head %d: the log ends at %d", head, last)
		}
		s.Close()
		flip()
		f.Close()
	}
	if last, _ := open(t, o).Shard(0).LastIndex(); last != 9 {
		t.Errorf("the log ends at %d, want 9", last)
	}
}
