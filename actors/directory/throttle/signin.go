package throttle

import (
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// SignIn limits sign-ins: loosely from one address, because a carrier puts many people behind one, and tightly for
// one account.
type SignIn struct {
	addresses *Limiter
	accounts  *Limiter
	throttled *prometheus.CounterVec
}

const signInKeys = 1 << 17 // 8 MiB for each of the two limits

// Limits of sign-ins a minute; 0 means the usual number.
type Limits struct {
	PerAddress int // 20
	PerAccount int // 5
}

// NewSignIn returns the limits. The collector is registered on reg unless it is nil.
func NewSignIn(l Limits, reg prometheus.Registerer) *SignIn {
	if l.PerAddress == 0 {
		l.PerAddress = 20
	}
	if l.PerAccount == 0 {
		l.PerAccount = 5
	}
	s := &SignIn{
		addresses: New(Rate{Count: l.PerAddress, Per: time.Minute}, signInKeys),
		accounts:  New(Rate{Count: l.PerAccount, Per: time.Minute}, signInKeys),
		throttled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "catraca_auth_throttled_total",
			Help: "Sign-ins refused before any password was hashed, by the limit that was reached (address or account).",
		}, []string{"limit"}),
	}
	s.throttled.WithLabelValues("address")
	s.throttled.WithLabelValues("account")
	if reg != nil {
		reg.MustRegister(s.throttled)
	}
	return s
}

// Allow counts a try to sign in as that account, named by its normalised e-mail whether it exists or not, from
// that address. When it is not ok the next try is allowed after retryAfter.
func (s *SignIn) Allow(account string, from netip.Addr, now time.Time) (retryAfter time.Duration, ok bool) {
	if wait, ok := s.addresses.Allow(AddressKey(from), now); !ok {
		s.throttled.WithLabelValues("address").Inc()
		return wait, false
	}
	if wait, ok := s.accounts.Allow(account, now); !ok {
		s.throttled.WithLabelValues("account").Inc()
		return wait, false
	}
	return 0, true
}

// AddressKey is the network that an address is limited with: a whole IPv4 address, and of IPv6 the /64 that one
// subscriber has. An IPv4 address written as IPv6 is the IPv4 address. All invalid addresses share a key.
func AddressKey(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
