package throttle

import (
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// SignIn limits sign-ins: 20 a minute from one address, which is loose because a carrier puts many people behind
// one, and 5 a minute for one account.
type SignIn struct {
	addresses *Limiter
	accounts  *Limiter
	throttled *prometheus.CounterVec
}

const signInKeys = 1 << 17 // 8 MiB for each of the two limits

// NewSignIn returns the limits with their usual numbers. The collector is registered on reg unless it is nil.
func NewSignIn(reg prometheus.Registerer) *SignIn {
	s := &SignIn{
		addresses: New(Rate{Count: 20, Per: time.Minute}, signInKeys),
		accounts:  New(Rate{Count: 5, Per: time.Minute}, signInKeys),
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
