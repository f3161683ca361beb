package wire

// Cluster is the nodes and shards as one node sees them.
type Cluster struct {
	ID      string         `json:"id"`
	Node    string         `json:"node"` // who answers
	Nodes   []ClusterNode  `json:"nodes"`
	Shards  []ClusterShard `json:"shards"`
	Stopped []int          `json:"stopped"` // shards that have no majority of live voters
	// Critical are nodes whose loss would stop a shard that goes on now, and how many shards each would stop.
	Critical []ClusterRisk `json:"critical"`
	// CertificateExpires is when the answering node's certificate ends; it renews itself long before.
	CertificateExpires Time `json:"certificate_expires"`
}

// ClusterNode is one node.
type ClusterNode struct {
	Name     string `json:"name"`
	ServerID string `json:"server_id"` // with the incarnation, from the second one on
	Role     string `json:"role"`      // voter or gateway
	State    string `json:"state"`     // alive, suspect, dead, draining or leaving
	Address  string `json:"address"`
	Version  string `json:"version"`
	Leads    int    `json:"leads"`
	Votes    int    `json:"votes"`
	Seen     Time   `json:"seen"` // 0: not since the answering node started
	Self     bool   `json:"self"`
}

// ClusterShard is one shard.
type ClusterShard struct {
	Shard    int      `json:"shard"`
	Leader   string   `json:"leader"` // empty: nobody is known to lead
	Ready    bool     `json:"ready"`
	Term     uint64   `json:"term"`
	Last     uint64   `json:"last"` // newest entry that the answering node has, committed or not
	Commit   uint64   `json:"commit"`
	Applied  uint64   `json:"applied"`  // by the answering node
	Voters   []string `json:"voters"`   // names
	Learners []string `json:"learners"` // names of those with a copy and no vote
	Lost     int      `json:"lost"`     // further votes, of data that was lost: nobody can cast them
}

// ClusterRisk is what the loss of one node would mean.
type ClusterRisk struct {
	Node   string `json:"node"`
	Shards int    `json:"shards"`
}

// Invitation lets one node in.
type Invitation struct {
	Node       string `json:"node"`
	Role       string `json:"role"`
	Invitation string `json:"invitation"` // a secret
	Expires    Time   `json:"expires"`
}
