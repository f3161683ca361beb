package sequencer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

func TestTwoCreators(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var added []uint32
		d := newDesk(t, func(o *Options[*ledger, int]) {
			o.Added = func(h *Handle[*ledger, int]) { added = append(added, h.ID()) }
		})
		done := make(chan error, 2)
		for _, blob := range []string{"first", "second"} {
			go func() { done <- d.shard.Create(context.Background(), 3, []byte(blob)) }()
			synctest.Wait()
		}
		for d.commit() {
		}
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
		h, _ := d.shard.Get(3)
		if got := lines(t, h); !slices.Equal(got, []string{"first"}) || !slices.Equal(added, []uint32{3}) {
			t.Errorf("lines %q, added %v", got, added)
		}
	})
}

func TestCreateFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := newDesk(t, nil)
		d.tape.set(func(l *tape) { l.refuse = ErrNotLeader })
		if err := d.shard.Create(t.Context(), 1, nil); !errors.Is(err, ErrNotLeader) {
			t.Errorf("without a leader: %v", err)
		}
		d.tape.set(func(l *tape) { l.refuse = nil })
		if err := d.shard.Create(t.Context(), 1, make([]byte, MaxCommandBytes+1)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("from too much: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := d.shard.Create(ctx, 1, []byte("x")); !errors.Is(err, context.Canceled) {
			t.Errorf("given up: %v", err)
		}
		go func() { _ = d.shard.Create(context.Background(), 2, []byte("bad")) }()
		synctest.Wait()
		for d.commit() {
		}
		if got := d.fatal(); len(got) != 1 || !strings.Contains(got[0].Error(), "create machine 2") {
			t.Errorf("a blob that no machine can be made from: %v", got)
		}
	})
}

func TestUnreadableEntryStopsTheProcess(t *testing.T) {
	whole := EncodeEntry(Header{Kind: KindBatch, Machine: 1}, []byte("a"))
	wrong := EncodeEntry(Header{Kind: KindBatch, Machine: 1}, []byte("a"))
	sealEntry(wrong, Header{Kind: KindBatch, Machine: 1, Count: 2})
	cut := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(cut[headerSize:], 9)
	sealEntry(cut, Header{Kind: KindBatch, Machine: 1, Count: 1})
	for name, data := range map[string][]byte{
		"empty": {}, "flipped": append(bytes.Clone(whole[:len(whole)-1]), 'b'), "no machine": EncodeEntry(Header{Kind: KindBatch, Machine: 2}),
		"count": wrong, "length": cut, "create without a blob": EncodeEntry(Header{Kind: KindCreate, Machine: 5}),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d, _ := made(t, nil)
				d.shard.Apply(10, 1, data)
				synctest.Wait()
				d.shard.Apply(11, 1, whole) // nothing is applied over a gap
				d.shard.Apply(12, 1, []byte("x"))
				synctest.Wait()
				if got := d.fatal(); len(got) != 1 {
					t.Errorf("told to stop %d times: %v", len(got), got)
				}
				if _, err := d.shard.Snapshot(); err == nil {
					t.Error("a snapshot was taken")
				}
			})
		})
	}
}

func take(t testing.TB, d *desk) []byte {
	t.Helper()
	s, err := d.shard.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	n, err := s.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("wrote %d of %d bytes: %v", n, b.Len(), err)
	}
	s.Release()
	return b.Bytes()
}

func TestSnapshotAndRestore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, nil)
		d.create(t, 2, "two")
		put(t, h, "a")
		synctest.Wait()
		put(t, h, "b") // one is committed, and the cut is behind it
		synctest.Wait()
		d.commit()
		snap := take(t, d)
		for d.commit() {
			synctest.Wait()
		}

		var installed []uint32
		fresh := newDesk(t, func(o *Options[*ledger, int]) {
			o.Installed = func(id uint32, _ *ledger) { installed = append(installed, id) }
		})
		if err := fresh.shard.Restore(bytes.NewReader(snap)); err != nil {
			t.Fatal(err)
		}
		one, _ := fresh.shard.Get(1)
		two, ok := fresh.shard.Get(2)
		if !ok || !cmp.Equal(lines(t, one), []string{"made", "a"}) || !cmp.Equal(lines(t, two), []string{"two"}) {
			t.Fatalf("restored %q", lines(t, one))
		}
		if len(installed) != 0 {
			t.Errorf("new machines were told to be replaced: %v", installed)
		}
		later := take(t, d)
		if err := fresh.shard.Restore(bytes.NewReader(later)); err != nil { // over running machines
			t.Fatal(err)
		}
		if same, _ := fresh.shard.Get(1); same != one || !cmp.Equal(lines(t, one), []string{"made", "a", "b"}) {
			t.Errorf("replaced by %q", lines(t, one))
		}
		if !slices.Equal(installed, []uint32{1, 2}) {
			t.Errorf("told to be replaced: %v", installed)
		}
		if got := take(t, fresh); !bytes.Equal(got, later) {
			t.Error("a restored shard writes another snapshot")
		}
	})
}

func TestRestoreRefuses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, _ := made(t, nil)
		d.create(t, 2, "two")
		good := take(t, d)
		le := binary.LittleEndian
		other := bytes.Clone(good)
		le.PutUint32(other, 9)
		huge := bytes.Clone(good)
		le.PutUint32(huge[12:], 1<<30)
		long := bytes.Clone(good)
		le.PutUint32(long[12:], snapshotChunk)
		twice := bytes.Clone(good)
		le.PutUint32(twice[len(twice)-12-8-7:], 1) // the second machine is "two": 8 + 4 + 3 bytes in one chunk
		for name, b := range map[string][]byte{"version": other, "size": huge, "not so long": long, "twice": twice} {
			fresh := newDesk(t, nil)
			if err := fresh.shard.Restore(bytes.NewReader(b)); err == nil {
				t.Errorf("%s: restored", name)
			}
		}
		for n := range good {
			fresh := newDesk(t, nil)
			err := fresh.shard.Restore(bytes.NewReader(good[:n]))
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("cut at %d: %v", n, err)
			}
		}
		fresh := newDesk(t, nil)
		fresh.create(t, 3, "three")
		if err := fresh.shard.Restore(bytes.NewReader(good)); err == nil {
			t.Error("a snapshot without a machine that runs here was taken")
		}
		fresh.shard.Close()
		if err := fresh.shard.Restore(bytes.NewReader(good)); !errors.Is(err, ErrStopped) {
			t.Errorf("restored into a closed shard: %v", err)
		}
	})
}

// stubborn refuses to be written to after some bytes.
type stubborn int

func (s *stubborn) Write(b []byte) (int, error) {
	if *s -= stubborn(len(b)); *s < 0 {
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

func TestSnapshotThatCannotBeWritten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, _ := made(t, nil)
		s, err := d.shard.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		for n := range 30 {
			room := stubborn(n)
			if _, err := s.WriteTo(&room); !errors.Is(err, io.ErrShortWrite) {
				t.Errorf("with room for %d bytes: %v", n, err)
			}
		}
	})
}

func TestMachinesMadeWhileLeadingLead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, nil)
		d.create(t, 9, "nine")
		nine, _ := d.shard.Get(9)
		synctest.Wait()
		if !h.Leading() || !nine.Leading() || !d.shard.Leading() {
			t.Error("a machine does not lead")
		}
		d.shard.LeaderLost()
		synctest.Wait()
		if h.Leading() || nine.Leading() || d.shard.Leading() {
			t.Error("a machine still leads")
		}
	})
}
