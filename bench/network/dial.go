package network

import (
	"context"
	"net"
)

// DialContext opens a connection, as [http.Transport] and the dialer of a live socket call it.
type DialContext = func(ctx context.Context, network, address string) (net.Conn, error)

// Dial returns a dialer whose connections are of the class; base makes them, and nil is the network itself. Opening
// one takes a round trip.
func (c Class) Dial(base DialContext) DialContext {
	if base == nil {
		base = (&net.Dialer{}).DialContext
	}
	return base
}
