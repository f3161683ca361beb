package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/catraca/catraca/cluster"
	"github.com/catraca/catraca/cluster/pki"
	"github.com/catraca/catraca/config"
	"github.com/catraca/catraca/storage/durable"
	"github.com/catraca/catraca/transport/wire"
)

// joinedName is the file that says that this node has been let into a cluster, and how it finds the others first.
const joinedName = "joined.json"

// joined is what a node remembers of being let in.
type joined struct {
	Cluster string `json:"cluster"`
	Shards  int    `json:"shards"`
	Role    string `json:"role"`
	Seeds   []seed `json:"seeds"`
}

// seed is a node to look for.
type seed struct {
	Node    string `json:"node"`
	Address string `json:"address"`
}

// welcome is what a newcomer is given beside its certificate.
type welcome struct {
	joined

	House map[string][]byte `json:"house"` // secrets that all nodes share, by file name
}

// readJoined reads what the node remembers; a founder has none.
func readJoined(dir string) (j joined, ok bool, err error) {
	b, err := os.ReadFile(filepath.Join(dir, joinedName))
	if errors.Is(err, fs.ErrNotExist) {
		return j, false, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &j)
	}
	if err != nil {
		return j, false, fmt.Errorf("read %s: %w", joinedName, err)
	}
	return j, true, nil
}

func (j joined) peers() []cluster.Peer {
	var out []cluster.Peer
	for _, s := range j.Seeds {
		out = append(out, cluster.Peer{ID: s.Node, Address: s.Address})
	}
	return out
}

// keep writes everything that a newcomer was given. What makes the node start as a member comes last.
func (w *welcome) keep(cfg config.Config) error {
	if err := durable.WriteFile(filepath.Join(cfg.Node.Data, clusterIDName), []byte(w.Cluster+"\n")); err != nil {
		return err
	}
	if err := writeHouse(cfg, w.House); err != nil {
		return err
	}
	b, err := json.MarshalIndent(w.joined, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", joinedName, err)
	}
	return durable.WriteFile(filepath.Join(cfg.Node.Data, joinedName), append(b, '\n'))
}

func pkiDir(cfg config.Config) string { return filepath.Join(cfg.Node.Data, "pki") }

// openIdentity finds this node's certificate. A node that was not let into a cluster founds one.
func (n *node) openIdentity() (err error) {
	o := pki.Options{Dir: pkiDir(n.cfg), Name: n.cfg.Node.ID, Logger: n.log}
	j, member, err := readJoined(n.cfg.Node.Data)
	if err != nil {
		return err
	}
	n.joined, n.member = j, member
	if !member {
		n.identity, err = pki.Found(o)
		return err
	}
	if n.identity, err = pki.Open(o); errors.Is(err, pki.ErrNone) {
		return fmt.Errorf("%w: joining was cut short; run `catraca cluster join` again with a new invitation", err)
	}
	if err != nil {
		return err
	}
	if j.Shards != n.cfg.Cluster.Shards {
		return fmt.Errorf("cluster.shards is %d, but the cluster has %d", n.cfg.Cluster.Shards, j.Shards)
	}
	if j.Role == string(pki.RoleGateway) && n.cfg.Cluster.Role != j.Role {
		return errors.New("cluster.role is voter, but this node was invited as a gateway and cannot certify others; invite it anew as a voter, or set gateway")
	}
	return nil
}

// welcomes makes what a newcomer is given: the secrets of the house, and where everybody is.
func (n *node) welcomes(_ string, role pki.Role) ([]byte, error) {
	secrets, err := houseSecrets(n.cfg)
	if err != nil {
		return nil, err
	}
	w := welcome{joined{Cluster: n.cluster.ClusterID(), Shards: n.cluster.Shards(), Role: string(role)}, secrets}
	for _, m := range n.cluster.Members() {
		if m.Address != "" && m.State != cluster.StateDead && m.State != cluster.StateLeaving {
			w.Seeds = append(w.Seeds, seed{m.Name, m.Address})
		}
	}
	return json.Marshal(w)
}

// openDesk serves those who come with an invitation, and keeps this node's own certificate fresh.
func (n *node) openDesk() {
	n.desk = pki.NewDesk(pki.DeskOptions{
		Identity: n.identity, Welcome: n.welcomes, Logger: n.log,
		Joined: func(name string, role pki.Role, from net.Addr) {
			n.log.Info("node let in", "name", name, "role", string(role), "remote", from.String())
		},
	})
	n.cluster.HandleJoin(n.desk.Serve)
	n.background.Go(func() { n.identity.Keep(n.life, n.askCertificate) })
}

// askCertificate has another node renew this one's certificate.
func (n *node) askCertificate(ctx context.Context, i *pki.Identity) error {
	errs := []error{errors.New("no voter is there to renew the certificate")}
	for _, m := range n.cluster.Members() {
		if m.Self || m.Role == cluster.RoleGateway || m.State != cluster.StateAlive {
			continue
		}
		address := m.Address
		if r := n.cfg.Cluster.Routes[m.Name]; r != "" {
			address = r
		}
		err := pki.Renew(ctx, i, address, m.Name)
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("ask %s: %w", m.Name, err))
	}
	return errors.Join(errs...)
}

// invite writes an invitation.
func (n *node) invite(name, role string, ttl time.Duration, addresses []string) (wire.Invitation, error) {
	for _, m := range n.cluster.Members() {
		if m.Name == name && (m.State == cluster.StateAlive || m.State == cluster.StateDraining) {
			return wire.Invitation{}, fmt.Errorf("node %s is in the cluster and runs", name)
		}
	}
	if len(addresses) == 0 {
		addresses = []string{n.cluster.Address()}
	}
	v, err := n.desk.Invite(name, pki.Role(role), ttl, addresses)
	if err != nil {
		return wire.Invitation{}, err
	}
	return wire.Invitation{Node: v.Name, Role: string(v.Role), Invitation: v.String(), Expires: wire.Time(v.Expires.UnixMilli())}, nil
}
