package account

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrEncoding is wrapped by every error about bytes that are no command or no snapshot.
var ErrEncoding = errors.New("malformed encoding")

func appendText[T string | []byte](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendFlag(b []byte, on bool) []byte {
	if on {
		return append(b, 1)
	}
	return append(b, 0)
}

// reader takes values off the front of bytes. After the first error it returns zeros, so callers check err once.
// It accepts only what the append functions write: one value has one encoding.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(field, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %s: %w", field, fmt.Sprintf(format, args...), ErrEncoding)
		r.b = nil
	}
}

func (r *reader) take(field string, n int) []byte {
	if r.err != nil {
		return nil
	}
	if n > len(r.b) {
		r.fail(field, "needs %d bytes, %d are left", n, len(r.b))
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) u8(field string) uint8 {
	if b := r.take(field, 1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u32(field string) uint32 {
	if b := r.take(field, 4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) i64(field string) int64 {
	if b := r.take(field, 8); b != nil {
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0
}

func (r *reader) flag(field string) bool {
	switch v := r.u8(field); v {
	case 0:
	case 1:
		return true
	default:
		r.fail(field, "is %d, 0 or 1 are allowed", v)
	}
	return false
}

// uvarint reads a number up to most.
func (r *reader) uvarint(field string, most uint64) uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 || n > 1 && r.b[n-1] == 0 {
		r.fail(field, "is not a number")
		return 0
	}
	if v > most {
		r.fail(field, "is %d, at most %d is allowed", v, most)
		return 0
	}
	r.b = r.b[n:]
	return v
}

// text reads bytes with their length before them; they point into the input.
func (r *reader) text(field string, most int) []byte {
	return r.take(field, int(r.uvarint(field, uint64(most))))
}

func (r *reader) hash(field string) (h [32]byte) {
	copy(h[:], r.take(field, 32))
	return h
}

func (r *reader) end() {
	if len(r.b) != 0 {
		r.fail("end", "%d bytes too many", len(r.b))
	}
}
