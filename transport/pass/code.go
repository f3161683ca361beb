package pass

import (
	"crypto/ed25519"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"strings"
)

// Claims are what a code says. They name a ticket, not a person.
type Claims struct {
	Event   uint32 // the catalogue's number of the event
	Ticket  uint32 // serial within the event
	Version uint16 // raised when the ticket is re-issued
	Unit    uint32 // the seat map's unit
	Number  uint32 // place within an area, 1..n; 1 for a seat
}

// The reasons a code does not verify. They are distinct because staff act differently on each.
var (
	ErrMalformed  = errors.New("not a ticket code")
	ErrUnknownKey = errors.New("signed by an unknown key")
	ErrSignature  = errors.New("the signature does not match")
)

// A code is codePrefix and then base32 (RFC 4648, no padding) of payload and signature:
//
//	0     format, 1
//	1:5   key identifier
//	5:9   event      9:13  ticket     13:15 version
//	15:19 unit       19:23 number     23:87 Ed25519 signature
//
// all big endian. Base32 is upper case and digits, which a QR symbol stores in 5.5 bits a character: 144
// characters fit version 6-M (41 modules), where base64url of the same bytes needs 7-M (45). Base45 would
// be no smaller a symbol, and has spaces and signs that do not survive copying or an address.
const (
	codePrefix  = "CT1."
	codeFormat  = 1
	payloadSize = 23
	codeSize    = payloadSize + ed25519.SignatureSize
	// maxCodeText bounds what Verify looks at: the code and some white space from a printed page.
	maxCodeText = 512
)

// signingDomain keeps a ticket's signature from ever meaning anything else signed by the same key.
const signingDomain = "catraca ticket code 1\x00"

// CodeLength is the number of characters of every code.
const CodeLength = len(codePrefix) + (codeSize*8+4)/5

func encoding() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

// Sign writes the code of a ticket. The same claims and key give the same code.
func (k *Keyring) Sign(c Claims) string {
	buf := make([]byte, 0, codeSize)
	buf = append(buf, codeFormat)
	buf = append(buf, k.id[:]...)
	buf = binary.BigEndian.AppendUint32(buf, c.Event)
	buf = binary.BigEndian.AppendUint32(buf, c.Ticket)
	buf = binary.BigEndian.AppendUint16(buf, c.Version)
	buf = binary.BigEndian.AppendUint32(buf, c.Unit)
	buf = binary.BigEndian.AppendUint32(buf, c.Number)
	buf = append(buf, ed25519.Sign(k.signer, message(buf))...)
	return codePrefix + encoding().EncodeToString(buf)
}

// Verify reads a code. Lower case and white space anywhere are forgiven, as a scanner, a phone or a printed
// page may add them; nothing else is. The error is one of [ErrMalformed], [ErrUnknownKey], [ErrSignature].
func (v Verifier) Verify(code string) (Claims, error) {
	raw, ok := decode(code)
	if !ok {
		return Claims{}, ErrMalformed
	}
	key, ok := v.find(KID(raw[1:5]))
	if !ok {
		return Claims{}, ErrUnknownKey
	}
	if !ed25519.Verify(key, message(raw[:payloadSize]), raw[payloadSize:]) {
		return Claims{}, ErrSignature
	}
	return Claims{
		Event:   binary.BigEndian.Uint32(raw[5:9]),
		Ticket:  binary.BigEndian.Uint32(raw[9:13]),
		Version: binary.BigEndian.Uint16(raw[13:15]),
		Unit:    binary.BigEndian.Uint32(raw[15:19]),
		Number:  binary.BigEndian.Uint32(raw[19:23]),
	}, nil
}

func message(payload []byte) []byte {
	return append([]byte(signingDomain), payload...)
}

// decode returns the codeSize bytes of a code of a known format.
func decode(code string) ([]byte, bool) {
	if len(code) > maxCodeText {
		return nil, false
	}
	text := strings.Map(canonical, code)
	if len(text) != CodeLength || !strings.HasPrefix(text, codePrefix) {
		return nil, false
	}
	raw, err := encoding().DecodeString(text[len(codePrefix):])
	// The last character carries spare bits that the decoder ignores: one code, one spelling.
	if err != nil || codePrefix+encoding().EncodeToString(raw) != text {
		return nil, false
	}
	if len(raw) != codeSize || raw[0] != codeFormat {
		return nil, false
	}
	return raw, true
}

// canonical drops ASCII white space and raises ASCII letters.
func canonical(r rune) rune {
	switch {
	case r == ' ' || r >= '\t' && r <= '\r':
		return -1
	case r >= 'a' && r <= 'z':
		return r - 'a' + 'A'
	}
	return r
}
