package api_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

// fakeCluster does what is asked of n2 and shard 1, and nothing else.
type fakeCluster struct{}

var errNobody = errors.New("node is not known")

func only(ok bool) error {
	if !ok {
		return errNobody
	}
	return nil
}

func (fakeCluster) ClusterStatus() wire.Cluster {
	return wire.Cluster{
		ID: "abc", Node: "n1",
		Nodes:   []wire.ClusterNode{{Name: "n1", ServerID: "n1~2", Role: "voter", State: "alive", Address: "127.0.0.1:7100", Leads: 1, Votes: 1, Seen: 1_700_000_000_000, Self: true}},
		Shards:  []wire.ClusterShard{{Shard: 0, Leader: "n1", Ready: true, Term: 2, Last: 9, Commit: 9, Applied: 9, Voters: []string{"n1"}, Learners: []string{}}},
		Stopped: []int{}, Critical: []wire.ClusterRisk{{Node: "n1", Shards: 1}}, CertificateExpires: 1_800_000_000_000,
	}
}

func (fakeCluster) Invite(node, role string, ttl time.Duration, addresses []string) (wire.Invitation, error) {
	if ttl != 15*time.Minute && len(addresses) == 0 {
		return wire.Invitation{}, errors.New("another life")
	}
	return wire.Invitation{Node: node, Role: role, Invitation: "catraca1.abc", Expires: 1_800_000_000_000}, only(node == "n2")
}

func (fakeCluster) Transfer(_ context.Context, shard int, to string) error {
	return only(shard == 1 && (to == "" || to == "n2"))
}

func (fakeCluster) Drain(_ context.Context, node string, on bool) error {
	return only(node == "n2" || node == "n3" && !on)
}

func (fakeCluster) Leave(ctx context.Context, node string) error {
	if node == "slow" {
		return context.DeadlineExceeded
	}
	return only(node == "n2")
}

func (fakeCluster) Rebalance(context.Context) error { return nil }

const clusterAt = "/api/v1/admin/cluster"

func TestClusterStatus(t *testing.T) {
	h := house(t)
	got := apitest.Into[wire.Cluster](t, h.Person(t, account.RoleViewer).Do(t, "GET", clusterAt, nil).Want(t, http.StatusOK))
	if got.Node != "n1" || len(got.Nodes) != 1 || got.Nodes[0].ServerID != "n1~2" || len(got.Shards) != 1 || got.Critical[0].Shards != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestClusterChanges(t *testing.T) {
	h := house(t)
	owner := h.Person(t, account.RoleOwner)
	for i, c := range []struct {
		path           string
		body           any
		action, target string // empty: refused
	}{
		{"/nodes/n2/drain", map[string]any{}, "cluster.drain", "n2"},
		{"/nodes/n3/drain", map[string]any{"undo": true}, "cluster.undrain", "n3"},
		{"/nodes/n3/drain", map[string]any{}, "", ""},
		{"/nodes/n2/leave", map[string]any{}, "cluster.leave", "n2"},
		{"/nodes/n9/leave", map[string]any{}, "", ""},
		{"/shards/1/transfer", map[string]any{"to": "n2"}, "cluster.transfer", "1"},
		{"/shards/2/transfer", map[string]any{"to": "n2"}, "", ""},
		{"/rebalance", map[string]any{}, "cluster.rebalance", "cluster"},
	} {
		before := 0
		if c.action != "" {
			before = audited(t, owner, c.action, c.target)
		}
		key := func(r *http.Request) { r.Header.Set("Idempotency-Key", "change-of-the-cluster-"+strconv.Itoa(i)) }
		if c.action == "" {
			if p := owner.Do(t, "POST", clusterAt+c.path, c.body, key).Problem(t, wire.WrongState); p.Detail != errNobody.Error() {
				t.Errorf("%s: detail %q", c.path, p.Detail)
			}
			continue
		}
		for range 2 { // the second is the first again
			owner.Do(t, "POST", clusterAt+c.path, c.body, key).Want(t, http.StatusNoContent)
		}
		if n := audited(t, owner, c.action, c.target) - before; n != 1 {
			t.Errorf("%s is in the audit %d times", c.action, n)
		}
	}
	owner.Do(t, "POST", clusterAt+"/nodes/slow/leave", map[string]any{}).Problem(t, wire.Unavailable)
	owner.Do(t, "POST", clusterAt+"/shards/x/transfer", map[string]any{}).Problem(t, wire.NotFound)
	owner.Do(t, "POST", clusterAt+"/nodes/"+strings.Repeat("n", 65)+"/leave", map[string]any{}).Problem(t, wire.InvalidRequest)
}

func TestClusterInvite(t *testing.T) {
	h := house(t)
	owner := h.Person(t, account.RoleOwner)
	v := apitest.Into[wire.Invitation](t, owner.Do(t, "POST", clusterAt+"/invitations", map[string]any{"node": "n2", "role": "voter"}).Want(t, http.StatusOK))
	if v.Node != "n2" || v.Role != "voter" || v.Invitation == "" {
		t.Errorf("got %+v", v)
	}
	if n := audited(t, owner, "cluster.invite", "n2"); n != 1 {
		t.Errorf("the invitation is in the audit %d times", n)
	}
	owner.Do(t, "POST", clusterAt+"/invitations", map[string]any{"node": "n9", "role": "voter"}).Problem(t, wire.WrongState)
	owner.Do(t, "POST", clusterAt+"/invitations", map[string]any{"node": "n2", "role": "voter", "ttl_seconds": 90000}).Problem(t, wire.InvalidRequest)
	owner.Do(t, "POST", clusterAt+"/invitations", map[string]any{"node": "n2", "role": "voter", "addresses": make([]string, 9)}).Problem(t, wire.InvalidRequest)
}
