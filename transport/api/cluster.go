package api

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/transport/wire"
)

// Cluster is what operators see of the cluster and do to it. The errors of its methods are told to them.
type Cluster interface {
	ClusterStatus() wire.Cluster
	// Invite writes an invitation. Without addresses the node gives its own.
	Invite(node, role string, ttl time.Duration, addresses []string) (wire.Invitation, error)
	Transfer(ctx context.Context, shard int, to string) error
	Drain(ctx context.Context, node string, on bool) error
	Leave(ctx context.Context, node string) error
	Rebalance(ctx context.Context) error
}

func (s *Server) clusterRoutes() {
	viewer, operator, owner := staff(account.RoleViewer), staff(account.RoleOperator), staff(account.RoleOwner)
	s.route("GET /api/v1/admin/cluster", s.clusterStatus, viewer)
	s.route("POST /api/v1/admin/cluster/invitations", s.clusterInvite, owner)
	s.route("POST /api/v1/admin/cluster/rebalance", s.clusterRebalance, operator)
	s.route("POST /api/v1/admin/cluster/nodes/{node}/drain", s.clusterDrain, operator)
	s.route("POST /api/v1/admin/cluster/nodes/{node}/leave", s.clusterLeave, owner)
	s.route("POST /api/v1/admin/cluster/shards/{shard}/transfer", s.clusterTransfer, operator)
}

func (s *Server) clusterStatus(_ context.Context, r *request) (answer, error) {
	if s.o.Cluster == nil {
		return answer{}, s.problem(wire.NotFound, r.lang)
	}
	return answer{body: s.o.Cluster.ClusterStatus()}, nil
}

// Bounds of an invitation.
const (
	defaultInvitation = 15 * time.Minute
	maxInvitation     = 24 * time.Hour
	maxInvitationAt   = 8
)

func (s *Server) clusterInvite(ctx context.Context, r *request) (answer, error) {
	var in struct {
		Node       string   `json:"node"`
		Role       string   `json:"role"`
		TTLSeconds int64    `json:"ttl_seconds"`
		Addresses  []string `json:"addresses"`
	}
	if err := s.read(r, &in); err != nil {
		return answer{}, err
	}
	ttl := time.Duration(in.TTLSeconds) * time.Second
	if in.TTLSeconds == 0 {
		ttl = defaultInvitation
	}
	if in.TTLSeconds < 0 || in.TTLSeconds > int64(maxInvitation/time.Second) {
		return answer{}, invalid(r.lang, "/ttl_seconds", "range", "1 to 86400; 0 is a quarter of an hour")
	}
	if len(in.Addresses) > maxInvitationAt {
		return answer{}, invalid(r.lang, "/addresses", "length", "at most 8")
	}
	var v wire.Invitation
	err := s.change(ctx, r, "invite", in.Node, in.Role, func() (err error) {
		v, err = s.o.Cluster.Invite(in.Node, in.Role, ttl, in.Addresses)
		return err
	})
	return answer{body: v}, err
}

func (s *Server) clusterRebalance(ctx context.Context, r *request) (answer, error) {
	if err := s.read(r, &struct{}{}); err != nil {
		return answer{}, err
	}
	return answer{}, s.change(ctx, r, "rebalance", "", "", func() error { return s.o.Cluster.Rebalance(ctx) })
}

func (s *Server) clusterDrain(ctx context.Context, r *request) (answer, error) {
	var in struct {
		Undo bool `json:"undo"`
	}
	if err := s.read(r, &in); err != nil {
		return answer{}, err
	}
	action := "drain"
	if in.Undo {
		action = "undrain"
	}
	node := r.PathValue("node")
	return answer{}, s.change(ctx, r, action, node, "", func() error { return s.o.Cluster.Drain(ctx, node, !in.Undo) })
}

func (s *Server) clusterLeave(ctx context.Context, r *request) (answer, error) {
	if err := s.read(r, &struct{}{}); err != nil {
		return answer{}, err
	}
	node := r.PathValue("node")
	return answer{}, s.change(ctx, r, "leave", node, "", func() error { return s.o.Cluster.Leave(ctx, node) })
}

func (s *Server) clusterTransfer(ctx context.Context, r *request) (answer, error) {
	var in struct {
		To string `json:"to"`
	}
	if err := s.read(r, &in); err != nil {
		return answer{}, err
	}
	shard, err := strconv.ParseUint(r.PathValue("shard"), 10, 16)
	if err != nil {
		return answer{}, s.problem(wire.NotFound, r.lang)
	}
	return answer{}, s.change(ctx, r, "transfer", r.PathValue("shard"), in.To, func() error {
		return s.o.Cluster.Transfer(ctx, int(shard), in.To)
	})
}

// maxClusterName bounds what is written into the audit: a node's name or a shard's number.
const maxClusterName = 64

// change does something to the cluster and then writes it into the audit. A request that is repeated does it again,
// without harm, and is in the audit once.
func (s *Server) change(ctx context.Context, r *request, action, target, reason string, do func() error) error {
	if s.o.Cluster == nil {
		return s.problem(wire.NotFound, r.lang)
	}
	if len(target) > maxClusterName || len(reason) > maxClusterName {
		return invalid(r.lang, "/node", "length", "at most 64 bytes")
	}
	key, err := r.idempotencyKey()
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return s.clusterRefusal(err, r.lang)
	}
	if target == "" {
		target = "cluster"
	}
	done := commandKey(r.person, "cluster."+action+"."+target, key)
	return s.audit(ctx, r, done, "cluster."+action, target, reason)
}

// clusterRefusal tells an operator why a change was not made.
func (s *Server) clusterRefusal(err error, lang string) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return err
	}
	p := s.problem(wire.WrongState, lang)
	p.Detail = strings.TrimPrefix(err.Error(), "cluster: ")
	return p
}
