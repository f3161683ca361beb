package pki

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// RefusedError is what the other node answered instead of a certificate.
type RefusedError struct{ Why string }

// Error implements error.
func (e *RefusedError) Error() string { return "the other node refused: " + e.Why }

// Joined is what a newcomer got.
type Joined struct {
	Welcome []byte
	From    string // the node that answered

	auth *authority
	cert []byte
	key  *newKey
}

// Join comes to the node that wrote the invitation and gets this node's certificate. Nothing is written: Keep does.
// The folder must hold no identity yet.
func Join(ctx context.Context, o Options, v *Invitation) (*Joined, error) {
	o.complete()
	if _, err := os.Stat(filepath.Join(o.Dir, authorityFile)); err == nil {
		return nil, fmt.Errorf("join: %s holds a certificate already; this node is of a cluster", o.Dir)
	}
	if o.Name != v.Name {
		return nil, fmt.Errorf("join: the invitation is for node %q, this one is %q", v.Name, o.Name)
	}
	if !o.Now().Before(v.Expires) {
		return nil, fmt.Errorf("join: the invitation was good until %s; `catraca cluster invite` writes a new one", v.Expires.UTC().Format(time.RFC3339))
	}
	key, err := makeKey()
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, address := range v.Addresses {
		j, err := joinAt(ctx, o, v, key, address)
		if err == nil {
			return j, nil
		}
		errs = append(errs, fmt.Errorf("join at %s: %w", address, err))
		if _, refused := errors.AsType[*RefusedError](err); refused {
			break // it is the right node, and will not say anything else
		}
	}
	return nil, errors.Join(errs...)
}

func joinAt(ctx context.Context, o Options, v *Invitation, key *newKey, address string) (*Joined, error) {
	j := &Joined{key: key}
	var ca *x509.Certificate
	conf := &tls.Config{
		MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, // the authority is pinned instead of known
		VerifyConnection: func(s tls.ConnectionState) (err error) {
			ca, j.From, err = pinned(s, v.CA, o.Now())
			return err
		},
	}
	a, err := exchange(ctx, address, conf, &question{Kind: kindJoin, Name: v.Name, Secret: v.Secret[:], Request: key.request})
	if err != nil {
		return nil, err
	}
	if j.auth, err = parseAuthority(ca, a.AuthorityKey); err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	if err := j.auth.verify(leaf, v.Name, key.private, o.Now()); err != nil {
		return nil, err
	}
	if len(a.Welcome) > MaxWelcome {
		return nil, fmt.Errorf("the welcome has %d bytes, allowed are %d", len(a.Welcome), MaxWelcome)
	}
	j.cert, j.Welcome = a.Certificate, a.Welcome
	return j, nil
}

// pinned finds the authority that the invitation means among what the other end shows, and checks the other end by it.
func pinned(s tls.ConnectionState, want [sha256.Size]byte, now time.Time) (ca *x509.Certificate, name string, err error) {
	for _, c := range s.PeerCertificates {
		if sha256.Sum256(c.Raw) == want {
			ca = c
		}
	}
	if ca == nil || !ca.IsCA {
		return nil, "", errors.New("this is not the cluster that the invitation is of")
	}
	leaf := s.PeerCertificates[0]
	if name, err = nameOf(leaf); err != nil {
		return nil, "", err
	}
	if _, err := leaf.Verify(x509.VerifyOptions{
		Roots: (&authority{cert: ca}).pool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}); err != nil {
		return nil, "", fmt.Errorf("check the other node's certificate: %w", err)
	}
	return ca, name, nil
}

// Keep writes the identity into the folder. It can be opened from then on.
func (j *Joined) Keep(dir string) error {
	if err := writeNode(dir, j.cert, j.key.private); err != nil {
		return err
	}
	return j.auth.save(dir)
}

// Renew gets a new certificate for this node from the node at an address, by the one it has.
func Renew(ctx context.Context, i *Identity, address, name string) error {
	key, err := makeKey()
	if err != nil {
		return err
	}
	conf := i.TLS()
	conf.ServerName = name
	a, err := exchange(ctx, address, conf, &question{Kind: kindRenew, Name: i.opt.Name, Request: key.request})
	if err != nil {
		return err
	}
	return i.install(a.Certificate, key.private)
}

// exchange dials, asks and reads the answer.
func exchange(ctx context.Context, address string, conf *tls.Config, q *question) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	defer func() { _ = conn.Close() }() // nothing follows
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline) // a TCP connection has deadlines
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write([]byte{Preface}); err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	t := tls.Client(conn, conf)
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	if err := send(t, maxQuestion, q); err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	var a answer
	if err := receive(t, maxAnswer, &a); err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if a.Refused != "" {
		return nil, &RefusedError{a.Refused}
	}
	return &a, nil
}
