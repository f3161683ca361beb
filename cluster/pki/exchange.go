package pki

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Preface is the first byte of a connection to the port between nodes that is for a Desk. Whoever dials writes it,
// before TLS.
const Preface = 'J'

// What is asked.
const (
	kindJoin  = "join"
	kindRenew = "renew"
)

// Bounds of the messages, in bytes. Welcomes grow in base64.
const (
	maxQuestion = 8 << 10
	maxAnswer   = 128 << 10
	// MaxWelcome is how much a welcome may be.
	MaxWelcome = 64 << 10
)

// question is what a newcomer says, after the handshake.
type question struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Secret  []byte `json:"secret,omitempty"`
	Request []byte `json:"request"` // PKCS #10, DER
}

// answer is what it is told.
type answer struct {
	Refused      string `json:"refused,omitempty"`
	Certificate  []byte `json:"certificate,omitempty"` // DER
	Authority    []byte `json:"authority,omitempty"`   // DER
	AuthorityKey []byte `json:"authority_key,omitempty"`
	Welcome      []byte `json:"welcome,omitempty"`
}

// send writes one message: its length in four bytes, big endian, and JSON.
func send(w io.Writer, limit int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	if len(b) > limit {
		return fmt.Errorf("encode message: %d bytes, allowed are %d", len(b), limit)
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)) //nolint:gosec // within limit
	return err
}

// receive reads one message.
func receive(r io.Reader, limit int, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || n > uint32(limit) { //nolint:gosec // a constant
		return fmt.Errorf("read message: %d bytes, allowed are 1 to %d", n, limit)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	if err := strictJSON(b, v); err != nil {
		return errors.New("read message: it is not what was expected")
	}
	return nil
}
