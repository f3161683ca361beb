// Package forwarded finds out the address a visitor comes from. X-Forwarded-For can be written by anybody, so it
// counts only as far as the proxies named in the configuration have written it.
package forwarded

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// maxHops of a chain that is looked at.
const maxHops = 10

// Resolver knows which proxies to believe. The zero value believes none.
type Resolver struct{ trusted []netip.Prefix }

// New takes addresses and prefixes: 10.0.0.7, 10.0.0.0/8, ::1.
func New(trusted []string) (*Resolver, error) {
	r := &Resolver{}
	for i, t := range trusted {
		p, err := netip.ParsePrefix(t)
		if err != nil {
			a, aerr := netip.ParseAddr(t)
			if aerr != nil {
				return nil, fmt.Errorf("trusted_proxies[%d]: %q is neither an address nor a prefix like 10.0.0.0/8", i, t)
			}
			p = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
		}
		r.trusted = append(r.trusted, p.Masked())
	}
	return r, nil
}

// Addr is the visitor's address: the last hop that was not written by a trusted proxy.
func (r *Resolver) Addr(req *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(req.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	at := peer.Addr().Unmap()
	if !r.trusts(at) {
		return at
	}
	hops := strings.Split(strings.Join(req.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && len(hops)-i <= maxHops; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return at // garbage is as far as the chain can be believed
		}
		at = hop.Unmap()
		if !r.trusts(at) {
			return at
		}
	}
	return at
}

// Trusted says whether the request came straight from a trusted proxy.
func (r *Resolver) Trusted(req *http.Request) bool {
	peer, err := netip.ParseAddrPort(req.RemoteAddr)
	return err == nil && r.trusts(peer.Addr().Unmap())
}

func (r *Resolver) trusts(a netip.Addr) bool {
	for _, p := range r.trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
