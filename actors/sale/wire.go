package sale

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The stored forms are bytes written by hand: fixed order, numbers as shortest uvarints (signed ones zigzag), single bytes as they are, texts and lists with
// their length before them. A form begins with its version; what a reader does not know it refuses.

var (
	errShort    = errors.New("ends too early")
	errShortest = errors.New("not in its shortest form")
	errRest     = errors.New("bytes are left over")
)

func appendUint[T ~uint8 | ~uint16 | ~uint32 | ~uint64](dst []byte, v T) []byte {
	return binary.AppendUvarint(dst, uint64(v))
}

func appendInt(dst []byte, v int64) []byte { return binary.AppendVarint(dst, v) }

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendLines(dst []byte, lines []Line) []byte {
	dst = appendUint(dst, uint32(len(lines)))
	for _, l := range lines {
		dst = appendUint(appendUint(dst, uint32(l.Unit)), l.Count)
	}
	return dst
}

// reader takes a stored form apart. After the first error, which names the field, everything reads as zero.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(field string, err error) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %w", field, err)
	}
	r.b = nil
}

func (r *reader) failf(field, format string, args ...any) {
	r.fail(field, fmt.Errorf(format, args...))
}

// number reads a uvarint of at most limit.
func (r *reader) number(field string, limit uint64) uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 && uint64(r.b[0]) <= limit { // nearly all of them
		v := uint64(r.b[0])
		r.b = r.b[1:]
		return v
	}
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.b)
	switch {
	case n <= 0:
		r.fail(field, errShort)
		return 0
	case n > 1 && r.b[n-1] == 0:
		r.fail(field, errShortest)
		return 0
	case v > limit:
		r.failf(field, "%d, allowed are 0 to %d", v, limit)
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) u16(field string) uint16 { return uint16(r.number(field, 1<<16-1)) }
func (r *reader) u32(field string) uint32 { return uint32(r.number(field, 1<<32-1)) }
func (r *reader) u64(field string) uint64 { return r.number(field, 1<<64-1) }
func (r *reader) bool(field string) bool  { return r.number(field, 1) == 1 }

func (r *reader) int(field string) int64 {
	u := r.u64(field)
	return int64(u>>1) ^ -int64(u&1)
}

// bytes reads a length of at most limit and that many bytes, which point into the input.
func (r *reader) bytes(field string, limit int) []byte {
	n := int(r.number(field, uint64(limit)))
	if n > len(r.b) {
		r.fail(field, errShort)
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) text(field string, limit int) string { return string(r.bytes(field, limit)) }

// u8 reads one byte as it is.
func (r *reader) u8(field string) uint8 {
	if len(r.b) == 0 {
		r.fail(field, errShort)
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

// count reads how many entries of at least size bytes follow, so that memory is taken only for what is there.
func (r *reader) count(field string, limit, size int) int {
	n := int(r.number(field, uint64(limit)))
	if n > len(r.b)/size {
		r.fail(field, errShort)
		return 0
	}
	return n
}

func (r *reader) key(field string) (k Key) {
	if len(r.b) < len(k) {
		r.fail(field, errShort)
		return k
	}
	copy(k[:], r.b)
	r.b = r.b[len(k):]
	return k
}

// version reads the first byte of a form.
func (r *reader) version(known uint8) {
	if v := r.u8("version"); r.err == nil && v != known {
		r.failf("version", "%d, this build reads %d", v, known)
	}
}

// either reads the version of a form that has two.
func (r *reader) either(first, second uint8) uint8 {
	v := r.u8("version")
	if r.err == nil && v != first && v != second {
		r.failf("version", "%d, this build reads %d and %d", v, first, second)
	}
	return v
}

// done is the error of the whole form; nothing may be left over.
func (r *reader) done() error {
	if r.err == nil && len(r.b) > 0 {
		r.fail("end", errRest)
	}
	return r.err
}
