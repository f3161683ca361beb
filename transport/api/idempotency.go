package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/actors/sale"
)

// A request with an Idempotency-Key is done once: with the same body again it gets the stored answer, with another
// body it is refused. The key counts for one caller and one operation, over HTTP and the live socket alike, so that a
// page whose socket broke may ask again over HTTP. The machines remember the answers; nothing is kept here.

const maxIdempotencyKey = 128

// idempotencyKey reads the header: 1 to 128 visible ASCII characters, or none.
func (r *request) idempotencyKey() (string, error) {
	values := r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 || !validKey(values[0]) {
		return "", invalid(r.lang, "/Idempotency-Key", "length", "one header of 1 to 128 visible ASCII characters")
	}
	return values[0], nil
}

func validKey(key string) bool {
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return key != "" && len(key) <= maxIdempotencyKey
}

// commandKey binds a caller's key to the caller and the operation; without one the command is a new one each time.
func commandKey(p directory.Person, op, key string) sale.Key {
	var k sale.Key
	if key == "" {
		_, _ = rand.Read(k[:]) // never fails
		return k
	}
	b := binary.BigEndian.AppendUint64([]byte("call1"), uint64(p.Account))
	b = append(append(append(b, op...), 0), key...)
	sum := sha256.Sum256(b)
	copy(k[:], sum[:])
	return k
}

// keyed gives a command to the directory its key, and the digest by which the same request is known although its
// command differs: a password is salted anew, a session begins later. The digest is keyed, because a bare one of a
// body with a password in it would be a fast hash of the password.
func (s *Server) keyed(r *request, op string, body []byte, cmd *account.Command) error {
	key, err := r.idempotencyKey()
	if err != nil {
		return err
	}
	cmd.Key = account.Key(commandKey(r.person, op, key))
	if key != "" {
		copy(cmd.Body[:], s.digest("body", op, r.URL.Path, string(body)))
	}
	return nil
}

// digest is a keyed one of all parts.
func (s *Server) digest(parts ...string) []byte {
	m := hmac.New(sha256.New, s.o.Secret)
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		m.Write(n[:])
		m.Write([]byte(p))
	}
	return m.Sum(nil)
}
