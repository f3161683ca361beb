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
	"path/filepath"
	"testing"
	"time"
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

func (a *authority) issue(t *testing.T, ca bool, names ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: ca, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: names,
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

func (a *authority) config(t *testing.T, name string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.issue(t, false, name)}, RootCAs: a.pool, ClientCAs: a.pool,
		ClientAuth: tls.RequireAndVerifyClientCert}
}

// testMux is the mux of a node's second incarnation, which knows where others are.
func testMux(t *testing.T, name string, conf *tls.Config, others ...*mux) (*mux, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &Options{NodeID: name, Dir: filepath.Join(t.TempDir(), "raft"), Shards: 3, TLS: conf, Logger: slog.New(slog.DiscardHandler)}
	for _, m := range others {
		o.Seeds = append(o.Seeds, Peer{nameOf(m.me), m.ln.Addr().String()})
	}
	m := newMux(ln, o, serverID(name, 2), "c1", openBook(o))
	m.start()
	t.Cleanup(m.Close)
	return m, ln.Addr().String()
}

func TestMuxGroups(t *testing.T) {
	ca := newAuthority(t)
	for name, conf := range map[string]func(string) *tls.Config{
		"plain": func(string) *tls.Config { return nil },
		"tls":   func(name string) *tls.Config { return ca.config(t, name) },
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := testMux(t, "b", conf("b"))
			a, _ := testMux(t, "a", conf("a"), b)
			for group := range 3 {
				out, err := a.layers[group].Dial("b~2", time.Second)
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
			a.Close() // with connections open on both sides
			if _, err := a.layers[0].Dial("b~2", time.Second); err == nil {
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
	m, addr := testMux(t, "b", ca.config(t, "b"))
	plain, plainAddr := testMux(t, "b", nil)
	plain.welcome = func(id string) error {
		if id == "gone" {
			return errWhoAreYou
		}
		return nil
	}
	say := func(t *testing.T, c net.Conn, what string) net.Conn {
		t.Helper()
		t.Cleanup(func() { c.Close() })
		if _, err := c.Write([]byte(what)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	dial := func(t *testing.T, addr, what string) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		return say(t, c, what)
	}
	good := greeting{group: 0, cluster: "c1", to: "b~2", from: "a"}
	for name, h := range map[string]greeting{
		"unknown group":       {3, "c1", "b~2", "a"},
		"another cluster":     {0, "c2", "b~2", "a"},
		"another incarnation": {0, "c1", "b", "a"},
		"another node":        {0, "c1", "c", "a"},
		"not welcome":         {0, "c1", "b~2", "gone"},
	} {
		t.Run(name, func(t *testing.T) { expectEnd(t, dial(t, plainAddr, "R"+string(h.encode()))) })
	}
	t.Run("no such preface", func(t *testing.T) { expectEnd(t, dial(t, plainAddr, "X")) })
	t.Run("plain text to tls", func(t *testing.T) { expectEnd(t, dial(t, addr, "GET / HTTP/1.1\r\n\r\n")) })
	over := func(t *testing.T, conf *tls.Config) *tls.Conn {
		conf.ServerName = "b"
		return tls.Client(dial(t, addr, "R"), conf)
	}
	t.Run("no certificate", func(t *testing.T) {
		c := over(t, &tls.Config{RootCAs: ca.pool})
		if err := c.Handshake(); err != nil {
			return // refused during the handshake
		}
		expectEnd(t, say(t, c, string(good.encode())))
	})
	t.Run("a name that is not in the certificate", func(t *testing.T) {
		expectEnd(t, say(t, over(t, ca.config(t, "c")), string(good.encode())))
	})
	t.Run("another authority", func(t *testing.T) {
		other, _ := testMux(t, "c", stranger.config(t, "c"), m)
		if _, err := other.layers[0].Dial("b~2", time.Second); err == nil {
			t.Error("trusted a server of another authority")
		}
	})
	t.Run("somebody else at the address", func(t *testing.T) {
		a, _ := testMux(t, "a", ca.config(t, "a"))
		a.book.learn(true, bookNode{Name: "c", ServerID: "c", Address: addr})
		if _, err := a.layers[0].Dial("c", time.Second); err == nil {
			t.Error("took b for c")
		}
	})
	t.Run("closed while greeting", func(t *testing.T) {
		c := dial(t, plainAddr, "R\x00")
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
	o.TLS = newAuthority(t).config(t, "n1")
	n, ts := start(t, o)
	ts.ready(t)
	propose(t, n, 0, "x")
}
