package pki

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Bounds of a desk.
const (
	maxOpen      = 32               // invitations at once
	maxTries     = 5                // wrong secrets until an invitation is withdrawn
	maxServing   = 8                // exchanges at once
	exchangeTime = 15 * time.Second // for one exchange
)

// DeskOptions of a Desk.
type DeskOptions struct {
	Identity *Identity
	// Welcome makes what a newcomer is given beside its certificate, at most MaxWelcome bytes. It is called while the
	// newcomer waits; its error refuses the newcomer, who may come again.
	Welcome func(name string, role Role) ([]byte, error)
	// Joined is told about every certificate given to a newcomer; nil: nobody is.
	Joined func(name string, role Role, from net.Addr)
	Logger *slog.Logger // nil: silent
}

// Desk writes invitations and serves those who come with one. Invitations live in memory: those of a process that has
// ended are void. Its methods may be called from any goroutine.
type Desk struct {
	opt   DeskOptions
	slots chan struct{}

	mu   sync.Mutex
	open map[string]*open // by name
}

// open is an invitation without its secret.
type open struct {
	role    Role
	hash    [sha256.Size]byte
	expires time.Time
	tries   int
	usedBy  []byte // the key it was used for: the same newcomer may come again when the answer was lost; nil: unused
}

// NewDesk opens the desk.
func NewDesk(o DeskOptions) *Desk {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Desk{opt: o, slots: make(chan struct{}, maxServing), open: map[string]*open{}}
}

// Invite writes an invitation that is good for ttl, for a node that shall come to one of the addresses. An earlier one
// of the same name is void.
func (d *Desk) Invite(name string, role Role, ttl time.Duration, addresses []string) (*Invitation, error) {
	i := d.opt.Identity
	if !i.CanIssue() {
		return nil, errors.New("invite: this node is a gateway and cannot make certificates; ask a voter")
	}
	if name == i.Name() {
		return nil, fmt.Errorf("invite: %s is this node", name)
	}
	if ttl < time.Second || ttl > MaxLife {
		return nil, fmt.Errorf("invite: it cannot be good for %s, allowed are 1s to %s", ttl, MaxLife)
	}
	now := i.opt.Now()
	v := &Invitation{Name: name, Role: role, Addresses: addresses, CA: i.Fingerprint(), Expires: now.Add(ttl).Truncate(time.Second)}
	if err := v.check(); err != nil {
		return nil, fmt.Errorf("invite: %w", err)
	}
	_, _ = rand.Read(v.Secret[:]) // never fails
	d.mu.Lock()
	defer d.mu.Unlock()
	for n, o := range d.open {
		if now.After(o.expires) {
			delete(d.open, n)
		}
	}
	if _, again := d.open[name]; !again && len(d.open) >= maxOpen {
		return nil, fmt.Errorf("invite: %d invitations are open; they end by themselves", maxOpen)
	}
	d.open[name] = &open{role: role, hash: sha256.Sum256(v.Secret[:]), expires: v.Expires}
	return v, nil
}

// Serve talks to one that dialled the port between nodes to join, or to renew its certificate, and closes the
// connection. It takes a bounded time.
func (d *Desk) Serve(conn net.Conn) {
	defer func() { _ = conn.Close() }() // nothing follows
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), exchangeTime)
	defer cancel()
	_ = conn.SetDeadline(time.Now().Add(exchangeTime)) // a connection without one is no TCP connection
	t := tls.Server(conn, d.opt.Identity.deskTLS())
	if err := t.HandshakeContext(ctx); err != nil {
		d.opt.Logger.Warn("join handshake failed", slog.String("remote", conn.RemoteAddr().String()), slog.Any("error", err))
		return
	}
	var q question
	if err := receive(t, maxQuestion, &q); err != nil {
		d.opt.Logger.Warn("join request not understood", slog.String("remote", conn.RemoteAddr().String()), slog.Any("error", err))
		return
	}
	a, err := d.answer(&q, t.ConnectionState(), conn.RemoteAddr())
	if err != nil {
		d.opt.Logger.Warn("join refused", slog.String("remote", conn.RemoteAddr().String()), slog.Any("error", err))
		a = &answer{Refused: err.Error()}
	}
	if err := send(t, maxAnswer, a); err != nil {
		d.opt.Logger.Warn("join answer not sent", slog.String("remote", conn.RemoteAddr().String()), slog.Any("error", err))
		return
	}
	_ = t.Close() // says that the answer is whole; who is gone already does not care
}

