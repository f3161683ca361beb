// Package config is the server's configuration: one documented tree, read strictly from YAML, with environment and
// flags above the file and defaults below it. It holds no logic of what it configures.
package config

import "time"

// Config of one node. The zero value of a field means its default, see [Default].
type Config struct {
	Node     Node     `yaml:"node"`
	Fan      Listener `yaml:"fan"`      // the address fans, organisers and gates reach
	Operator Listener `yaml:"operator"` // metrics, health and profiles; never on the internet
	Cluster  Cluster  `yaml:"cluster"`
	Accounts Accounts `yaml:"accounts"`
	Payment  Payment  `yaml:"payment"`
	Mail     Mail     `yaml:"mail"`
	Tickets  Tickets  `yaml:"tickets"`
	Log      Log      `yaml:"log"`
}

// Node is who this process is and where its data is.
type Node struct {
	ID   string `yaml:"id"`   // unique in the cluster, for ever: a node that lost its disk comes back under a new id
	Data string `yaml:"data"` // directory; made when missing, mode 0700
}

// Listener is one address the server listens on.
type Listener struct {
	Listen   string `yaml:"listen"`    // host:port; without TLS only loopback is allowed
	CertFile string `yaml:"cert_file"` // PEM chain
	KeyFile  string `yaml:"key_file"`  // PEM, mode 0600

	// The rest counts for the fan address only.
	PublicURL      string   `yaml:"public_url"`      // as browsers see it, scheme://host[:port]
	Origins        []string `yaml:"origins"`         // other origins whose pages may call
	TrustedProxies []string `yaml:"trusted_proxies"` // addresses or prefixes whose X-Forwarded-For is believed
	MaxConnections int      `yaml:"max_connections"` // live sockets
	PerAddress     int      `yaml:"per_address"`     // live sockets of one address
}

// Cluster of nodes.
type Cluster struct {
	Listen   string `yaml:"listen"`    // Raft's address, host:port
	Shards   int    `yaml:"shards"`    // fixed at the first start, 2 to 256
	CertFile string `yaml:"cert_file"` // node certificate; without one only loopback is allowed
	KeyFile  string `yaml:"key_file"`
	CAFile   string `yaml:"ca_file"`
}

// Accounts and sessions.
type Accounts struct {
	SessionLife   time.Duration `yaml:"session_life"`
	HashWorkers   int           `yaml:"hash_workers"`  // argon2id at once; 0: one core is left to everything else
	HashMaxWait   time.Duration `yaml:"hash_max_wait"` // longer, and a sign-in is refused with a retry-after
	PerAddressMin int           `yaml:"per_address_per_minute"`
	PerAccountMin int           `yaml:"per_account_per_minute"`
}

// Payment provider: anything that speaks Stripe's wire.
type Payment struct {
	APIURL            string `yaml:"api_url"` // empty: Stripe's own
	SecretKeyFile     string `yaml:"secret_key_file"`
	WebhookSecretFile string `yaml:"webhook_secret_file"` // one secret a line; several while one is being replaced
	HostedPage        string `yaml:"hosted_page"`         // where payers go, with {payment_intent}, {client_secret}, {return_url}, {lang}
}

// Mail relay.
type Mail struct {
	Host         string `yaml:"host"`
	Port         int    `yaml:"port"`
	TLS          string `yaml:"tls"` // starttls, implicit, or none (loopback only)
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
	From         string `yaml:"from"` // Name <address>
}

// Tickets are signed with this key, which every node of a cluster shares.
type Tickets struct {
	KeyFile string `yaml:"key_file"` // empty: made in the data directory at the first start
}

// Log goes to standard error.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // json or text
}

// Default is the configuration of an empty file.
func Default() Config {
	return Config{
		Node:     Node{ID: "n1", Data: "data"},
		Fan:      Listener{Listen: "127.0.0.1:8080", MaxConnections: 100_000, PerAddress: 500},
		Operator: Listener{Listen: "127.0.0.1:8081"},
		Cluster:  Cluster{Listen: "127.0.0.1:7100", Shards: 16},
		Accounts: Accounts{SessionLife: 12 * time.Hour, HashMaxWait: 2 * time.Second, PerAddressMin: 20, PerAccountMin: 5},
		Mail:     Mail{Host: "127.0.0.1", Port: 25, TLS: "starttls", From: "Catraca <ingressos@localhost>"},
		Log:      Log{Level: "info", Format: "json"},
	}
}
