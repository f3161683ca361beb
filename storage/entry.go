package storage

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"

	"github.com/hashicorp/raft"
)

// An entry's value in the file, integers big endian:
//
//	 0  version    1
//	 1  type       1  of raft.LogType
//	 2  flags      1  bit 0: the entry before it is missing on purpose (a snapshot was installed between them)
//	 3  zero       1
//	 4  extension  4  bytes of extensions
//	 8  term       8
//	16  appended   8  unix nanoseconds, 0 when unknown
//	24  checksum   4  CRC32C of shard(4), index(8), bytes 0 to 23, extensions, data
//	28  extensions, then data
const (
	entryVersion = 1
	entryHeader  = 28
	entryCRC     = 24
	flagGap      = 1
)

// castagnoli is one table for the whole program.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

var (
	errShort    = errors.New("value is too short")
	errChecksum = errors.New("checksum does not match")
	errVersion  = errors.New("unknown version")
	errFields   = errors.New("impossible field")
)

// appendEntry appends the value of l to buf.
func appendEntry(buf []byte, shard uint32, l *raft.Log, gap bool) []byte {
	start := len(buf)
	flags := byte(0)
	if gap {
		flags = flagGap
	}
	buf = append(buf, entryVersion, byte(l.Type), flags, 0)
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(l.Extensions)))
	buf = binary.BigEndian.AppendUint64(buf, l.Term)
	buf = binary.BigEndian.AppendUint64(buf, uint64(unixNano(l.AppendedAt)))
	buf = append(buf, 0, 0, 0, 0)
	buf = append(buf, l.Extensions...)
	buf = append(buf, l.Data...)
	sum := entrySum(shard, l.Index, buf[start:])
	binary.BigEndian.PutUint32(buf[start+entryCRC:], sum)
	return buf
}

// checkEntry says whether v is as it was written.
func checkEntry(shard uint32, index uint64, v []byte) (gap bool, err error) {
	if len(v) < entryHeader {
		return false, errShort
	}
	if binary.BigEndian.Uint32(v[entryCRC:]) != entrySum(shard, index, v) {
		return false, errChecksum
	}
	if v[0] != entryVersion {
		return false, errVersion
	}
	ext := uint64(binary.BigEndian.Uint32(v[4:]))
	if v[2]&^flagGap != 0 || v[3] != 0 || ext > uint64(len(v)-entryHeader) {
		return false, errFields
	}
	return v[2]&flagGap != 0, nil
}

// decodeEntry checks v and fills l with copies: v may be memory of a transaction.
func decodeEntry(shard uint32, index uint64, v []byte, l *raft.Log) (gap bool, err error) {
	if gap, err = checkEntry(shard, index, v); err != nil {
		return false, err
	}
	ext := uint64(binary.BigEndian.Uint32(v[4:]))
	*l = raft.Log{Index: index, Term: binary.BigEndian.Uint64(v[8:]), Type: raft.LogType(v[1])}
	if ns := int64(binary.BigEndian.Uint64(v[16:])); ns != 0 {
		l.AppendedAt = time.Unix(0, ns).UTC()
	}
	body := append([]byte(nil), v[entryHeader:]...)
	if ext > 0 {
		l.Extensions = body[:ext:ext]
	}
	if ext < uint64(len(body)) {
		l.Data = body[ext:]
	}
	return gap, nil
}

func entrySum(shard uint32, index uint64, v []byte) uint32 {
	var id [12]byte
	binary.BigEndian.PutUint32(id[:], shard)
	binary.BigEndian.PutUint64(id[4:], index)
	sum := crc32.Update(0, castagnoli(), id[:])
	sum = crc32.Update(sum, castagnoli(), v[:entryCRC])
	return crc32.Update(sum, castagnoli(), v[entryHeader:])
}

// unixNano maps what int64 nanoseconds cannot hold, and the zero time, to 0.
func unixNano(t time.Time) int64 {
	const limit = math.MaxInt64/int64(time.Second) - 1
	if s := t.Unix(); t.IsZero() || s > limit || s < -limit {
		return 0
	}
	return t.UnixNano()
}

func entrySize(l *raft.Log) int { return entryHeader + len(l.Extensions) + len(l.Data) }
