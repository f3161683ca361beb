package sequencer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/catraca/catraca/cluster"
)

const snapshotVersion = 2

const (
	// snapshotChunk bounds what is written at once, and what a damaged length makes Restore allocate.
	snapshotChunk = 1 << 20
	// maxSnapshotPart bounds one machine.
	maxSnapshotPart = 4 << 30
)

var _ cluster.Snapshot = (*parts)(nil)

// parts is a snapshot, little endian:
//
//	version u32 | count u32 | count × (id u32 | chunks × (length u32, 1 to 1 MiB | bytes) | 0 u32)
//
// No part says beforehand how long it is, so none has to be in memory as a whole. Checksums are the cluster's, around
// all of it.
type parts struct {
	ids    []uint32
	frozen []Frozen
}

// Snapshot asks every machine to freeze; their mailboxes make the cut exact. Raft's goroutine.
func (s *Shard[M, R]) Snapshot() (cluster.Snapshot, error) {
	if s.broken.Load() {
		return nil, fmt.Errorf("snapshot shard %d after an entry that was not applied: %w", s.o.Shard, ErrStopped)
	}
	hs := s.handles()
	replies := make([]chan Frozen, len(hs))
	for i, h := range hs { // all are asked before the first is waited for
		replies[i] = make(chan Frozen, 1)
		h.send(&snapshot{reply: replies[i]})
	}
	out := &parts{}
	for i, h := range hs {
		select {
		case frozen, ok := <-replies[i]:
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
	out := &chunkWriter{w: w}
	out.numbers(snapshotVersion, uint32(len(p.ids)))
	for i, id := range p.ids {
		out.numbers(id)
		_ = pieces(p.frozen[i], out.chunks) // out keeps the error
		out.numbers(0)
		if out.err != nil {
			break
		}
	}
	return out.n, out.err
}

// Release lets the states go.
func (p *parts) Release() { p.ids, p.frozen = nil, nil }

// chunkWriter writes until the first error, which stays.
type chunkWriter struct {
	w   io.Writer
	n   int64
	err error
}

func (c *chunkWriter) write(b []byte) {
	if c.err == nil {
		var n int
		n, c.err = c.w.Write(b)
		c.n += int64(n)
	}
}

func (c *chunkWriter) numbers(ns ...uint32) {
	var b [8]byte
	for _, n := range ns {
		c.write(binary.LittleEndian.AppendUint32(b[:0], n))
	}
}

func (c *chunkWriter) chunks(b []byte) error {
	for len(b) > 0 && c.err == nil {
		n := min(len(b), snapshotChunk)
		c.numbers(uint32(n))
		c.write(b[:n])
		b = b[n:]
	}
	return c.err
}

// Restore replaces the machines by those of a snapshot. One that runs here and is not in it is an error: machines are
// never deleted, so the snapshot is of another log. Raft's goroutine.
func (s *Shard[M, R]) Restore(r io.Reader) error {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
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

// readPart reads one machine. The buffer grows with what is really there.
func readPart(r io.Reader) (id uint32, blob []byte, err error) {
	if id, err = readNumber(r); err != nil {
		return 0, nil, err
	}
	for {
		size, err := readNumber(r)
		switch {
		case err != nil:
			return id, nil, fmt.Errorf("machine %d: %w", id, cutShort(err))
		case size == 0:
			return id, blob, nil
		case size > snapshotChunk:
			return id, nil, fmt.Errorf("machine %d has a chunk of %d bytes, at most %d", id, size, snapshotChunk)
		case len(blob)+int(size) > maxSnapshotPart:
			return id, nil, fmt.Errorf("machine %d has more than %d bytes", id, int64(maxSnapshotPart))
		}
		from := len(blob)
		if cap(blob) < from+int(size) {
			blob = slices.Grow(blob, max(int(size), from))
		}
		blob = blob[:from+int(size)]
		if _, err := io.ReadFull(r, blob[from:]); err != nil {
			return id, nil, fmt.Errorf("machine %d: %w", id, cutShort(err))
		}
	}
}

func readNumber(r io.Reader) (uint32, error) {
	var b [4]byte
	_, err := io.ReadFull(r, b[:])
	return binary.LittleEndian.Uint32(b[:]), err
}

// cutShort keeps a missing end from looking like a good one.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
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
