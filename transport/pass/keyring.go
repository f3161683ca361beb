package pass

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/catraca/catraca/storage/durable"
)

// Keyring signs codes and verifies them. The first private key of its file signs; every other key in it
// only verifies, so a new key is put in front and the old one stays until its last event is over.
type Keyring struct {
	Verifier

	signer ed25519.PrivateKey
	id     KID
}

// Open reads the key file at path, or makes one (mode 0600, PKCS #8 in PEM) with a fresh key when there is
// none. Two processes that make it at once end up with the same key. A file that others may read or change
// is refused: it is the ticket press.
func Open(path string) (*Keyring, error) {
	k, err := load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("create key file: %w", err)
	}
	return load(path)
}

// NewKeyring makes a key that lives in memory only: for a demonstration or a test.
func NewKeyring() (*Keyring, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	p := publicKey(public)
	return &Keyring{Verifier: Verifier{keys: []PublicKey{p}}, signer: private, id: p.ID}, nil
}

// Signer is the identifier of the key that signs.
func (k *Keyring) Signer() KID { return k.id }

func load(path string) (*Keyring, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer func() { _ = f.Close() }() // read only: nothing can be lost
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	// A group may read it (mounted secrets come that way); the world may not, and nobody else may write.
	if mode := st.Mode().Perm(); mode&0o027 != 0 {
		return nil, fmt.Errorf("open key file: %s has mode %04o; run chmod 600 on it", path, mode)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	v, signer, err := parsePEM(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if signer == nil {
		return nil, fmt.Errorf("%s: parse key file: no PRIVATE KEY in it", path)
	}
	id := publicKey(signer.Public().(ed25519.PublicKey)).ID
	return &Keyring{Verifier: v, signer: signer, id: id}, nil
}

// create writes a new key beside path and links it into place: a link never replaces, so the first of two
// processes wins and a crash leaves no half-written key under the name.
func create(path string) (err error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(tmp.Name())) }()
	if err := durable.Finish(tmp, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return durable.SyncDir(dir)
}