// deskTLS is the identity's, but whoever comes may be without a certificate, and is shown the authority's.
func (i *Identity) deskTLS() *tls.Config {
	c := i.TLS()
	mine := i.mine.Load()
	chain := *mine
	chain.Certificate = [][]byte{mine.Certificate[0], i.auth.cert.Raw}
	c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &chain, nil }
	c.ClientAuth = tls.VerifyClientCertIfGiven
	c.VerifyConnection = nil
	c.SessionTicketsDisabled = true
	return c
}

func (d *Desk) answer(q *question, s tls.ConnectionState, from net.Addr) (*answer, error) {
	i := d.opt.Identity
	if !i.CanIssue() {
		return nil, errGateway
	}
	switch q.Kind {
	case kindRenew:
		name, err := PeerName(s)
		if err != nil || name != q.Name {
			return nil, errors.New("only a node with a valid certificate can renew it; others need an invitation")
		}
		der, err := i.auth.sign(name, q.Request, i.opt.Now())
		return &answer{Certificate: der}, err
	case kindJoin:
		return d.admit(q, from)
	default:
		return nil, errors.New("unknown request")
	}
}

// The refusals. That of an invitation does not say what is wrong with it: that would help only those who guess.
var (
	errInvitation = errors.New("the invitation is not valid here: it was used, has expired, is for another name, or was written by another node or process; `catraca cluster invite` writes a new one")
	errGateway    = errors.New("this node is a gateway and cannot make certificates")
)

func (d *Desk) admit(q *question, from net.Addr) (*answer, error) {
	i := d.opt.Identity
	csr, err := x509.ParseCertificateRequest(q.Request)
	if err != nil {
		return nil, fmt.Errorf("read certificate request: %w", err)
	}
	role, err := d.redeem(q.Name, q.Secret, csr.RawSubjectPublicKeyInfo)
	if err != nil {
		return nil, err
	}
	a := &answer{Authority: i.auth.cert.Raw}
	if a.Certificate, err = i.auth.sign(q.Name, q.Request, i.opt.Now()); err != nil {
		return nil, err
	}
	if role != RoleGateway {
		key, err := x509.MarshalPKCS8PrivateKey(i.auth.key)
		if err != nil {
			return nil, fmt.Errorf("encode key: %w", err)
		}
		a.AuthorityKey = key
	}
	if a.Welcome, err = d.opt.Welcome(q.Name, role); err != nil {
		return nil, err
	}
	if d.opt.Joined != nil {
		d.opt.Joined(q.Name, role, from)
	}
	return a, nil
}

// redeem uses an invitation up, or recognises who used it.
func (d *Desk) redeem(name string, secret, key []byte) (Role, error) {
	now := d.opt.Identity.opt.Now()
	hash := sha256.Sum256(secret)
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.open[name]
	if o == nil {
		return "", errInvitation
	}
	if !now.Before(o.expires) {
		delete(d.open, name)
		return "", errInvitation
	}
	if subtle.ConstantTimeCompare(hash[:], o.hash[:]) != 1 {
		if o.tries++; o.tries >= maxTries {
			delete(d.open, name)
			d.opt.Logger.Warn("invitation withdrawn after wrong tries", slog.String("node", name), slog.Int("tries", o.tries))
		}
		return "", errInvitation
	}
	if o.usedBy != nil && subtle.ConstantTimeCompare(o.usedBy, key) != 1 {
		return "", errInvitation
	}
	o.usedBy = key
	return o.role, nil
}
