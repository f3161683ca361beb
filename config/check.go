package config

import (
	"fmt"
	"maps"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// checker gathers what is wrong with one configuration.
type checker struct {
	c     *Config
	found FieldErrors
}

func (k *checker) bad(path, format string, args ...any) {
	k.found = append(k.found, FieldError{path, fmt.Sprintf(format, args...)})
}

// Validate names everything that is not allowed as [FieldErrors]. It looks at no file and no network.
func (c *Config) Validate() error {
	k := &checker{c: c}
	k.node()
	k.fan()
	k.operator()
	k.cluster()
	k.accounts()
	k.payment()
	k.mail()
	k.log()
	if len(k.found) > 0 {
		return k.found
	}
	return nil
}

func (k *checker) node() {
	if id := k.c.Node.ID; !nodeName(id) {
		k.bad("node.id", "%q, allowed are 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit", id)
	}
	if k.c.Node.Data == "" {
		k.bad("node.data", "is empty, allowed is a directory")
	}
	k.oneOf("node.check", k.c.Node.Check, "auto", "always", "never")
}

func nodeName(s string) bool {
	return s != "" && len(s) <= 63 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" &&
		s[0] != '-' && s[len(s)-1] != '-'
}

// listener checks an address. Without a certificate only this machine may come: passwords and tickets travel on it.
func (k *checker) listener(path, listen, cert, key string) (open bool) {
	open, err := reachable(listen)
	if err != nil {
		k.bad(path+".listen", "%q, allowed is host:port with a port of 0 to 65535", listen)
		return false
	}
	if open && cert == "" {
		k.bad(path+".listen", "%s can be reached from other machines, so %s.cert_file and %s.key_file are needed; without them allowed is 127.0.0.1, [::1] or localhost", listen, path, path)
	}
	k.pair(path, cert, key)
	return open
}

func (k *checker) pair(path, cert, key string) {
	if cert != "" && key == "" {
		k.bad(path+".key_file", "is missing; %s.cert_file is set", path)
	}
	if cert == "" && key != "" {
		k.bad(path+".cert_file", "is missing; %s.key_file is set", path)
	}
}

func (k *checker) fan() {
	f := &k.c.Fan
	open := k.listener("fan", f.Listen, f.CertFile, f.KeyFile)
	if f.PublicURL == "" && open {
		k.bad("fan.public_url", "is needed, because fan.listen is not how browsers see the server; mails and payers come back by it")
	}
	if f.PublicURL != "" {
		k.origin("fan.public_url", f.PublicURL)
		if f.CertFile != "" && strings.HasPrefix(f.PublicURL, "http:") {
			k.bad("fan.public_url", "%s is not https, but fan.cert_file is set", f.PublicURL)
		}
	}
	for i, o := range f.Origins {
		k.origin(fmt.Sprintf("fan.origins[%d]", i), o)
	}
	for i, p := range f.TrustedProxies {
		k.proxy(fmt.Sprintf("fan.trusted_proxies[%d]", i), p)
	}
	k.number("fan.max_connections", f.MaxConnections, 1, 10_000_000)
	k.number("fan.per_address", f.PerAddress, 1, 10_000_000)
}

// origin checks scheme://host[:port]. Plain http is for this machine: passwords and cookies would travel in clear.
func (k *checker) origin(path, s string) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http",
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		k.bad(path, "%q, allowed is scheme://host[:port] with https, or http on this machine", s)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		k.bad(path, "%s: passwords would travel in clear, so https is needed", s)
	}
}

func (k *checker) proxy(path, s string) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		var a netip.Addr
		if a, err = netip.ParseAddr(s); err == nil {
			p = netip.PrefixFrom(a, a.BitLen())
		}
	}
	switch {
	case err != nil:
		k.bad(path, "%q, allowed is an address like 10.0.0.7 or a prefix like 10.0.0.0/24", s)
	case p.Bits() == 0:
		k.bad(path, "%s believes everybody, so anybody could claim any address", s)
	}
}

func (k *checker) operator() {
	o := k.c.Operator
	k.listener("operator", o.Listen, o.CertFile, o.KeyFile)
	for _, other := range []struct{ path, listen string }{{"fan.listen", k.c.Fan.Listen}, {"cluster.listen", k.c.Cluster.Listen}} {
		if o.Listen == other.listen && !strings.HasSuffix(o.Listen, ":0") {
			k.bad("operator.listen", "%s is %s already", o.Listen, other.path)
		}
	}
}

func (k *checker) cluster() {
	c := k.c.Cluster
	if _, err := reachable(c.Listen); err != nil {
		k.bad("cluster.listen", "%q, allowed is host:port with a port of 0 to 65535", c.Listen)
	}
	if c.Listen == k.c.Fan.Listen && !strings.HasSuffix(c.Listen, ":0") {
		k.bad("cluster.listen", "%s is fan.listen already", c.Listen)
	}
	switch {
	case c.Advertise != "" && !peerAddress(c.Advertise):
		k.bad("cluster.advertise", "%q, allowed is host:port as other nodes reach this one", c.Advertise)
	case c.Advertise == "" && everywhere(c.Listen):
		k.bad("cluster.advertise", "is needed, because cluster.listen %s does not say how other nodes reach this one", c.Listen)
	}
	k.oneOf("cluster.role", c.Role, "voter", "gateway")
	if c.Replicas != 1 && c.Replicas != 3 && c.Replicas != 5 {
		k.bad("cluster.replicas", "%d, allowed are 1, 3 and 5", c.Replicas)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Routes)) {
		if !nodeName(name) || !peerAddress(c.Routes[name]) {
			k.bad("cluster.routes", "%s: %s, allowed is the name of a node with its host:port", name, c.Routes[name])
		}
	}
	k.duration("cluster.dead_after", c.DeadAfter, 5*time.Second, 24*time.Hour)
	k.number("cluster.shards", c.Shards, 2, 256)
}

