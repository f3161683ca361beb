package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
)

// backupReader reads a backup from its beginning to its end, and looks at every checksum on the way. Its errors wrap
// errBackup when the bytes are damaged or cut off.
type backupReader struct {
	r      io.Reader
	all    hash.Hash
	number uint64
	buf    []byte

	head    backupHead
	seen    map[int]bool
	section *sectionReader // the one being read
}

func newBackupReader(r io.Reader) (*backupReader, error) {
	b := &backupReader{all: sha256.New(), seen: map[int]bool{}}
	b.r = io.TeeReader(r, b.all)
	magic := make([]byte, len(backupMagic))
	if _, err := io.ReadFull(b.r, magic); err != nil {
		return nil, fmt.Errorf("%w: it has no beginning: %w", errBackup, err)
	}
	if string(magic) != backupMagic {
		return nil, fmt.Errorf("%w: it does not begin like a backup of this version", errBackup)
	}
	if err := b.json(blockHead, &b.head); err != nil {
		return nil, err
	}
	if h := b.head; h.Format != backupFormat || h.Shards < 2 || h.Shards > maxBackupShard {
		return nil, fmt.Errorf("%w: format %d with %d shards, this program reads format %d with 2 to %d", errBackup, h.Format, h.Shards, backupFormat, maxBackupShard)
	}
	return b, nil
}

// block reads the next block. Its payload is good until the next call.
func (b *backupReader) block() (blockKind, []byte, error) {
	var head [blockHeader]byte
	if _, err := io.ReadFull(b.r, head[:]); err != nil {
		return 0, nil, fmt.Errorf("%w: block %d: %w", errBackup, b.number, cutOff(err))
	}
	kind, size, sum := blockKind(head[0]), binary.BigEndian.Uint32(head[1:]), binary.BigEndian.Uint32(head[5:])
	if size > maxBlock {
		return 0, nil, fmt.Errorf("%w: block %d has %d bytes", errBackup, b.number, size)
	}
	if b.buf == nil {
		b.buf = make([]byte, maxBlock)
	}
	payload := b.buf[:size]
	if _, err := io.ReadFull(b.r, payload); err != nil {
		return 0, nil, fmt.Errorf("%w: block %d: %w", errBackup, b.number, cutOff(err))
	}
	if blockSum(b.number, kind, payload) != sum {
		return 0, nil, fmt.Errorf("%w: the checksum of block %d does not match", errBackup, b.number)
	}
	b.number++
	return kind, payload, nil
}

// cutOff keeps a missing end from looking like a good one.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// json reads a block of one kind.
func (b *backupReader) json(want blockKind, v any) error {
	kind, payload, err := b.block()
	if err != nil {
		return err
	}
	if kind != want {
		return fmt.Errorf("%w: block %d is of kind %q, not %q", errBackup, b.number-1, kind, want)
	}
	return unmarshalBlock(payload, v)
}

func unmarshalBlock(payload []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(payload))
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", errBackup, err)
	}
	return nil
}

// next goes to the next shard, which io.EOF says there is none of. The one before must have been read to its end.
func (b *backupReader) next() (shard int, data io.Reader, err error) {
	if b.section != nil && !b.section.done {
		return 0, nil, fmt.Errorf("shard %d has not been read to its end", b.section.shard)
	}
	before := hex.EncodeToString(b.all.Sum(nil))
	kind, payload, err := b.block()
	if err != nil {
		return 0, nil, err
	}
	switch kind {
	case blockSection:
		var s backupSection
		if err := unmarshalBlock(payload, &s); err != nil {
			return 0, nil, err
		}
		if s.Shard < 0 || s.Shard >= b.head.Shards || b.seen[s.Shard] {
			return 0, nil, fmt.Errorf("%w: shard %d of %d comes twice or does not exist", errBackup, s.Shard, b.head.Shards)
		}
		b.seen[s.Shard] = true
		b.section = &sectionReader{b: b, shard: s.Shard, sum: sha256.New()}
		return s.Shard, b.section, nil
	case blockLast:
		var l backupLast
		if err := unmarshalBlock(payload, &l); err != nil {
			return 0, nil, err
		}
		if l.SHA256 != before || l.Shards != len(b.seen) || l.Shards != b.head.Shards {
			return 0, nil, fmt.Errorf("%w: it ends after %d of %d shards, and its end speaks of %d", errBackup, len(b.seen), b.head.Shards, l.Shards)
		}
		if n, err := io.Copy(io.Discard, io.LimitReader(b.r, 1)); err != nil || n > 0 {
			return 0, nil, fmt.Errorf("%w: something follows its end", errBackup)
		}
		return 0, nil, io.EOF
	default:
		return 0, nil, fmt.Errorf("%w: block %d is of kind %q", errBackup, b.number-1, kind)
	}
}

// sectionReader is the data of one shard. io.EOF means that all of it was there and right.
type sectionReader struct {
	b     *backupReader
	shard int
	sum   hash.Hash
	bytes int64
	rest  []byte
	done  bool
	err   error
}

// Read implements io.Reader.
func (s *sectionReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(s.rest) == 0 {
		if s.err == nil {
			s.err = s.more()
		}
		if s.err != nil {
			return 0, s.err
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *sectionReader) more() error {
	kind, payload, err := s.b.block()
	if err != nil {
		return err
	}
	switch kind {
	case blockData:
		_, _ = s.sum.Write(payload) // never fails
		s.bytes += int64(len(payload))
		s.rest = payload
		return nil
	case blockEnd:
		var e backupEnd
		if err := unmarshalBlock(payload, &e); err != nil {
			return err
		}
		if e.Shard != s.shard || e.Bytes != s.bytes || e.SHA256 != hex.EncodeToString(s.sum.Sum(nil)) {
			return fmt.Errorf("%w: shard %d has %d bytes, and its end speaks of shard %d with %d", errBackup, s.shard, s.bytes, e.Shard, e.Bytes)
		}
		s.done = true
		return io.EOF
	default:
		return fmt.Errorf("%w: block %d of shard %d is of kind %q", errBackup, s.b.number-1, s.shard, kind)
	}
}
