package pki

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is set by hand.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time        { return time.Unix(0, c.at.Load()) }
func (c *clock) pass(by time.Duration) { c.at.Add(int64(by)) }

// founder is a node that has founded a cluster and serves its desk on a loopback port.
type founder struct {
	*Identity

	clock   *clock
	desk    *Desk
	address string
	joined  atomic.Int32
}

func foundAt(t *testing.T, name string) *founder {
	t.Helper()
	f := &founder{clock: newClock()}
	i, err := Found(Options{Dir: filepath.Join(t.TempDir(), "pki"), Name: name, Now: f.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	f.Identity = i
	f.desk = NewDesk(DeskOptions{
		Identity: i,
		Welcome: func(name string, role Role) ([]byte, error) {
			return []byte("welcome " + name + " " + string(role)), nil
		},
		Joined: func(string, Role, net.Addr) { f.joined.Add(1) },
	})
	f.address = serve(t, f.desk)
	return f
}

// serve hands connections with the preface to a desk, as a node does.
func serve(t *testing.T, d *Desk) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				var b [1]byte
				if _, err := io.ReadFull(c, b[:]); err != nil || b[0] != Preface {
					_ = c.Close()
					return
				}
				d.Serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
	})
	return ln.Addr().String()
}

func (f *founder) invite(t *testing.T, name string, role Role) *Invitation {
	t.Helper()
	v, err := f.desk.Invite(name, role, 15*time.Minute, []string{f.address})
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseInvitation(v.String())
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func (f *founder) join(t *testing.T, v *Invitation) (*Identity, error) {
	t.Helper()
	o := Options{Dir: filepath.Join(t.TempDir(), "pki"), Name: v.Name, Now: f.clock.now}
	j, err := Join(t.Context(), o, v)
	if err != nil {
		return nil, err
	}
	if want := "welcome " + v.Name + " " + string(v.Role); string(j.Welcome) != want || j.From != f.Name() {
		t.Errorf("welcome %q from %q", j.Welcome, j.From)
	}
	if err := j.Keep(o.Dir); err != nil {
		t.Fatal(err)
	}
	return Open(o)
}

func (f *founder) mustJoin(t *testing.T, name string, role Role) *Identity {
	t.Helper()
	i, err := f.join(t, f.invite(t, name, role))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// meet connects two nodes as they do between each other, and tells whom the server saw.
func meet(t *testing.T, from, to *tls.Config, name string) (seen string, err error) {
	t.Helper()
	a, b := net.Pipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	client := from.Clone()
	client.ServerName = name
	server := tls.Server(b, to)
	done := make(chan error, 1)
	go func() { done <- server.HandshakeContext(ctx) }()
	errC := tls.Client(a, client).HandshakeContext(ctx)
	if errC != nil {
		_ = a.Close()
	}
	errS := <-done
	if errS == nil {
		seen, errS = PeerName(server.ConnectionState())
	}
	return seen, errors.Join(errC, errS)
}

func TestNodesKnowEachOther(t *testing.T) {
	f := foundAt(t, "n1")
	n2 := f.mustJoin(t, "n2", RoleVoter)
	g := f.mustJoin(t, "g1", RoleGateway)
	if !n2.CanIssue() || g.CanIssue() {
		t.Errorf("voter can issue: %v, gateway: %v", n2.CanIssue(), g.CanIssue())
	}
	if f.joined.Load() != 2 {
		t.Errorf("%d were told of", f.joined.Load())
	}
	for _, c := range []struct{ from, to *Identity }{{f.Identity, n2}, {n2, f.Identity}, {g, n2}, {n2, g}} {
		seen, err := meet(t, c.from.TLS(), c.to.TLS(), c.to.Name())
		if err != nil || seen != c.from.Name() {
			t.Errorf("%s to %s: seen as %q, %v", c.from.Name(), c.to.Name(), seen, err)
		}
	}
	if _, err := meet(t, f.TLS(), n2.TLS(), "n3"); err == nil || !strings.Contains(err.Error(), "n3") {
		t.Errorf("n2 passed for n3: %v", err)
	}
	other := foundAt(t, "n1")
	if _, err := meet(t, other.TLS(), n2.TLS(), "n2"); err == nil {
		t.Error("a node of another cluster was let in")
	}
	// What n2 joined by, it can do for others.
	desk := NewDesk(DeskOptions{Identity: n2, Welcome: func(string, Role) ([]byte, error) { return nil, nil }})
	v, err := desk.Invite("n3", RoleVoter, time.Minute, []string{serve(t, desk)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Join(t.Context(), Options{Dir: t.TempDir(), Name: "n3", Now: f.clock.now}, v); err != nil {
		t.Error(err)
	}
}

func TestInvitationsAreRefused(t *testing.T) {
	f := foundAt(t, "n1")
	refused := func(name string, v *Invitation, want string) {
		t.Helper()
		_, err := f.join(t, v)
		var r *RefusedError
		if !errors.As(err, &r) || !strings.Contains(r.Why, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	used := f.invite(t, "n2", RoleVoter)
	if _, err := f.join(t, used); err != nil {
		t.Fatal(err)
	}
	refused("used before", used, "not valid")

	forged := f.invite(t, "n3", RoleVoter)
	right := *forged
	forged.Secret[7] ^= 1
	refused("another secret", forged, "not valid")
	wrong := right
	wrong.Name = "n9"
	refused("another name", &wrong, "not valid")
	for range maxTries - 1 {
		refused("tried again", forged, "not valid")
	}
	refused("withdrawn after wrong tries", &right, "not valid")

	late := f.invite(t, "n4", RoleVoter)
	f.clock.pass(15 * time.Minute)
	if _, err := f.join(t, late); err == nil || !strings.Contains(err.Error(), "was good until") {
		t.Errorf("expired: %v", err)
	}
	late.Expires = late.Expires.Add(time.Hour) // who says so itself
	refused("expired, with another time", late, "not valid")

	replaced := f.invite(t, "n5", RoleVoter)
	f.invite(t, "n5", RoleVoter)
	refused("written anew", replaced, "not valid")

	elsewhere := f.invite(t, "n6", RoleVoter)
	elsewhere.CA = sha256.Sum256([]byte("another"))
	if _, err := f.join(t, elsewhere); err == nil || !strings.Contains(err.Error(), "not the cluster") {
		t.Errorf("another authority: %v", err)
	}
	mine := f.invite(t, "n7", RoleVoter)
	if _, err := Join(t.Context(), Options{Dir: t.TempDir(), Name: "n8", Now: f.clock.now}, mine); err == nil || !strings.Contains(err.Error(), `"n7"`) {
		t.Errorf("another node: %v", err)
	}
	if _, err := Join(t.Context(), f.opt, mine); err == nil {
		t.Error("a node that has a certificate joined")
	}
	if f.joined.Load() != 1 {
		t.Errorf("%d were told of", f.joined.Load())
	}
}

// The answer may be lost on its way; the same newcomer comes again, and nobody else does.
func TestSameNewcomerComesAgain(t *testing.T) {
	f := foundAt(t, "n1")
	v := f.invite(t, "n2", RoleVoter)
	o := Options{Name: "n2", Now: f.clock.now, Dir: t.TempDir()}
	o.complete()
	key, err := makeKey()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := joinAt(t.Context(), o, v, key, f.address); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Join(t.Context(), o, v); err == nil {
		t.Error("another key was let in by a used invitation")
	}
}

func TestJoinTriesEveryAddress(t *testing.T) {
	f := foundAt(t, "n1")
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.Close()
	v, err := f.desk.Invite("n2", RoleVoter, time.Minute, []string{dead.Addr().String(), f.address})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.join(t, v); err != nil {
		t.Error(err)
	}
}

func TestWelcomeFailsAndWorksLater(t *testing.T) {
	f := foundAt(t, "n1")
	fail := true
	desk := NewDesk(DeskOptions{Identity: f.Identity, Welcome: func(string, Role) ([]byte, error) {
		if fail {
			return nil, errors.New("not now")
		}
		return make([]byte, MaxWelcome), nil
	}})
	v, err := desk.Invite("n2", RoleVoter, time.Minute, []string{serve(t, desk)})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Name: "n2", Now: f.clock.now, Dir: t.TempDir()}
	o.complete()
	key, err := makeKey()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := joinAt(t.Context(), o, v, key, v.Addresses[0]); err == nil || !strings.Contains(err.Error(), "not now") {
		t.Errorf("got %v", err)
	}
	fail = false
	j, err := joinAt(t.Context(), o, v, key, v.Addresses[0])
	if err != nil || len(j.Welcome) != MaxWelcome {
		t.Errorf("got %v", err)
	}
}

func TestInviteIsChecked(t *testing.T) {
	f := foundAt(t, "n1")
	g := f.mustJoin(t, "g1", RoleGateway)
	at := []string{"127.0.0.1:7100"}
	for _, c := range []struct {
		why  string
		desk *Desk
		name string
		role Role
		ttl  time.Duration
		at   []string
	}{
		{"a bad name", f.desk, "N_2", RoleVoter, time.Minute, at},
		{"this node", f.desk, "n1", RoleVoter, time.Minute, at},
		{"a bad role", f.desk, "n2", "king", time.Minute, at},
		{"too long", f.desk, "n2", RoleVoter, 25 * time.Hour, at},
		{"no time", f.desk, "n2", RoleVoter, 0, at},
		{"no address", f.desk, "n2", RoleVoter, time.Minute, nil},
		{"a bad address", f.desk, "n2", RoleVoter, time.Minute, []string{"127.0.0.1"}},
		{"port 0", f.desk, "n2", RoleVoter, time.Minute, []string{"127.0.0.1:0"}},
		{"from a gateway", NewDesk(DeskOptions{Identity: g}), "n2", RoleVoter, time.Minute, at},
	} {
		if _, err := c.desk.Invite(c.name, c.role, c.ttl, c.at); err == nil {
			t.Errorf("%s: invited", c.why)
		}
	}
	for i := range maxOpen - 1 { // the one that was used counts until it ends
		if _, err := f.desk.Invite("m"+string(rune('a'+i%26))+string(rune('a'+i/26)), RoleVoter, time.Minute, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.desk.Invite("n2", RoleVoter, time.Minute, at); err == nil {
		t.Error("more invitations than allowed")
	}
	f.clock.pass(2 * time.Minute)
	if _, err := f.desk.Invite("n2", RoleVoter, time.Minute, at); err != nil {
		t.Error(err)
	}
}

func TestRenew(t *testing.T) {
	f := foundAt(t, "n1")
	g := f.mustJoin(t, "g1", RoleGateway)
	ask := func(ctx context.Context, i *Identity) error { return Renew(ctx, i, f.address, "n1") }
	if renewed, err := f.RenewIfDue(t.Context(), nil); renewed || err != nil {
		t.Errorf("renewed %v, %v, while fresh", renewed, err)
	}
	f.clock.pass(nodeLife*2/3 + 2*skew)
	before := g.TLS() // the configuration stays, its certificate is another
	for _, i := range []*Identity{f.Identity, g} {
		old := i.Expires()
		renewed, err := i.RenewIfDue(t.Context(), ask)
		if !renewed || err != nil || !i.Expires().After(old) {
			t.Fatalf("%s: renewed %v, %v, until %s", i.Name(), renewed, err, i.Expires())
		}
		again, err := Open(i.opt)
		if err != nil || !again.Expires().Equal(i.Expires()) {
			t.Errorf("%s: opened anew: %v", i.Name(), err)
		}
	}
	f.clock.pass(nodeLife / 2)
	if seen, err := meet(t, before, f.TLS(), "n1"); err != nil || seen != "g1" {
		t.Errorf("after the renewal: %q, %v", seen, err)
	}
	// A gateway that was away for too long needs an invitation; a voter helps itself.
	f.clock.pass(nodeLife)
	if _, err := Open(g.opt); err == nil {
		t.Error("an expired certificate was opened")
	}
	if i, err := Open(f.opt); err != nil || i.Due() {
		t.Errorf("the founder's: %v", err)
	}
}

func TestRenewIsOnlyForItself(t *testing.T) {
	f := foundAt(t, "n1")
	g := f.mustJoin(t, "g1", RoleGateway)
	key, err := makeKey()
	if err != nil {
		t.Fatal(err)
	}
	conf := g.TLS()
	conf.ServerName = "n1"
	_, err = exchange(t.Context(), f.address, conf, &question{Kind: kindRenew, Name: "n1", Request: key.request})
	if err == nil || !strings.Contains(err.Error(), "only a node with a valid certificate") {
		t.Errorf("g1 asked for n1's: %v", err)
	}
	conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &tls.Certificate{}, nil }
	_, err = exchange(t.Context(), f.address, conf, &question{Kind: kindRenew, Name: "g1", Request: key.request})
	if err == nil || !strings.Contains(err.Error(), "only a node with a valid certificate") {
		t.Errorf("without a certificate: %v", err)
	}
	_, err = exchange(t.Context(), f.address, g.TLS(), &question{Kind: "king", Name: "g1"})
	if err == nil {
		t.Error("an unknown request was answered")
	}
}

func TestRequestsAreChecked(t *testing.T) {
	f := foundAt(t, "n1")
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, p384)
	if err != nil {
		t.Fatal(err)
	}
	key, err := makeKey()
	if err != nil {
		t.Fatal(err)
	}
	forged := append([]byte(nil), key.request...)
	forged[len(forged)-1] ^= 1
	for name, csr := range map[string][]byte{"another curve": other, "a forged signature": forged, "no request": []byte("hello"), "nothing": nil} {
		if _, err := f.auth.sign("n2", csr, f.clock.now()); err == nil {
			t.Errorf("%s was signed", name)
		}
	}
	// What a request asks for beside its key is not given.
	greedy, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{"n1", "evil"}}, key.private)
	if err != nil {
		t.Fatal(err)
	}
	der, err := f.auth.sign("n2", greedy, f.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := nameOf(leaf); err != nil || got != "n2" || leaf.IsCA {
		t.Errorf("it is of %q, %v", got, err)
	}
}

func TestFilesAreForTheNodeAlone(t *testing.T) {
	f := foundAt(t, "n1")
	for _, n := range []string{".", authorityFile, authorityKeyFile, nodeFile} {
		info, err := os.Stat(filepath.Join(f.opt.Dir, n))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", n, info.Mode())
		}
	}
	again, err := Found(f.opt)
	if err != nil || again.Fingerprint() != f.Fingerprint() {
		t.Errorf("founded again: %v", err)
	}
	o := f.opt
	o.Name = "n2"
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), `"n1"`) {
		t.Errorf("opened under another name: %v", err)
	}
	if _, err := Open(Options{Dir: t.TempDir(), Name: "n1"}); !errors.Is(err, ErrNone) {
		t.Errorf("an empty folder: %v", err)
	}
	for _, n := range []string{nodeFile, authorityKeyFile, authorityFile} {
		if err := os.WriteFile(filepath.Join(f.opt.Dir, n), []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(f.opt); err == nil || errors.Is(err, ErrNone) {
			t.Errorf("damaged %s: %v", n, err)
		}
	}
}

func TestDeskOutlastsNonsense(t *testing.T) {
	f := foundAt(t, "n1")
	for _, b := range []string{"", "hello", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff"} {
		c, err := net.Dial("tcp", f.address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte("J" + b))
		_ = c.Close()
	}
	f.mustJoin(t, "n2", RoleVoter)
}
