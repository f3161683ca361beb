package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"time"
)

// A backup file is a line of magic and then blocks, integers big endian:
//
//	block  kind 1 · length 4 · CRC32C of number of the block (8), kind and payload 4 · payload
//
// The kinds are one head, for each shard one section, data and end, and one last block with the SHA-256 of everything
// before it. Heads and ends are JSON, so that later versions can say more in them.
const (
	backupMagic = "CATRACA-BACKUP 1\n"
	// backupFormat is raised when an older program would read a file wrongly.
	backupFormat = 1

	blockHeader    = 1 + 4 + 4
	maxBlock       = 256 << 10 // bytes of one payload
	maxBackupShard = 1024      // shards in one file
)

type blockKind byte

const (
	blockHead    blockKind = 'H'
	blockSection blockKind = 'S'
	blockData    blockKind = 'D'
	blockEnd     blockKind = 'E'
	blockLast    blockKind = 'Z'
)

// errBackup is wrapped by everything that is wrong with a backup's bytes.
var errBackup = errors.New("the backup is damaged")

// backupHead is what a backup says about itself. Secrets are what a house needs to be the same one after a restore, by
// file name: whoever has the file can sign tickets.
type backupHead struct {
	Format  int               `json:"format"`
	Cluster string            `json:"cluster"`
	Node    string            `json:"node"`
	Version string            `json:"version"`
	Time    time.Time         `json:"time"`
	Shards  int               `json:"shards"`
	Secrets map[string][]byte `json:"secrets"`
}

// backupSection begins a shard.
type backupSection struct {
	Shard int `json:"shard"`
}

// backupEnd ends a shard.
type backupEnd struct {
	Shard  int       `json:"shard"`
	Bytes  int64     `json:"bytes"`
	SHA256 string    `json:"sha256"` // of the data
	Time   time.Time `json:"time"`
}

// backupLast ends the file.
type backupLast struct {
	Shards int    `json:"shards"`
	SHA256 string `json:"sha256"` // of all that stands before
}

// blockSum covers the number too, so that no block can change its place.
func blockSum(number uint64, kind blockKind, payload []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	head := append(binary.BigEndian.AppendUint64(make([]byte, 0, 9), number), byte(kind))
	return crc32.Update(crc32.Checksum(head, table), table, payload)
}

// backupWriter writes a backup. It is not safe for several goroutines; after an error it is not used any more.
type backupWriter struct {
	w      io.Writer
	all    hash.Hash
	number uint64
	shards int
}

func newBackupWriter(w io.Writer, head backupHead) (*backupWriter, error) {
	b := &backupWriter{all: sha256.New()}
	b.w = io.MultiWriter(w, b.all)
	if _, err := io.WriteString(b.w, backupMagic); err != nil {
		return nil, fmt.Errorf("write backup: %w", err)
	}
	return b, b.json(blockHead, head)
}

func (b *backupWriter) json(kind blockKind, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return b.block(kind, payload)
}

func (b *backupWriter) block(kind blockKind, payload []byte) error {
	if len(payload) > maxBlock {
		return fmt.Errorf("write backup: a block has %d bytes, at most %d", len(payload), maxBlock)
	}
	head := append(make([]byte, 0, blockHeader), byte(kind))
	head = binary.BigEndian.AppendUint32(head, uint32(len(payload)))
	head = binary.BigEndian.AppendUint32(head, blockSum(b.number, kind, payload))
	b.number++
	for _, p := range [][]byte{head, payload} {
		if _, err := b.w.Write(p); err != nil {
			return fmt.Errorf("write backup: %w", err)
		}
	}
	return nil
}

// shard writes one shard, whose data fill hands over.
func (b *backupWriter) shard(i int, fill func(io.Writer) error) error {
	if err := b.json(blockSection, backupSection{Shard: i}); err != nil {
		return err
	}
	s := &sectionWriter{b: b, sum: sha256.New(), buf: make([]byte, 0, maxBlock)}
	if err := fill(s); err != nil {
		return err
	}
	if err := s.flush(); err != nil {
		return err
	}
	b.shards++
	return b.json(blockEnd, backupEnd{Shard: i, Bytes: s.bytes, SHA256: hex.EncodeToString(s.sum.Sum(nil)), Time: time.Now().UTC()})
}

// close writes the end. It does not close what is below.
func (b *backupWriter) close() error {
	return b.json(blockLast, backupLast{Shards: b.shards, SHA256: hex.EncodeToString(b.all.Sum(nil))})
}

// sectionWriter cuts a shard into blocks.
type sectionWriter struct {
	b     *backupWriter
	sum   hash.Hash
	buf   []byte
	bytes int64
}

// Write implements io.Writer.
func (s *sectionWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		room := min(cap(s.buf)-len(s.buf), len(p))
		s.buf, p = append(s.buf, p[:room]...), p[room:]
		if len(s.buf) == cap(s.buf) {
			if err := s.flush(); err != nil {
				return n - len(p), err
			}
		}
	}
	return n, nil
}

func (s *sectionWriter) flush() error {
	if len(s.buf) == 0 {
		return nil
	}
	s.bytes += int64(len(s.buf))
	_, _ = s.sum.Write(s.buf) // never fails
	err := s.b.block(blockData, s.buf)
	s.buf = s.buf[:0]
	return err
}
