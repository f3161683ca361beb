package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/config"
)

// remote says which server a command talks to, and as whom: over the operator address of this machine as the house, or
// over any address with the token of an account.
type remote struct {
	server    string
	tokenFile string
	caFile    string
	config    string
}

const remoteHelp = "\n\nOn the machine of a node, --config names its configuration, and the command acts as the house. From elsewhere,\n" +
	"--server names an address and --token-file the file with an operator's token. CATRACA_CONFIG, CATRACA_SERVER and\n" +
	"CATRACA_TOKEN_FILE stand in for flags that are not given. Tokens themselves are never flags or variables."

// flags of a command and all below it.
func (r *remote) flags(c *cobra.Command) {
	f := c.PersistentFlags()
	f.StringVar(&r.config, "config", "", "configuration of the node on this machine")
	f.StringVar(&r.server, "server", "", "address of a server, http(s)://host:port")
	f.StringVar(&r.tokenFile, "token-file", "", "file with the token")
	f.StringVar(&r.caFile, "ca-file", "", "certificates to trust instead of the system's (PEM)")
}

// dial finds the server and the token.
func (r *remote) dial(c *cobra.Command, env environment) (*client, error) {
	given := *r
	if r.server != "" && r.config != "" {
		return nil, wrong(c, "--server and --config both say which server; give one")
	}
	if r.server == "" && r.config == "" {
		given.server, _ = env.lookup("CATRACA_SERVER")
		if given.server == "" {
			given.config, _ = env.lookup("CATRACA_CONFIG")
		}
	}
	if given.tokenFile == "" {
		given.tokenFile, _ = env.lookup("CATRACA_TOKEN_FILE")
	}
	switch {
	case given.server != "":
		return given.elsewhere(c)
	case given.config != "":
		return given.here(env)
	default:
		return nil, wrong(c, "which server? Give --config catraca.yaml on its machine, or --server and --token-file from elsewhere")
	}
}

// elsewhere talks to any address.
func (r *remote) elsewhere(c *cobra.Command) (*client, error) {
	u, err := url.Parse(r.server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, wrong(c, "--server %q, allowed is http(s)://host:port", r.server)
	}
	if u.Scheme == "http" && !loopbackHost(u.Hostname()) {
		return nil, wrong(c, "--server %s: the token would travel in clear, so https is needed", r.server)
	}
	out := newClient(strings.TrimRight(r.server, "/"))
	if r.tokenFile != "" {
		if out.token, err = readToken(r.tokenFile); err != nil {
			return nil, err
		}
	}
	if r.caFile != "" {
		pool := x509.NewCertPool()
		data, err := os.ReadFile(r.caFile)
		if err != nil {
			return nil, fmt.Errorf("read --ca-file: %w", err)
		}
		if !pool.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("read --ca-file: %s holds no certificate", r.caFile)
		}
		out.trust(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool})
	}
	return out, nil
}

// here talks to the operator address of the node on this machine, as the house.
func (r *remote) here(env environment) (*client, error) {
	l, err := config.Read(r.config, env.lookup)
	if err != nil {
		return nil, err
	}
	cfg := l.Config
	host, port, err := net.SplitHostPort(cfg.Operator.Listen)
	if err != nil {
		return nil, fmt.Errorf("%s: operator.listen: %w", r.config, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http"
	if cfg.Operator.CertFile != "" {
		scheme = "https"
	}
	out := newClient(scheme + "://" + net.JoinHostPort(host, port))
	file := r.tokenFile
	if file == "" {
		file = filepath.Join(cfg.Node.Data, tokenName)
	}
	if out.token, err = readToken(file); err != nil {
		return nil, fmt.Errorf("%w\nThe node makes it when it starts; it is readable for the node's own user", err)
	}
	if cfg.Operator.CertFile != "" {
		pinned, err := pin(cfg.Operator.CertFile)
		if err != nil {
			return nil, err
		}
		out.trust(pinned)
	}
	out.providerKey = cfg.Payment.SecretKeyFile
	return out, nil
}

// pin trusts exactly the certificate that the node itself shows: it is made for the node's name, and reached by its
// address.
func pin(file string) (*tls.Config, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read operator.cert_file: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("read operator.cert_file: %s holds no certificate", file)
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, // names and chains say nothing here, the certificate itself is compared
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || !bytes.Equal(s.PeerCertificates[0].Raw, block.Bytes) {
				return errors.New("the node shows another certificate than operator.cert_file")
			}
			return nil
		},
	}, nil
}

// maxToken bounds a token's file in bytes.
const maxToken = 4096

// readToken reads the first line of a token file that only its owner may read.
func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return "", fmt.Errorf("read token: %s has mode %04o and can be read by everybody; run chmod 600 on it", path, mode)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxToken))
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	token, _, _ := strings.Cut(string(data), "\n")
	token = strings.TrimSpace(token)
	if token == "" || strings.ContainsAny(token, " \t") {
		return "", fmt.Errorf("read token: %s holds no token", path)
	}
	return token, nil
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func newClient(base string) *client {
	return &client{base: base, http: &http.Client{Timeout: time.Minute}}
}
