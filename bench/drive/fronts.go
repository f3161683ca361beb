package drive

import (
	"context"
	"net"
	"net/url"
	"sync/atomic"
	"time"
)

// fronts are the addresses that the shop's name stands for.
type fronts struct {
	name string   // host:port of the base
	list []string // none: the name itself
	next atomic.Uint64
}

func newFronts(s *Share) *fronts {
	f := &fronts{list: s.Fronts}
	if u, err := url.Parse(s.Base); err == nil {
		f.name = u.Host
	}
	f.next.Store(uint64(s.Number)) //nolint:gosec // few; shares begin with different ones
	return f
}

func (f *fronts) dial(ctx context.Context, network, address string) (net.Conn, error) {
	return f.by(ctx, &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}, network, address)
}

// by connects to one front after the other, from the one whose turn it is, until one answers.
func (f *fronts) by(ctx context.Context, d *net.Dialer, network, address string) (net.Conn, error) {
	if len(f.list) == 0 || address != f.name {
		return d.DialContext(ctx, network, address)
	}
	n := uint64(len(f.list))
	first := f.next.Add(1)
	for i := uint64(0); ; i++ {
		conn, err := d.DialContext(ctx, network, f.list[(first+i)%n])
		if err == nil || i+1 == n || ctx.Err() != nil {
			return conn, err
		}
	}
}
