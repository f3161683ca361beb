package pki

import (
	"crypto/ecdsa"
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

// save keeps the authority. The key is written first: the certificate is what says that there is an authority.
func (a *authority) save(dir string) error {
	if a.key != nil {
		der, err := x509.MarshalPKCS8PrivateKey(a.key)
		if err != nil {
			return fmt.Errorf("encode authority key: %w", err)
		}
		if err := writeFile(filepath.Join(dir, authorityKeyFile), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
			return err
		}
	}
	return writeFile(filepath.Join(dir, authorityFile), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
}

// load reads the authority, with its key if that is there.
func load(dir string) (*authority, error) {
	der, err := readBlock(filepath.Join(dir, authorityFile), "CERTIFICATE")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open %s: %w", dir, ErrNone)
	}
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", authorityFile, err)
	}
	der, err = readBlock(filepath.Join(dir, authorityKeyFile), "PRIVATE KEY")
	if errors.Is(err, fs.ErrNotExist) {
		return &authority{cert: cert}, nil
	}
	if err != nil {
		return nil, err
	}
	return parseAuthority(cert, der)
}

// parseAuthority puts a certificate and its key together.
func parseAuthority(cert *x509.Certificate, pkcs8 []byte) (*authority, error) {
	if !cert.IsCA {
		return nil, errors.New("read authority: the certificate is of no authority")
	}
	if pkcs8 == nil {
		return &authority{cert: cert}, nil
	}
	k, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, fmt.Errorf("read authority key: %w", err)
	}
	key, ok := k.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(cert.PublicKey) {
		return nil, errors.New("read authority key: it is not the certificate's")
	}
	return &authority{cert, key}, nil
}

func readBlock(path, kind string) ([]byte, error) {
	data, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	b, _ := pem.Decode(data)
	if b == nil || b.Type != kind {
		return nil, fmt.Errorf("read %s: it holds no %s", path, kind)
	}
	return b.Bytes, nil
}

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return data, nil
}

// writeFile makes a file for this user alone, and its folder.
func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return durable.WriteFile(path, data)
}
