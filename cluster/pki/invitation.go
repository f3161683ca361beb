package pki

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Role of a node that is invited.
type Role string

// The roles.
const (
	RoleVoter   Role = "voter"   // may vote, and gets the cluster's key, so that it can invite others
	RoleGateway Role = "gateway" // never votes, and gets no key
)

// CheckRole tells whether there is such a role.
func CheckRole(r Role) error {
	if r != RoleVoter && r != RoleGateway {
		return fmt.Errorf("role %q: allowed are %s and %s", r, RoleVoter, RoleGateway)
	}
	return nil
}

// Bounds of an invitation.
const (
	prefix       = "catraca1." // says what the text is, and its version
	maxText      = 2048        // bytes of the text
	maxAddresses = 8
	secretBytes  = 32
	// MaxLife is the longest time an invitation may be good for.
	MaxLife = 24 * time.Hour
)

// Invitation lets one node into the cluster. It is a secret until it has been used.
type Invitation struct {
	Name      string            // whom it is for
	Role      Role              // and as what
	Addresses []string          // host:port of the node that wrote it, in the order to try
	CA        [sha256.Size]byte // SHA-256 of the cluster's certificate
	Secret    [secretBytes]byte
	Expires   time.Time // to the second
}

// written is the text inside an invitation.
type written struct {
	Name      string   `json:"name"`
	Role      Role     `json:"role"`
	Addresses []string `json:"at"`
	CA        []byte   `json:"ca"`
	Secret    []byte   `json:"secret"`
	Expires   int64    `json:"exp"` // Unix seconds
}

// String is the invitation as one word. It holds the secret: it must not be logged.
func (v *Invitation) String() string {
	b, err := json.Marshal(written{v.Name, v.Role, v.Addresses, v.CA[:], v.Secret[:], v.Expires.Unix()})
	if err != nil {
		return "" // text and numbers always encode
	}
	return prefix + base64.RawURLEncoding.EncodeToString(b)
}

// errText says nothing of the text: it may hold a secret.
var errText = errors.New("this is no invitation, or not all of it: it is one word, and begins with catraca1")

// ParseInvitation reads what String wrote. It does not look at the time.
func ParseInvitation(text string) (*Invitation, error) {
	body, ok := strings.CutPrefix(strings.TrimSpace(text), prefix)
	if !ok || len(text) > maxText {
		return nil, errText
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil {
		return nil, errText
	}
	var w written
	if err := strictJSON(raw, &w); err != nil {
		return nil, errText
	}
	v := &Invitation{Name: w.Name, Role: w.Role, Addresses: w.Addresses, Expires: time.Unix(w.Expires, 0)}
	if len(w.CA) != len(v.CA) || len(w.Secret) != len(v.Secret) || w.Expires < 0 || w.Expires > 1<<40 {
		return nil, errText
	}
	copy(v.CA[:], w.CA)
	copy(v.Secret[:], w.Secret)
	if err := v.check(); err != nil {
		return nil, fmt.Errorf("read invitation: %w", err)
	}
	return v, nil
}

func (v *Invitation) check() error {
	if err := errors.Join(CheckName(v.Name), CheckRole(v.Role)); err != nil {
		return err
	}
	if len(v.Addresses) == 0 || len(v.Addresses) > maxAddresses {
		return fmt.Errorf("%d addresses, allowed are 1 to %d", len(v.Addresses), maxAddresses)
	}
	for _, a := range v.Addresses {
		host, port, err := net.SplitHostPort(a)
		if err != nil || host == "" || len(a) > 255 {
			return fmt.Errorf("address %q: allowed is host:port", a)
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("address %q: allowed is a port of 1 to 65535", a)
		}
	}
	return nil
}

// strictJSON reads one value with known fields and nothing after it.
func strictJSON(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the value")
	}
	return nil
}
