package sequencer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/catraca/catraca/cluster"
)

// Layout of an entry, little endian:
//
//	version u8 | kind u8 | machine u32 | at i64 | term u64 | seq u64 | n u32 | crc32c u32 | n × (len u32, bytes)
//
// The checksum covers everything but itself.
const (
	entryVersion = 1
	headerSize   = 1 + 1 + 4 + 8 + 8 + 8 + 4 + 4
	crcOffset    = headerSize - 4

	// MaxBatchBytes and MaxBatchCommands bound one entry of gathered commands.
	MaxBatchBytes    = 64 << 10
	MaxBatchCommands = 1024
	// MaxCommandBytes bounds one command, so that it fits into the largest entry the log takes; one larger than a
	// batch travels alone (a seating plan, for example).
	MaxCommandBytes = cluster.MaxProposalBytes - headerSize - 4
)

// Kind of an entry.
type Kind uint8

const (
	KindBatch  Kind = 1 // commands for a machine that exists
	KindCreate Kind = 2 // one blob that a new machine is made from; ignored when the machine exists
	// KindCheckpoint has no commands: every replica hashes the machine as it is there, and changes nothing.
	KindCheckpoint Kind = 3
)

// Header of an entry. Term and Seq name the batch to the sequencer that proposed it.
type Header struct {
	Kind    Kind
	Machine uint32
	At      int64 // unix milliseconds
	Term    uint64
	Seq     uint64
	Count   uint32
}

// castagnoli is one table for the whole program.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// ErrEntry is wrapped by every error about a malformed entry.
var ErrEntry = errors.New("malformed entry")

// beginEntry reserves the header; sealEntry fills it in.
func beginEntry(dst []byte) []byte {
	return append(dst, make([]byte, headerSize)...)
}

func appendCommand(dst, cmd []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(cmd)))
	return append(dst, cmd...)
}

func sealEntry(b []byte, h Header) {
	b[0], b[1] = entryVersion, byte(h.Kind)
	binary.LittleEndian.PutUint32(b[2:], h.Machine)
	binary.LittleEndian.PutUint64(b[6:], uint64(h.At))
	binary.LittleEndian.PutUint64(b[14:], h.Term)
	binary.LittleEndian.PutUint64(b[22:], h.Seq)
	binary.LittleEndian.PutUint32(b[30:], h.Count)
	binary.LittleEndian.PutUint32(b[crcOffset:], entryChecksum(b))
}

func entryChecksum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:crcOffset], castagnoli()), castagnoli(), b[headerSize:])
}

// EncodeEntry writes a whole entry; the sequencer itself builds its batches in place.
func EncodeEntry(h Header, cmds ...[]byte) []byte {
	b := beginEntry(nil)
	for _, c := range cmds {
		b = appendCommand(b, c)
	}
	h.Count = uint32(len(cmds))
	sealEntry(b, h)
	return b
}

// DecodeHeader checks version, kind and checksum of an entry and returns its header and its commands' bytes.
func DecodeHeader(b []byte) (Header, []byte, error) {
	if len(b) < headerSize {
		return Header{}, nil, fmt.Errorf("decode header: %d bytes, want at least %d: %w", len(b), headerSize, ErrEntry)
	}
	if b[0] != entryVersion {
		return Header{}, nil, fmt.Errorf("decode header: version %d is not known to this binary: %w", b[0], ErrEntry)
	}
	h := Header{
		Kind:    Kind(b[1]),
		Machine: binary.LittleEndian.Uint32(b[2:]),
		At:      int64(binary.LittleEndian.Uint64(b[6:])),
		Term:    binary.LittleEndian.Uint64(b[14:]),
		Seq:     binary.LittleEndian.Uint64(b[22:]),
		Count:   binary.LittleEndian.Uint32(b[30:]),
	}
	if h.Kind < KindBatch || h.Kind > KindCheckpoint {
		return Header{}, nil, fmt.Errorf("decode header: kind %d is not known to this binary: %w", h.Kind, ErrEntry)
	}
	if got, want := entryChecksum(b), binary.LittleEndian.Uint32(b[crcOffset:]); got != want {
		return Header{}, nil, fmt.Errorf("decode header: checksum %08x, want %08x: %w", got, want, ErrEntry)
	}
	if h.Kind == KindCheckpoint && (h.Count != 0 || len(b) != headerSize) {
		return Header{}, nil, fmt.Errorf("decode header: a checkpoint with %d commands in %d bytes: %w", h.Count, len(b)-headerSize, ErrEntry)
	}
	return h, b[headerSize:], nil
}

// NextCommand splits the first command off the commands' bytes of an entry.
func NextCommand(b []byte) (cmd, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, fmt.Errorf("next command: %d bytes left, want 4: %w", len(b), ErrEntry)
	}
	n := binary.LittleEndian.Uint32(b)
	if n > MaxCommandBytes || uint64(n) > uint64(len(b)-4) {
		return nil, nil, fmt.Errorf("next command: length %d, %d bytes left: %w", n, len(b)-4, ErrEntry)
	}
	return b[4 : 4+n], b[4+n:], nil
}
