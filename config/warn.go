package config

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// Warnings names what is allowed and yet seldom meant.
func (c *Config) Warnings() FieldErrors {
	var out FieldErrors
	if public(c.Operator.Listen) {
		out = append(out, FieldError{"operator.listen", c.Operator.Listen + " may be reached from the internet: profiles, metrics and operator commands are there; a private address is safer"})
	}
	u, err := url.Parse(c.Fan.PublicURL)
	proxied := err == nil && u.Host != "" && !loopback(u.Hostname())
	if open, err := reachable(c.Fan.Listen); err == nil && !open && proxied && len(c.Fan.TrustedProxies) == 0 {
		out = append(out, FieldError{"fan.trusted_proxies", "is empty, so all fans seem to come from the one address of the proxy, and share its limits"})
	}
	if open, err := reachable(c.Fan.Listen); err == nil && open && c.Mail.From == Default().Mail.From {
		out = append(out, FieldError{"mail.from", c.Mail.From + " is the default; letters from it are mostly refused"})
	}
	return out
}

// public tells whether a listening address may be reached from the internet.
func public(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil || loopback(host) {
		return false
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(host, "."))
	if err != nil {
		return true // a name, or every address
	}
	return !ip.IsPrivate() && !ip.IsLinkLocalUnicast()
}
