// Package config is the server's configuration: one documented tree, read strictly from YAML, with flags above the
// environment above the file above the defaults. It knows where each value comes from, refuses unsafe combinations,
// and names every error by its path and place. It holds no logic of what it configures, and no secrets: only the
// names of the files that hold them.
//
// The comments beside the fields are the manual: `catraca config print` shows them.
package config

import "time"

// Config of one node. A key that is left out keeps its default, see [Default].
type Config struct {
	Node     Node     `yaml:"node"`
	Fan      Fan      `yaml:"fan"`
	Operator Listener `yaml:"operator"` // Address of metrics, health, profiles and this machine's operator commands; never on the internet.
	Cluster  Cluster  `yaml:"cluster"`
	Accounts Accounts `yaml:"accounts"`
	Payment  Payment  `yaml:"payment"`
	Mail     Mail     `yaml:"mail"`
	Tickets  Tickets  `yaml:"tickets"`
	Log      Log      `yaml:"log"`
}

// Node is who this process is and where its data is.
type Node struct {
	ID    string `yaml:"id"`    // the node's name, its own in the cluster for ever; 1 to 63 of a-z, 0-9 and -
	Data  string `yaml:"data"`  // directory; made when missing, mode 0700
	Check string `yaml:"check"` // look at the whole data before starting: auto (unless the last stop was clean), always or never
}

// Listener is one address the server listens on.
type Listener struct {
	Listen   string `yaml:"listen"`    // host:port; without a certificate only this machine (127.0.0.1, [::1], localhost)
	CertFile string `yaml:"cert_file"` // certificate chain, PEM
	KeyFile  string `yaml:"key_file"`  // its key, PEM, mode 0600
}

// Fan is the address that fans, organisers and gates reach.
type Fan struct {
	Listener `yaml:",inline"`

	PublicURL      string   `yaml:"public_url"`      // as browsers see it, scheme://host[:port]; empty: the address itself
	Origins        []string `yaml:"origins"`         // other origins whose pages may call, scheme://host[:port]
	TrustedProxies []string `yaml:"trusted_proxies"` // addresses or prefixes whose X-Forwarded-For is believed
	MaxConnections int      `yaml:"max_connections"` // live sockets at once
	PerAddress     int      `yaml:"per_address"`     // live sockets at once of one address
}

// Cluster of nodes. They show each other certificates of the cluster's own, which `catraca cluster join` brings.
type Cluster struct {
	Listen    string            `yaml:"listen"`     // address for the other nodes, host:port
	Advertise string            `yaml:"advertise"`  // how the other nodes reach it, host:port; empty: as it listens
	Role      string            `yaml:"role"`       // voter, or gateway: has a copy of everything, serves fans, and never votes
	Replicas  int               `yaml:"replicas"`   // voters of each shard: 1, 3 or 5; the same on every node
	Routes    map[string]string `yaml:"routes"`     // addresses of nodes that go before what they say themselves, node: host:port
	DeadAfter time.Duration     `yaml:"dead_after"` // a node silent for so long loses its votes to another
	Shards    int               `yaml:"shards"`     // fixed when the cluster is founded, 2 to 256
}

// Accounts and sessions.
type Accounts struct {
	SessionLife   time.Duration `yaml:"session_life"`           // how long somebody stays signed in
	HashWorkers   int           `yaml:"hash_workers"`           // passwords hashed at once; 0: one core is left to everything else
	HashMaxWait   time.Duration `yaml:"hash_max_wait"`          // longer, and a sign-in is refused with a retry-after
	PerAddressMin int           `yaml:"per_address_per_minute"` // tries to sign in
	PerAccountMin int           `yaml:"per_account_per_minute"` // tries to sign in
}

// Payment is the provider: Stripe, or anything that speaks its wire.
type Payment struct {
	APIURL            string `yaml:"api_url"`             // empty: Stripe's own
	SecretKeyFile     string `yaml:"secret_key_file"`     // file with the secret key; needed
	WebhookSecretFile string `yaml:"webhook_secret_file"` // file with one secret a line, several while one is being replaced; needed
	HostedPage        string `yaml:"hosted_page"`         // where payers go, with {payment_intent}, {client_secret}, {return_url}, {lang}; needed
}

// Mail is the relay that letters go out by.
type Mail struct {
	Host         string `yaml:"host"`
	Port         int    `yaml:"port"`          // 0: 587 with starttls, 465 with implicit, 25 with none
	TLS          string `yaml:"tls"`           // starttls, implicit, or none (only to this machine)
	User         string `yaml:"user"`          // empty: no sign-in
	PasswordFile string `yaml:"password_file"` // read at each connection, so it can be changed while running
	From         string `yaml:"from"`          // Name <address>
	VirtualFans  bool   `yaml:"virtual_fans"`  // virtual fans of rehearsals get letters too; their addresses exist nowhere, so only to a mailbox on this machine that keeps them
}

// Tickets are signed with a key that every node of a cluster shares.
type Tickets struct {
	KeyFile string `yaml:"key_file"` // empty: ticket.key in the data directory, made at the first start
}

// Log goes to standard error.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // json or text
}

// Default is the configuration of an empty file.
func Default() Config {
	return Config{
		Node:     Node{ID: "n1", Data: "data", Check: "auto"},
		Fan:      Fan{Listener: Listener{Listen: "127.0.0.1:8080"}, MaxConnections: 100_000, PerAddress: 500},
		Operator: Listener{Listen: "127.0.0.1:8081"},
		Cluster:  Cluster{Listen: "127.0.0.1:7100", Role: "voter", Replicas: 3, DeadAfter: 10 * time.Minute, Shards: 16},
		Accounts: Accounts{SessionLife: 12 * time.Hour, HashMaxWait: 2 * time.Second, PerAddressMin: 20, PerAccountMin: 5},
		Mail:     Mail{Host: "127.0.0.1", TLS: "starttls", From: "Catraca <ingressos@localhost>"},
		Log:      Log{Level: "info", Format: "json"},
	}
}
