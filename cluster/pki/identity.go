package pki

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Names of the files. A certificate and its key are one file, so that one cannot be of another time than the other.
const (
	authorityFile    = "ca.crt"
	authorityKeyFile = "ca.key"
	nodeFile         = "node.pem"
	maxFile          = 64 << 10
)

// Options of an Identity.
type Options struct {
	Dir    string           // folder of its files; made when missing, mode 0700
	Name   string           // the node's
	Now    func() time.Time // nil: the system's clock
	Logger *slog.Logger     // nil: silent
}

// Identity is who this node is to the others, and whom it believes. Its methods may be called from any goroutine.
type Identity struct {
	opt  Options
	auth *authority
	mine atomic.Pointer[tls.Certificate]

	mu sync.Mutex // held while renewing
}

// ErrNone says that a folder holds no identity: the node has neither founded a cluster nor joined one.
var ErrNone = errors.New("this node has no certificate of a cluster")

// Found makes the authority of a new cluster, if the folder holds none, and this node's certificate.
func Found(o Options) (*Identity, error) {
	o.complete()
	if err := CheckName(o.Name); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(o.Dir, authorityFile)); err == nil {
		return Open(o)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for the cluster's certificate: %w", err)
	}
	a, err := found(o.Now())
	if err != nil {
		return nil, err
	}
	if err := a.save(o.Dir); err != nil {
		return nil, err
	}
	return Open(o)
}

// Open reads the identity in the folder; ErrNone when there is none. A founder's certificate that is missing is made.
func Open(o Options) (*Identity, error) {
	o.complete()
	a, err := load(o.Dir)
	if err != nil {
		return nil, err
	}
	i := &Identity{opt: o, auth: a}
	cert, err := readNode(filepath.Join(o.Dir, nodeFile))
	if errors.Is(err, fs.ErrNotExist) && a.key != nil {
		if err := i.issueOwn(); err != nil {
			return nil, err
		}
		return i, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open %s: %w", o.Dir, ErrNone)
	}
	if err != nil {
		return nil, err
	}
	err = a.verify(cert.Leaf, o.Name, cert.PrivateKey.(*ecdsa.PrivateKey), o.Now()) // readNode reads no other
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired && a.key != nil {
		err = i.issueOwn()
		return i, err
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", filepath.Join(o.Dir, nodeFile), err)
	}
	i.mine.Store(cert)
	return i, nil
}

func (o *Options) complete() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// Name is the node's.
func (i *Identity) Name() string { return i.opt.Name }

// CanIssue says whether this node can make certificates: every node but gateways can.
func (i *Identity) CanIssue() bool { return i.auth.key != nil }

// Fingerprint is the SHA-256 of the cluster's certificate.
func (i *Identity) Fingerprint() [sha256.Size]byte { return sha256.Sum256(i.auth.cert.Raw) }

// Expires is when this node's certificate ends.
func (i *Identity) Expires() time.Time { return i.mine.Load().Leaf.NotAfter }

// TLS is for both ends of the connections between nodes. The end that connects must set ServerName to the name of the
// node it means to reach, on a clone.
func (i *Identity) TLS() *tls.Config {
	pool := i.auth.pool()
	return &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, Time: i.opt.Now,
		GetCertificate:       func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return i.mine.Load(), nil },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return i.mine.Load(), nil },
		VerifyConnection: func(s tls.ConnectionState) error {
			_, err := PeerName(s)
			return err
		},
	}
}

// PeerName is the node at the other end of a connection whose certificate has been verified.
func PeerName(s tls.ConnectionState) (string, error) {
	if len(s.PeerCertificates) == 0 {
		return "", errors.New("the other end shows no certificate")
	}
	return nameOf(s.PeerCertificates[0])
}

// issueOwn makes this node's certificate where the cluster's key is at hand.
func (i *Identity) issueOwn() error {
	key, err := makeKey()
	if err != nil {
		return err
	}
	der, err := i.auth.sign(i.opt.Name, key.request, i.opt.Now())
	if err != nil {
		return err
	}
	return i.install(der, key.private)
}

// install checks a new certificate, keeps it and shows it from now on.
func (i *Identity) install(der []byte, key *ecdsa.PrivateKey) error {
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	if err := i.auth.verify(leaf, i.opt.Name, key, i.opt.Now()); err != nil {
		return err
	}
	if err := writeNode(i.opt.Dir, der, key); err != nil {
		return err
	}
	i.mine.Store(&tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf})
	return nil
}

// Ask gets a certificate from another node, by [Renew] over some connection.
type Ask func(ctx context.Context, i *Identity) error

// Due says whether less than a third of the certificate's life is left.
func (i *Identity) Due() bool {
	c := i.mine.Load().Leaf
	return i.opt.Now().After(c.NotAfter.Add(-c.NotAfter.Sub(c.NotBefore) / 3))
}

// RenewIfDue renews the certificate when it is due: here where the cluster's key is at hand, else by ask.
func (i *Identity) RenewIfDue(ctx context.Context, ask Ask) (renewed bool, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case !i.Due():
		return false, nil
	case i.CanIssue():
		err = i.issueOwn()
	case ask != nil:
		err = ask(ctx, i)
	default:
		return false, nil
	}
	return err == nil, err
}

// Keep renews the certificate whenever it is due, until ctx is done. It looks every hour.
func (i *Identity) Keep(ctx context.Context, ask Ask) {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		renewed, err := i.RenewIfDue(ctx, ask)
		switch {
		case err != nil:
			i.opt.Logger.Warn("node certificate not renewed", slog.Time("expires", i.Expires()), slog.Any("error", err))
		case renewed:
			i.opt.Logger.Info("node certificate renewed", slog.Time("expires", i.Expires()))
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func readNode(path string) (*tls.Certificate, error) {
	data, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	c, err := tls.X509KeyPair(data, data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if _, ok := c.PrivateKey.(*ecdsa.PrivateKey); !ok {
		return nil, fmt.Errorf("read %s: its key is of an unknown kind", path)
	}
	if c.Leaf == nil {
		if c.Leaf, err = x509.ParseCertificate(c.Certificate[0]); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
	}
	return &c, nil
}

func writeNode(dir string, der []byte, key *ecdsa.PrivateKey) error {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	return writeFile(filepath.Join(dir, nodeFile), append(
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...))
}
