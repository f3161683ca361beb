package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// authority signs certificates for the tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool()}
	c := a.issue(t, true)
	a.cert = c.Leaf
	a.pool.AddCert(c.Leaf)
	return a
}

func (a *authority) issue(t *testing.T, ca bool) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: ca, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := tmpl, key
	if ca {
		a.key = key
	} else {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func (a *authority) config(t *testing.T) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.issue(t, false)}, RootCAs: a.pool, ClientCAs: a.pool,
		ClientAuth: tls.RequireAndVerifyClientCert}
}

func testMux(t *testing.T, conf *tls.Config) (*mux, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := newMux(ln, &Options{Shards: 3, TLS: conf, Logger: slog.New(slog.DiscardHandler)}, ln.Addr().String())
	t.Cleanup(m.Close)
	return m, ln.Addr().String()
}

func TestMuxGroups(t *testing.T) {
	ca := newAuthority(t)
	for name, conf := range map[string]*tls.Config{"plain": nil, "tls": ca.config(t)} {
		t.Run(name, func(t *testing.T) {
			a, _ := testMux(t, conf)
			b, addr := testMux(t, conf)
			for group := range 3 {
				out, err := a.layers[group].Dial(raft.ServerAddress(addr), time.Second)
				if err != nil {
					t.Fatal(err)
				}
				in, err := b.layers[group].Accept()
				if err != nil {
					t.Fatal(err)
				}
				if _, err := out.Write([]byte("hello")); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, 5)
				if _, err := io.ReadFull(in, got); err != nil || string(got) != "hello" {
					t.Errorf("group %d heard %q, %v", group, got, err)
				}
			}
			b.Close() // with connections open on both sides
			if _, err := b.layers[0].Dial(raft.ServerAddress(addr), time.Second); err == nil {
				t.Error("dialled out of a closed mux")
			}
		})
	}
}

// expectEnd reads until the other side has closed.
func expectEnd(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil || isTimeout(err) {
		t.Errorf("the connection lives on: %d bytes, %v", n, err)
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func TestMuxRefuses(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	m, addr := testMux(t, ca.config(t))
	plain, plainAddr := testMux(t, nil)
	dial := func(addr, say string) net.Conn {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := c.Write([]byte(say)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	t.Run("unknown group", func(t *testing.T) { expectEnd(t, dial(plainAddr, "\x00\x00\x00\x03")) })
	t.Run("plain text to tls", func(t *testing.T) { expectEnd(t, dial(addr, "GET / HTTP/1.1\r\n\r\n")) })
	t.Run("no certificate", func(t *testing.T) {
		c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: ca.pool})
		if err != nil {
			return // refused during the handshake
		}
		defer c.Close()
		_, _ = c.Write([]byte{0, 0, 0, 0})
		expectEnd(t, c)
	})
	t.Run("another authority", func(t *testing.T) {
		other, _ := testMux(t, stranger.config(t))
		if _, err := other.layers[0].Dial(raft.ServerAddress(addr), time.Second); err == nil {
			t.Error("trusted a server of another authority")
		}
	})
	t.Run("closed while greeting", func(t *testing.T) {
		c := dial(plainAddr, "\x00")
		plain.Close()
		expectEnd(t, c)
	})
	if n := len(m.layers[0].accept); n != 0 {
		t.Errorf("%d connections got through", n)
	}
}

func TestListenRefusesTheOpenNet(t *testing.T) {
	o := options(t, t.TempDir())
	o.Listen = "0.0.0.0:0"
	if _, err := Start(o, newTapes(2).pump); err == nil {
		t.Error("listens everywhere without tls")
	}
	o.TLS = newAuthority(t).config(t)
	n, ts := start(t, o)
	ts.ready(t)
	propose(t, n, 0, "x")
}
