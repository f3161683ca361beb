package mail

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	netmail "net/mail"
	"os"
	"time"
)

// TLSMode says how the connection to the relay is protected.
type TLSMode string

// The modes. An empty mode is STARTTLS.
const (
	StartTLS    TLSMode = "starttls" // port 587 as a rule; refused when the relay does not offer it
	ImplicitTLS TLSMode = "implicit" // port 465 as a rule
	NoTLS       TLSMode = "none"     // only to this machine
)

// Options of a [Mailer].
type Options struct {
	Host         string        `yaml:"host"`          // of the relay
	Port         int           `yaml:"port"`          // 0 is 587, 465 or 25 by mode
	TLS          TLSMode       `yaml:"tls"`           // starttls, implicit or none
	CAFile       string        `yaml:"ca_file"`       // PEM certificates to trust instead of the system's
	User         string        `yaml:"user"`          // empty: no authentication
	PasswordFile string        `yaml:"password_file"` // read at each connection, so it can be changed while running
	From         string        `yaml:"from"`          // "Name <address>"
	ReplyTo      string        `yaml:"reply_to"`      // optional
	HELO         string        `yaml:"helo"`          // our name; empty is the host's
	Timeout      time.Duration `yaml:"timeout"`       // of one attempt; 0 is 30 s
	Connections  int           `yaml:"connections"`   // at once; 0 is 8

	Logger  *slog.Logger     `yaml:"-"`
	Metrics *Metrics         `yaml:"-"`
	Now     func() time.Time `yaml:"-"` // for the Date header; nil is the wall clock
}

// Limits of options.
const (
	defaultTimeout     = 30 * time.Second
	maxTimeout         = 5 * time.Minute
	defaultConnections = 8
	maxConnections     = 256
	maxPassword        = 4 << 10
)

// settings are checked options.
type settings struct {
	Options

	from, replyTo *netmail.Address
	roots         *x509.CertPool // nil: the system's
}

// Validate checks the options as far as it can without the network and reports every defect, by key.
func (o Options) Validate() error {
	_, err := o.settle()
	return err
}

// settle fills in defaults.
func (o Options) settle() (settings, error) {
	s := settings{Options: o}
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("mail."+key+": "+format, args...))
	}
	if o.Host == "" {
		bad("host", "is missing; want the name of an SMTP relay")
	}
	s.settlePort(bad)
	var err error
	if s.from, err = netmail.ParseAddress(o.From); err != nil {
		bad("from", `want "Name <address>" or an address`)
	}
	if o.ReplyTo != "" {
		if s.replyTo, err = netmail.ParseAddress(o.ReplyTo); err != nil {
			bad("reply_to", `want "Name <address>" or an address`)
		}
	}
	if s.Timeout == 0 {
		s.Timeout = defaultTimeout
	}
	if s.Timeout < 0 || s.Timeout > maxTimeout {
		bad("timeout", "%s; want more than 0 and at most %s", o.Timeout, maxTimeout)
	}
	if s.Connections == 0 {
		s.Connections = defaultConnections
	}
	if s.Connections < 1 || s.Connections > maxConnections {
		bad("connections", "%d; want 1 to %d", o.Connections, maxConnections)
	}
	s.settleSecrets(bad)
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	return s, errors.Join(errs...)
}

func (s *settings) settlePort(bad func(key, format string, args ...any)) {
	port := 0
	switch s.TLS {
	case "", StartTLS:
		s.TLS, port = StartTLS, 587
	case ImplicitTLS:
		port = 465
	case NoTLS:
		port = 25
		if !isLoopback(s.Host) {
			bad("tls", "none is allowed only to this machine (127.0.0.1, ::1, localhost); want starttls or implicit")
		}
	default:
		bad("tls", "%q; want starttls, implicit or none", s.TLS)
	}
	if s.Port == 0 {
		s.Port = port
	}
	if s.Port < 0 || s.Port > 65535 {
		bad("port", "%d; want 1 to 65535", s.Port)
	}
}

func (s *settings) settleSecrets(bad func(key, format string, args ...any)) {
	if s.User != "" && s.PasswordFile == "" {
		bad("password_file", "is missing; user is set")
	}
	if s.PasswordFile != "" {
		if _, err := readPassword(s.PasswordFile); err != nil {
			bad("password_file", "%w", err)
		}
	}
	if s.CAFile == "" {
		return
	}
	data, err := readBounded(s.CAFile, 1<<20)
	if err != nil {
		bad("ca_file", "%w", err)
		return
	}
	s.roots = x509.NewCertPool()
	if !s.roots.AppendCertsFromPEM(data) {
		bad("ca_file", "%s has no PEM certificate", s.CAFile)
	}
}

func (s *settings) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: s.Host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// readPassword returns the first line of a file.
func readPassword(path string) (string, error) {
	data, err := readBounded(path, maxPassword)
	if err != nil {
		return "", err
	}
	first, _, _ := bytes.Cut(data, []byte("\n"))
	first = bytes.TrimRight(first, "\r")
	if len(first) == 0 {
		return "", fmt.Errorf("%s is empty", path)
	}
	return string(first), nil
}

func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", path, limit)
	}
	return data, err
}