// peerAddress tells whether others can be sent to an address.
func peerAddress(address string) bool {
	host, port, err := net.SplitHostPort(address)
	n, errPort := strconv.ParseUint(port, 10, 16)
	return err == nil && errPort == nil && n != 0 && host != "" && !everywhere(address)
}

// everywhere tells whether an address means every one of this machine.
func everywhere(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "" || ip != nil && ip.IsUnspecified())
}

func (k *checker) accounts() {
	a := k.c.Accounts
	k.duration("accounts.session_life", a.SessionLife, time.Minute, 90*24*time.Hour)
	k.number("accounts.hash_workers", a.HashWorkers, 0, 256)
	k.duration("accounts.hash_max_wait", a.HashMaxWait, 10*time.Millisecond, time.Minute)
	k.number("accounts.per_address_per_minute", a.PerAddressMin, 1, 100_000)
	k.number("accounts.per_account_per_minute", a.PerAccountMin, 1, 100_000)
}

func (k *checker) payment() {
	p := k.c.Payment
	for _, f := range []struct{ name, value string }{{"secret_key_file", p.SecretKeyFile}, {"webhook_secret_file", p.WebhookSecretFile}} {
		if f.value == "" {
			k.bad("payment."+f.name, "is needed; `catraca sandbox` runs a payment server to try with, and makes the file")
		}
	}
	if p.APIURL != "" {
		k.origin("payment.api_url", p.APIURL)
	}
	k.hostedPage(p.HostedPage)
}

func (k *checker) hostedPage(template string) {
	const path = "payment.hosted_page"
	if template == "" {
		k.bad(path, "is needed, an address with {payment_intent} and {client_secret}")
		return
	}
	for _, need := range []string{"{payment_intent}", "{client_secret}"} {
		if !strings.Contains(template, need) {
			k.bad(path, "%q lacks %s", template, need)
		}
	}
	filled := strings.NewReplacer("{payment_intent}", "a", "{client_secret}", "b", "{return_url}", "c", "{lang}", "d").Replace(template)
	u, err := url.Parse(filled)
	switch {
	case strings.ContainsAny(filled, "{}"):
		k.bad(path, "%q has an unknown placeholder, allowed are {payment_intent}, {client_secret}, {return_url} and {lang}", template)
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		k.bad(path, "%q, allowed is an address with https, or http on this machine", template)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		k.bad(path, "%s: cards would travel in clear, so https is needed", template)
	}
}

func (k *checker) mail() {
	m := k.c.Mail
	if m.Host == "" || strings.ContainsAny(m.Host, ": /") {
		k.bad("mail.host", "%q, allowed is the name or address of a relay, without a port", m.Host)
	}
	k.number("mail.port", m.Port, 0, 65535)
	switch m.TLS {
	case "starttls", "implicit":
	case "none":
		if !loopback(m.Host) {
			k.bad("mail.tls", "none would send tickets in clear to %s, so starttls or implicit is needed", m.Host)
		}
	default:
		k.bad("mail.tls", "%q, allowed are starttls, implicit and none", m.TLS)
	}
	if m.User != "" && m.PasswordFile == "" {
		k.bad("mail.password_file", "is missing; mail.user is set")
	}
	if m.User == "" && m.PasswordFile != "" {
		k.bad("mail.user", "is missing; mail.password_file is set")
	}
	if m.VirtualFans && !loopback(m.Host) {
		k.bad("mail.virtual_fans", "%s would send letters to addresses that exist nowhere, so it is allowed to this machine only", m.Host)
	}
	if _, err := mail.ParseAddress(m.From); err != nil {
		k.bad("mail.from", "%q, allowed is Name <address>", m.From)
	}
}

func (k *checker) log() {
	l := k.c.Log
	k.oneOf("log.level", l.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", l.Format, "json", "text")
}

func (k *checker) oneOf(path, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	k.bad(path, "%q, allowed are %s", value, strings.Join(allowed, ", "))
}

func (k *checker) number(path string, n, lo, hi int) {
	if n < lo || n > hi {
		k.bad(path, "%d, allowed are %d to %d", n, lo, hi)
	}
}

func (k *checker) duration(path string, d, lo, hi time.Duration) {
	if d < lo || d > hi {
		k.bad(path, "%s, allowed are %s to %s", short(d), short(lo), short(hi))
	}
}

// reachable tells whether a listening address can be reached from other machines.
func reachable(address string) (bool, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false, err
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return false, err
	}
	return !loopback(host), nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
