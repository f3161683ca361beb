package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A snapshot on the disk and on the wire, integers big endian:
//
//	header  "CATRACA" and the version, 8 bytes · shard 4 · index 8 · term 8 · CRC32C of these 4
//	chunk   length 4, 1 to 256 KiB · CRC32C of number of the chunk (8) and payload 4 · payload
//	end     0 4 · CRC32C of number of the chunk (8) and total 4 · total length of the payloads 8
//
// The number keeps chunks from changing places; the end tells a whole snapshot from one cut off between two chunks.
const (
	frameMagic  = "CATRACA\x01"
	frameHeader = 8 + 4 + 8 + 8 + 4
	chunkBytes  = 256 << 10
)

// castagnoli is one table for the whole program.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// ErrSnapshot is wrapped by everything that is wrong with a snapshot's bytes.
var ErrSnapshot = errors.New("cluster: snapshot is damaged")

// cut says whose snapshot it is and up to which entry.
type cut struct {
	shard       uint32
	index, term uint64
}

func (c cut) encode() []byte {
	b := append(make([]byte, 0, frameHeader), frameMagic...)
	b = binary.BigEndian.AppendUint32(b, c.shard)
	b = binary.BigEndian.AppendUint64(b, c.index)
	b = binary.BigEndian.AppendUint64(b, c.term)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
}

func readCut(r io.Reader) (cut, error) {
	var b [frameHeader]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return cut{}, fmt.Errorf("%w: read header: %w", ErrSnapshot, err)
	}
	if string(b[:7]) != frameMagic[:7] {
		return cut{}, fmt.Errorf("%w: it does not begin like a snapshot", ErrSnapshot)
	}
	if b[7] != frameMagic[7] {
		return cut{}, fmt.Errorf("%w: version %d, this program knows %d", ErrSnapshot, b[7], frameMagic[7])
	}
	if binary.BigEndian.Uint32(b[28:]) != crc32.Checksum(b[:28], castagnoli()) {
		return cut{}, fmt.Errorf("%w: checksum of the header does not match", ErrSnapshot)
	}
	return cut{binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint64(b[12:]), binary.BigEndian.Uint64(b[20:])}, nil
}

func chunkSum(number uint64, payload []byte) uint32 {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], number)
	return crc32.Update(crc32.Checksum(n[:], castagnoli()), castagnoli(), payload)
}

// frameWriter cuts what is written into chunks. Close writes the end and does not close w.
type frameWriter struct {
	w      io.Writer
	buf    []byte // 8 bytes of room, then the chunk
	number uint64
	total  uint64
}

func newFrameWriter(w io.Writer, c cut) (*frameWriter, error) {
	if _, err := w.Write(c.encode()); err != nil {
		return nil, fmt.Errorf("write header: %w", err)
	}
	return &frameWriter{w: w, buf: make([]byte, 8, 8+chunkBytes)}, nil
}

// Write implements io.Writer.
func (f *frameWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		room := min(cap(f.buf)-len(f.buf), len(p))
		f.buf = append(f.buf, p[:room]...)
		p = p[room:]
		if len(f.buf) == cap(f.buf) {
			if err := f.flush(); err != nil {
				return n - len(p), err
			}
		}
	}
	return n, nil
}

func (f *frameWriter) flush() error {
	payload := f.buf[8:]
	if len(payload) == 0 {
		return nil
	}
	binary.BigEndian.PutUint32(f.buf, uint32(len(payload)))
	binary.BigEndian.PutUint32(f.buf[4:], chunkSum(f.number, payload))
	if _, err := f.w.Write(f.buf); err != nil {
		return fmt.Errorf("write chunk: %w", err)
	}
	f.number++
	f.total += uint64(len(payload))
	f.buf = f.buf[:8]
	return nil
}

// Close implements io.Closer.
func (f *frameWriter) Close() error {
	if err := f.flush(); err != nil {
		return err
	}
	total := binary.BigEndian.AppendUint64(nil, f.total)
	end := make([]byte, 4, 16)
	end = binary.BigEndian.AppendUint32(end, chunkSum(f.number, total))
	if _, err := f.w.Write(append(end, total...)); err != nil {
		return fmt.Errorf("write end: %w", err)
	}
	return nil
}

// frameReader gives the payload back, each chunk only after its checksum. io.EOF means that the end was there and
// right; any other error stays.
type frameReader struct {
	r      io.Reader
	rest   []byte
	buf    []byte
	number uint64
	total  uint64
	err    error
}

// Read implements io.Reader.
func (f *frameReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(f.rest) == 0 && f.err == nil {
		f.err = f.next()
	}
	if len(f.rest) == 0 {
		return 0, f.err
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *frameReader) next() error {
	var head [8]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return fmt.Errorf("%w: read chunk %d: %w", ErrSnapshot, f.number, cutShort(err))
	}
	size, sum := binary.BigEndian.Uint32(head[:]), binary.BigEndian.Uint32(head[4:])
	if size > chunkBytes {
		return fmt.Errorf("%w: chunk %d has %d bytes", ErrSnapshot, f.number, size)
	}
	last := size == 0
	if last {
		size = 8
	}
	if uint32(cap(f.buf)) < size {
		f.buf = make([]byte, chunkBytes)
	}
	payload := f.buf[:size]
	if _, err := io.ReadFull(f.r, payload); err != nil {
		return fmt.Errorf("%w: read chunk %d: %w", ErrSnapshot, f.number, cutShort(err))
	}
	if chunkSum(f.number, payload) != sum {
		return fmt.Errorf("%w: checksum of chunk %d does not match", ErrSnapshot, f.number)
	}
	if last {
		if total := binary.BigEndian.Uint64(payload); total != f.total {
			return fmt.Errorf("%w: %d bytes, its end says %d", ErrSnapshot, f.total, total)
		}
		return io.EOF
	}
	f.number++
	f.total += uint64(size)
	f.rest = payload
	return nil
}

// cutShort keeps a missing end from looking like a good one.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
