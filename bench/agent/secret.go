package agent

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

// shortest is how long a secret must be where others than this machine's users could try some.
const shortest = 16

// handshakeTime bounds everything until both sides know each other.
const handshakeTime = 10 * time.Second

// Who proves something.
const (
	asCoordinator = "coordinator"
	asAgent       = "agent"
)

// errSecret means that the two do not have the same secret.
var errSecret = errors.New("the secret is not the same on both sides")

// certificate is a key for one process's life. It proves nothing: who is at the other end of the encrypted connection is
// proved by the secret.
func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make key: %w", err)
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(10 * 365 * 24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// proof is what only somebody can say who knows the secret, of this very connection: whoever stands in between has two
// connections, with different keys.
func proof(conn *tls.Conn, secret []byte, who string) ([]byte, error) {
	state := conn.ConnectionState()
	bound, err := state.ExportKeyingMaterial("EXPORTER-catraca-bench-agent", nil, 32)
	if err != nil {
		return nil, fmt.Errorf("bind the secret to the connection: %w", err)
	}
	m := hmac.New(sha256.New, secret)
	_, _ = m.Write([]byte(who + "\x00")) // never fails
	_, _ = m.Write(bound)
	return m.Sum(nil), nil
}

// proved receives a proof and says whether it is right.
func proved(c *channel, conn *tls.Conn, secret []byte, who string) error {
	want, err := proof(conn, secret, who)
	if err != nil {
		return err
	}
	kind, got, err := c.receive(handshakeTime)
	if err != nil {
		return fmt.Errorf("read proof: %w", err)
	}
	if kind == kindFailed {
		return fmt.Errorf("the agent says: %.300s", got)
	}
	if kind != kindProof || !hmac.Equal(got, want) {
		return errSecret
	}
	return nil
}

// welcome is the agent's side of getting to know each other.
func welcome(ctx context.Context, raw net.Conn, cert tls.Certificate, secret []byte) (*channel, error) {
	conn := tls.Server(raw, &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, SessionTicketsDisabled: true})
	c, err := meet(ctx, conn)
	if err != nil {
		return nil, err
	}
	if err := proved(c, conn, secret, asCoordinator); err != nil {
		if errors.Is(err, errSecret) {
			_ = c.send(kindFailed, []byte(errSecret.Error())) // it is refused in any case
		}
		return nil, err
	}
	mine, err := proof(conn, secret, asAgent)
	if err != nil {
		return nil, err
	}
	return c, c.send(kindProof, mine)
}

// visit is the coordinator's side of it.
func visit(ctx context.Context, raw net.Conn, secret []byte) (*channel, error) {
	conn := tls.Client(raw, &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true}) //nolint:gosec // the proofs tell who it is
	c, err := meet(ctx, conn)
	if err != nil {
		return nil, err
	}
	mine, err := proof(conn, secret, asCoordinator)
	if err != nil {
		return nil, err
	}
	if err := c.send(kindProof, mine); err != nil {
		return nil, err
	}
	return c, proved(c, conn, secret, asAgent)
}

func meet(ctx context.Context, conn *tls.Conn) (*channel, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("encrypt connection: %w", err)
	}
	return newChannel(conn), nil
}

// Allowed says whether an agent may listen on an address with a secret: beyond this machine it needs a real one.
func Allowed(address string, secret []byte) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("listen on %.100q: %w", address, err)
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() && len(secret) == 0 {
		return nil
	}
	if len(secret) < shortest {
		return fmt.Errorf("listen on %.100q: others than this machine could reach it, so a secret of at least %d bytes is needed", address, shortest)
	}
	return nil
}
