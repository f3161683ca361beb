package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// How long certificates are good for, and how much earlier than now they begin, for clocks that differ.
const (
	authorityLife = 20 * 365 * 24 * time.Hour
	nodeLife      = 365 * 24 * time.Hour
	skew          = time.Hour
)

// authority is the cluster's own certificate, with its key where this node may issue certificates.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer // nil: cannot issue
}

// found makes the authority of a new cluster.
func found(now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make authority key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Catraca cluster"},
		NotBefore: now.Add(-skew), NotAfter: now.Add(authorityLife),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	return &authority{cert, key}, nil
}

// issue certifies that a key is a node's.
func (a *authority) issue(name string, public any, now time.Time) ([]byte, error) {
	if a.key == nil {
		return nil, errors.New("issue certificate: this node does not have the cluster's key")
	}
	if err := CheckName(name); err != nil {
		return nil, fmt.Errorf("issue certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: now.Add(-skew), NotAfter: minTime(now.Add(nodeLife), a.cert.NotAfter),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
	if err != nil {
		return nil, fmt.Errorf("issue certificate: %w", err)
	}
	return der, nil
}

// sign answers a request. Of what it asks for only its key counts, and that whoever asks has it.
func (a *authority) sign(name string, request []byte, now time.Time) ([]byte, error) {
	csr, err := x509.ParseCertificateRequest(request)
	if err != nil {
		return nil, fmt.Errorf("read certificate request: %w", err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("check certificate request: %w", err)
	}
	key, ok := csr.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("check certificate request: its key is not of P-256")
	}
	return a.issue(name, key, now)
}

// newKey is a key without a certificate, and the request for it.
type newKey struct {
	private *ecdsa.PrivateKey
	request []byte // PKCS #10, DER
}

func makeKey() (*newKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, fmt.Errorf("make certificate request: %w", err)
	}
	return &newKey{key, der}, nil
}

// verify checks that a certificate is this node's by this authority: for the name, for the key, and at that time.
func (a *authority) verify(leaf *x509.Certificate, name string, key crypto.Signer, now time.Time) error {
	got, err := nameOf(leaf)
	if err != nil {
		return err
	}
	if got != name {
		return fmt.Errorf("the certificate is of node %q, not of %q", got, name)
	}
	public, ok := key.Public().(*ecdsa.PublicKey)
	if !ok || !public.Equal(leaf.PublicKey) {
		return errors.New("the certificate is of another key")
	}
	if _, err := leaf.Verify(x509.VerifyOptions{
		Roots: a.pool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}); err != nil {
		return fmt.Errorf("check certificate: %w", err)
	}
	return nil
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// nameOf is the one name that a node's certificate says.
func nameOf(c *x509.Certificate) (string, error) {
	if len(c.DNSNames) != 1 || len(c.IPAddresses)+len(c.EmailAddresses)+len(c.URIs) != 0 {
		return "", errors.New("the certificate is not of one node")
	}
	return c.DNSNames[0], CheckName(c.DNSNames[0])
}

// CheckName tells whether a node may be called so: 1 to 63 of a-z, 0-9 and -, with no - at either end.
func CheckName(name string) error {
	if name == "" || len(name) > 63 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" ||
		name[0] == '-' || name[len(name)-1] == '-' {
		return fmt.Errorf("node name %q: allowed are 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit", name)
	}
	return nil
}

func serial() *big.Int {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails
	raw[0] &= 0x7f        // positive
	return new(big.Int).SetBytes(raw)
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
