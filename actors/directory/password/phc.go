package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// params of argon2id. Memory in KiB.
type params struct {
	memory  uint32
	time    uint32
	threads uint8
}

// current is what new hashes are made with: an approved choice of OWASP ASVS 5.0 appendix C.
const (
	currentMemory  = 19456
	currentTime    = 2
	currentThreads = 1
	saltSize       = 16
	keySize        = 32
)

func current() params {
	return params{memory: currentMemory, time: currentTime, threads: currentThreads}
}

// Bounds of what is accepted in a stored hash: a hostile string must not buy a gigabyte or a minute.
const (
	maxPHC     = 200
	minMemory  = 8
	maxMemory  = 64 << 10
	maxTime    = 10
	maxThreads = 4
	minSalt    = 8
	maxSalt    = 48
	minKey     = 16
	maxKey     = 64
)

// stored is a hash as it is kept.
type stored struct {
	params

	salt []byte
	key  []byte
}

// ErrHash is wrapped by every error about a stored hash that cannot be read.
var ErrHash = errors.New("malformed password hash")

// String is the PHC form: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
func (s *stored) String() string {
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", s.memory, s.time, s.threads,
		base64.RawStdEncoding.EncodeToString(s.salt), base64.RawStdEncoding.EncodeToString(s.key))
}

// parsePHC reads the PHC form and nothing else: one hash has one spelling.
func parsePHC(phc string) (stored, error) {
	if len(phc) > maxPHC {
		return stored{}, fmt.Errorf("%d bytes, at most %d are allowed: %w", len(phc), maxPHC, ErrHash)
	}
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" {
		return stored{}, fmt.Errorf("%d fields, want 5: %w", len(parts)-1, ErrHash)
	}
	if parts[1] != "argon2id" || parts[2] != "v=19" {
		return stored{}, fmt.Errorf("algorithm or version is not argon2id, v=19: %w", ErrHash)
	}
	var s stored
	cost := strings.Split(parts[3], ",")
	if len(cost) != 3 {
		return stored{}, fmt.Errorf("%d parameters, want m, t and p: %w", len(cost), ErrHash)
	}
	m, err := parameter(cost[0], "m=", minMemory, maxMemory)
	if err != nil {
		return stored{}, err
	}
	t, err := parameter(cost[1], "t=", 1, maxTime)
	if err != nil {
		return stored{}, err
	}
	p, err := parameter(cost[2], "p=", 1, maxThreads)
	if err != nil {
		return stored{}, err
	}
	s.params = params{memory: m, time: t, threads: uint8(p)}
	if s.salt, err = field("salt", parts[4], minSalt, maxSalt); err != nil {
		return stored{}, err
	}
	if s.key, err = field("key", parts[5], minKey, maxKey); err != nil {
		return stored{}, err
	}
	return s, nil
}

func parameter(s, name string, least, most uint32) (uint32, error) {
	digits, ok := strings.CutPrefix(s, name)
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || uint32(n) < least || uint32(n) > most || strconv.FormatUint(n, 10) != digits {
		return 0, fmt.Errorf("parameter %q, want %s%d to %d: %w", s, name, least, most, ErrHash)
	}
	return uint32(n), nil
}

func field(name, s string, least, most int) ([]byte, error) {
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	// The decoder skips line breaks, which would give one hash two spellings.
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return nil, fmt.Errorf("%s is not base64: %w", name, ErrHash)
	}
	if len(b) < least || len(b) > most {
		return nil, fmt.Errorf("%s has %d bytes, %d to %d are allowed: %w", name, len(b), least, most, ErrHash)
	}
	return b, nil
}
