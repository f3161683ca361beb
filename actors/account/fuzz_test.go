package account

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

func seedCommands() []Command {
	return []Command{
		{Op: OpTick},
		person(1),
		{Op: OpSessionOpen, Key: Key{1}, Body: [16]byte{2}, Account: 1, TokenHash: token(1), Expires: 99_000},
		{Op: OpRoleSet, Actor: 1, Account: 2, Role: RoleGate, Reason: "gate C"},
		rehearsal(),
		{Op: OpEventPut, Slug: "s", Name: "S", Summary: bytes.Repeat([]byte("x"), 300), Pinned: true, Shard: 2},
		{Op: OpMintFans, Event: 1, Count: 3, Seed: token(2), Lang: "en", Expires: 99_000},
		{Op: OpAudit, Action: "sale.open", Target: "event/1", Detail: "d", Before: token(3), After: token(4)},
		{Op: OpKeyPut, Slug: "k", Public: []byte("abc")},
		{Op: OpEpoch, Count: 2, Reason: "a backup was restored"},
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range seedCommands() {
		f.Add(AppendCommand(nil, &c))
	}
	f.Add([]byte{})
	f.Add([]byte{1, 2, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var d Decoder
		c, err := d.Decode(b)
		if err != nil {
			if !errors.Is(err, ErrEncoding) {
				t.Fatalf("error %v does not wrap %v", err, ErrEncoding)
			}
			return
		}
		if again := AppendCommand(nil, c); !bytes.Equal(again, b) {
			t.Fatalf("%x is a second encoding of %x", b, again)
		}
	})
}

// Bytes are a log: length, command, length, command. Whatever they say, the machine answers and stays sound.
func FuzzDo(f *testing.F) {
	var log []byte
	for _, c := range seedCommands() {
		b := AppendCommand(nil, &c)
		log = append(binary.AppendUvarint(log, uint64(len(b))), b...)
	}
	f.Add(log, int64(1000))
	f.Fuzz(func(t *testing.T, log []byte, at int64) {
		s := New(3)
		s.Begin(1, at)
		for len(log) > 0 {
			n, used := binary.Uvarint(log)
			if used <= 0 || n > uint64(len(log)-used) {
				break
			}
			_, _ = s.Command(log[used : used+int(n)])
			log = log[used+int(n):]
		}
		if err := s.End(); err != nil {
			t.Fatal(err)
		}
		verified(t, s)
		reborn(t, s)
	})
}

func FuzzRestore(f *testing.F) {
	f.Add(New(1).AppendSnapshot(nil))
	s := New(3)
	s.Begin(1, 1000)
	for _, c := range seedCommands() {
		s.Do(&c)
	}
	f.Add(s.AppendSnapshot(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Restore(b)
		if err != nil {
			return
		}
		if !bytes.Equal(s.AppendSnapshot(nil), b) {
			t.Fatal("a second encoding of one state")
		}
		s.Begin(s.Index()+1, s.Clock()+60_000)
		for _, c := range seedCommands() {
			s.Do(&c)
		}
		if err := s.End(); err != nil {
			t.Fatal(err)
		}
		verified(t, s)
	})
}

// Every prefix and every single changed byte of a snapshot is refused with an error or gives a sound state.
func TestRestoreOfDamagedSnapshots(t *testing.T) {
	snap := full(t).AppendSnapshot(nil)
	for n := range snap {
		if _, err := Restore(snap[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes were taken for a snapshot", n, len(snap))
		}
		b := bytes.Clone(snap)
		b[n] ^= 0x41
		if s, err := Restore(b); err == nil {
			verified(t, s)
		}
	}
	if _, err := Restore(append(snap, 0)); !errors.Is(err, ErrEncoding) {
		t.Fatalf("a byte too many: %v", err)
	}
}
