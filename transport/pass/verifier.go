package pass

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
)

// maxKeys bounds a key file and a key set: a rotation needs two or three.
const maxKeys = 16

// maxKeyFile bounds what is read of a key file or a key set, in bytes.
const maxKeyFile = 64 << 10

// KID names a key: the first four bytes of the SHA-256 of the raw 32-byte public key.
type KID [4]byte

// String is eight lower-case hex digits.
func (k KID) String() string { return hex.EncodeToString(k[:]) }

// PublicKey verifies codes signed by its private half.
type PublicKey struct {
	ID  KID
	Key ed25519.PublicKey
}

func publicKey(key ed25519.PublicKey) PublicKey {
	sum := sha256.Sum256(key)
	return PublicKey{ID: KID(sum[:4]), Key: key}
}

// Verifier checks codes against a fixed set of public keys. The zero Verifier knows no key.
type Verifier struct {
	keys []PublicKey
}

// Public lists the keys, newest first, as a copy.
func (v Verifier) Public() []PublicKey { return append([]PublicKey(nil), v.keys...) }

func (v Verifier) find(id KID) (ed25519.PublicKey, bool) {
	for _, k := range v.keys {
		if k.ID == id {
			return k.Key, true
		}
	}
	return nil, false
}

// with adds a key. The same key twice is one key; two keys with one identifier are refused, because a
// code could not say which of them signed it.
func (v Verifier) with(key ed25519.PublicKey) (Verifier, error) {
	p := publicKey(key)
	if known, ok := v.find(p.ID); ok {
		if known.Equal(key) {
			return v, nil
		}
		return v, fmt.Errorf("add key %s: another key has the same identifier", p.ID)
	}
	if len(v.keys) == maxKeys {
		return v, fmt.Errorf("add key %s: more than %d keys", p.ID, maxKeys)
	}
	v.keys = append(v.keys, p)
	return v, nil
}

// jwk is one key of a JSON Web Key Set (RFC 7517, RFC 8037).
type jwk struct {
	Type  string `json:"kty"`
	Curve string `json:"crv,omitempty"`
	Use   string `json:"use,omitempty"`
	Alg   string `json:"alg,omitempty"`
	ID    string `json:"kid,omitempty"`
	X     string `json:"x,omitempty"`
}

type jwks struct {
	Keys []jwk `json:"keys"`
}

// JWKS is the key set as published under /.well-known/jwks.json.
func (v Verifier) JWKS() []byte {
	set := jwks{Keys: make([]jwk, 0, len(v.keys))}
	for _, k := range v.keys {
		set.Keys = append(set.Keys, jwk{
			Type: "OKP", Curve: "Ed25519", Use: "sig", Alg: "EdDSA", ID: k.ID.String(),
			X: base64.RawURLEncoding.EncodeToString(k.Key),
		})
	}
	out, err := json.Marshal(set)
	if err != nil {
		panic(fmt.Sprintf("encode key set: %v", err)) // strings only: cannot fail
	}
	return out
}

// ParseJWKS reads a published key set. Keys of another kind or use are passed over, as RFC 7517 asks; a
// set without any Ed25519 key is an error. Identifiers are recomputed from the keys, never believed.
func ParseJWKS(data []byte) (Verifier, error) {
	if len(data) > maxKeyFile {
		return Verifier{}, fmt.Errorf("parse key set: %d bytes, at most %d are allowed", len(data), maxKeyFile)
	}
	var set jwks
	if err := json.Unmarshal(data, &set); err != nil {
		return Verifier{}, fmt.Errorf("parse key set: %w", err)
	}
	var v Verifier
	for i, k := range set.Keys {
		if k.Type != "OKP" || k.Curve != "Ed25519" || (k.Use != "" && k.Use != "sig") {
			continue
		}
		raw, err := base64.RawURLEncoding.DecodeString(k.X)
		if err != nil {
			return Verifier{}, fmt.Errorf("parse key set: /keys/%d/x: %w", i, err)
		}
		if len(raw) != ed25519.PublicKeySize {
			return Verifier{}, fmt.Errorf("parse key set: /keys/%d/x: %d bytes, want %d", i, len(raw), ed25519.PublicKeySize)
		}
		if v, err = v.with(raw); err != nil {
			return Verifier{}, fmt.Errorf("parse key set: /keys/%d: %w", i, err)
		}
	}
	if len(v.keys) == 0 {
		return Verifier{}, errors.New("parse key set: no Ed25519 key in it")
	}
	return v, nil
}

// ParsePEM reads PUBLIC KEY (PKIX) and PRIVATE KEY (PKCS #8) blocks, of which only the public half is kept.
func ParsePEM(data []byte) (Verifier, error) {
	v, _, err := parsePEM(data)
	return v, err
}

// parsePEM also returns the first private key, nil when there is none.
func parsePEM(data []byte) (Verifier, ed25519.PrivateKey, error) {
	if len(data) > maxKeyFile {
		return Verifier{}, nil, fmt.Errorf("parse key file: %d bytes, at most %d are allowed", len(data), maxKeyFile)
	}
	var v Verifier
	var signer ed25519.PrivateKey
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		private, public, err := parseBlock(block)
		if err != nil {
			return Verifier{}, nil, fmt.Errorf("parse key file: %w", err)
		}
		if private != nil && signer == nil {
			signer = private
		}
		if v, err = v.with(public); err != nil {
			return Verifier{}, nil, fmt.Errorf("parse key file: %w", err)
		}
	}
	if len(v.keys) == 0 {
		return Verifier{}, nil, errors.New("parse key file: no PEM block PRIVATE KEY or PUBLIC KEY in it")
	}
	return v, signer, nil
}

func parseBlock(block *pem.Block) (ed25519.PrivateKey, ed25519.PublicKey, error) {
	switch block.Type {
	case "PRIVATE KEY":
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, nil, errors.New("PRIVATE KEY: not PKCS #8") // the cause may quote key material
		}
		private, ok := key.(ed25519.PrivateKey)
		if !ok {
			return nil, nil, errors.New("PRIVATE KEY: not an Ed25519 key")
		}
		return private, private.Public().(ed25519.PublicKey), nil
	case "PUBLIC KEY":
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, nil, fmt.Errorf("PUBLIC KEY: %w", err)
		}
		public, ok := key.(ed25519.PublicKey)
		if !ok {
			return nil, nil, errors.New("PUBLIC KEY: not an Ed25519 key")
		}
		return nil, public, nil
	}
	return nil, nil, fmt.Errorf("PEM block %q: want PRIVATE KEY or PUBLIC KEY", block.Type)
}
