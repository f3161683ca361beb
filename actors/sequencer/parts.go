package sequencer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/catraca/catraca/cluster"
)

const snapshotVersion = 1

// maxSnapshotPart bounds what a damaged length can make Restore allocate.
const maxSnapshotPart = 4 << 30

var _ cluster.Snapshot = (*parts)(nil)

// parts is a snapshot: version u32, count u32, count × (id u32, length u64, bytes), little endian.
type parts struct {
	ids    []uint32
	frozen []Frozen
}

// Snapshot asks every machine for its bytes; their mailboxes make the cut exact. Raft's goroutine.
func (s *Shard[M, R]) Snapshot() (cluster.Snapshot, error) {
	if s.broken.Load() {
		return nil, fmt.Errorf("snapshot shard %d after an entry that was not applied: %w", s.o.Shard, ErrStopped)
	}
	out := &parts{}
	for _, h := range s.handles() {
		reply := make(chan Frozen, 1)
		h.send(&snapshot{reply: reply})
		select {
		case frozen, ok := <-reply:
			if !ok {
				return nil, fmt.Errorf("snapshot machine %d: %w", h.id, ErrStopped)
			}
			out.ids, out.frozen = append(out.ids, h.id), append(out.frozen, frozen)
		case <-h.dead:
			return nil, fmt.Errorf("snapshot machine %d: %w", h.id, ErrStopped)
		}
	}
	return out, nil
}

// WriteTo may run on any goroutine, beside the machines.
func (p *parts) WriteTo(w io.Writer) (int64, error) {
	var total int64
	write := func(b []byte) error {
		n, err := w.Write(b)
		total += int64(n)
		return err
	}
	head := binary.LittleEndian.AppendUint32(nil, snapshotVersion)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(p.ids)))
	if err := write(head); err != nil {
		return total, err
	}
	for i, id := range p.ids {
		blob := p.frozen[i].AppendSnapshot(nil)
		head = binary.LittleEndian.AppendUint32(head[:0], id)
		head = binary.LittleEndian.AppendUint64(head, uint64(len(blob)))
		if err := write(head); err != nil {
			return total, err
		}
		if err := write(blob); err != nil {
			return total, err
		}
	}
	return total, nil
}

// Release lets the bytes go.
func (p *parts) Release() { p.ids, p.frozen = nil, nil }

// Restore replaces the machines by those of a snapshot. One that runs here and is not in it is an error: machines are
// never deleted, so the snapshot is of another log. Raft's goroutine.
func (s *Shard[M, R]) Restore(r io.Reader) error {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:8]); err != nil {
		return fmt.Errorf("restore shard %d: %w", s.o.Shard, err)
	}
	if v := binary.LittleEndian.Uint32(head[:]); v != snapshotVersion {
		return fmt.Errorf("restore shard %d: snapshot version %d is not known to this binary", s.o.Shard, v)
	}
	restored := make(map[uint32]bool)
	for range binary.LittleEndian.Uint32(head[4:]) {
		id, blob, err := readPart(r)
		if err != nil {
			return fmt.Errorf("restore shard %d: %w", s.o.Shard, err)
		}
		if restored[id] {
			return fmt.Errorf("restore shard %d: machine %d comes twice", s.o.Shard, id)
		}
		restored[id] = true
		if err := s.restore(id, blob); err != nil {
			return fmt.Errorf("restore machine %d: %w", id, err)
		}
	}
	for _, h := range s.handles() {
		if !restored[h.id] {
			return fmt.Errorf("restore shard %d: machine %d runs here and is not in the snapshot", s.o.Shard, h.id)
		}
	}
	return nil
}

// readPart reads one machine. The buffer grows with what is really there, whatever the length says.
func readPart(r io.Reader) (id uint32, blob []byte, err error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	id = binary.LittleEndian.Uint32(head[:])
	size := binary.LittleEndian.Uint64(head[4:])
	if size > maxSnapshotPart {
		return id, nil, fmt.Errorf("machine %d has %d bytes, at most %d", id, size, int64(maxSnapshotPart))
	}
	const step = 1 << 20
	blob = make([]byte, 0, min(size, step))
	for uint64(len(blob)) < size {
		n := min(size-uint64(len(blob)), max(step, uint64(len(blob))))
		from := len(blob)
		blob = append(blob, make([]byte, n)...)
		if _, err := io.ReadFull(r, blob[from:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return id, nil, fmt.Errorf("machine %d: %w", id, err)
		}
	}
	return id, blob, nil
}

func (s *Shard[M, R]) restore(id uint32, blob []byte) error {
	m, err := s.o.Restore(id, blob)
	if err != nil {
		return err
	}
	h, ok := s.Get(id)
	if !ok {
		return s.spawn(id, m, m.Index())
	}
	done := make(chan struct{})
	h.send(&install[M]{machine: m, done: done})
	select {
	case <-done:
	case <-h.dead:
	}
	select {
	case <-h.dead: // also when the dead closed done
		return ErrStopped
	default:
		return nil
	}
}
