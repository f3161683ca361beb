package cluster

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// A connection begins with one byte that says what it is for. Raft and link connections go on with TLS, when there is
// any; what actors and newcomers send is passed on as it comes.
const (
	prefaceRaft   = 'R'
	prefaceLink   = 'L'
	prefaceActors = 'A'
	prefaceJoin   = 'J'
)

// greeting opens a connection of a Raft group: the group's number, four bytes, big endian, then cluster, receiver and
// sender, each with its length in one byte before it. The receiver is a server id: entries for an incarnation whose
// data is lost must not be taken, and counted, by the one that came after it.
type greeting struct {
	group             uint32
	cluster, to, from string
}

func (h greeting) encode() []byte {
	b := binary.BigEndian.AppendUint32(nil, h.group)
	for _, s := range []string{h.cluster, h.to, h.from} {
		b = append(append(b, byte(len(s))), s...)
	}
	return b
}

func readGreeting(r io.Reader) (h greeting, err error) {
	var group [4]byte
	if _, err := io.ReadFull(r, group[:]); err != nil {
		return h, fmt.Errorf("read group: %w", err)
	}
	h.group = binary.BigEndian.Uint32(group[:])
	for _, s := range []*string{&h.cluster, &h.to, &h.from} {
		var size [1]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return h, fmt.Errorf("read greeting: %w", err)
		}
		b := make([]byte, size[0])
		if _, err := io.ReadFull(r, b); err != nil {
			return h, fmt.Errorf("read greeting: %w", err)
		}
		*s = string(b)
	}
	return h, nil
}

// proves checks that the other end of a TLS connection has a certificate for the name it claims. Without TLS, which
// is for one machine only, every claim is believed.
func proves(c net.Conn, name string) error {
	t, ok := c.(*tls.Conn)
	if !ok {
		return nil
	}
	s := t.ConnectionState()
	if len(s.VerifiedChains) == 0 || len(s.PeerCertificates) == 0 {
		return errors.New("no verified certificate")
	}
	if err := s.PeerCertificates[0].VerifyHostname(name); err != nil {
		return fmt.Errorf("claims to be %s: %w", name, err)
	}
	return nil
}
