package sandbox

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path"
	"strings"
	"time"
)

// HostedPath is the hosted payment page below the server's address, as the template that pay.Options.HostedPage takes.
const HostedPath = "/pay/{payment_intent}?client_secret={client_secret}&return_url={return_url}&lang={lang}"

// Options of a [Server]. Zero values mean the documented default.
type Options struct {
	// SecretKey the API and the control API ask for as a bearer token; required, begins with sk_test_.
	SecretKey string
	// PublicURL is the address browsers reach the server at; default is what each request came to.
	PublicURL string
	// ReturnPrefixes are the addresses a payer may be sent back to: scheme, host and port must be equal and the path
	// must lie below. Empty means that nobody is sent anywhere.
	ReturnPrefixes []string
	// WebhookURL gets the events; empty delivers none. WebhookSecret signs them, WebhookOldSecret signs too while a
	// secret is being replaced.
	WebhookURL       string
	WebhookSecret    string
	WebhookOldSecret string
	// WebhookTimeout of one delivery; default 10 s. A failed one is repeated after WebhookRetry (default 1 s),
	// doubling to at most WebhookRetryMax (default 1 h), WebhookTries times in all (default 16).
	WebhookTimeout  time.Duration
	WebhookRetry    time.Duration
	WebhookRetryMax time.Duration
	WebhookTries    int
	// StateFile keeps everything across restarts; empty keeps it in memory.
	StateFile string
	// PixAfter is when a Pix pays itself; default 5 s, negative never.
	PixAfter time.Duration
	// ProcessAfter is how long the "processing" card takes, default 6 s; LateAfter the "late" card, default 12 min;
	// RefundAfter a pending refund, default 2 s; DisputeAfter the "dispute" card, default 10 s.
	ProcessAfter time.Duration
	LateAfter    time.Duration
	RefundAfter  time.Duration
	DisputeAfter time.Duration
	// MaxPayments bounds the payments kept; default 1,000,000. More are refused.
	MaxPayments int
	// Seed of ids and faults; 0 draws one.
	Seed uint64
	// Now is the clock; default time.Now. Whoever moves an own clock calls Wake after it.
	Now    func() time.Time
	Logger *slog.Logger
}

func (o Options) resolve() (Options, error) {
	if !strings.HasPrefix(o.SecretKey, "sk_test_") || len(o.SecretKey) < 16 {
		return o, errors.New("validate secret key: it must begin with sk_test_ and have at least 16 characters")
	}
	for _, u := range []struct{ name, value string }{{"public url", o.PublicURL}, {"webhook url", o.WebhookURL}} {
		if u.value == "" {
			continue
		}
		if _, err := webAddress(u.value); err != nil {
			return o, fmt.Errorf("validate %s: %w", u.name, err)
		}
	}
	for _, p := range o.ReturnPrefixes {
		if _, err := webAddress(p); err != nil {
			return o, fmt.Errorf("validate return prefixes: %w", err)
		}
	}
	if o.WebhookURL != "" && o.WebhookSecret == "" {
		return o, errors.New("validate webhook secret: it is empty, but there is a webhook url")
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	defaults := []struct {
		value *time.Duration
		or    time.Duration
	}{
		{&o.WebhookTimeout, 10 * time.Second}, {&o.WebhookRetry, time.Second}, {&o.WebhookRetryMax, time.Hour},
		{&o.PixAfter, 5 * time.Second}, {&o.ProcessAfter, 6 * time.Second}, {&o.LateAfter, 12 * time.Minute},
		{&o.RefundAfter, 2 * time.Second}, {&o.DisputeAfter, 10 * time.Second},
	}
	for _, d := range defaults {
		if *d.value == 0 {
			*d.value = d.or
		}
	}
	if o.WebhookTries == 0 {
		o.WebhookTries = 16
	}
	if o.MaxPayments == 0 {
		o.MaxPayments = 1_000_000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

func webAddress(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, err
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return nil, fmt.Errorf("%q is not an absolute http or https address", s)
	}
	return u, nil
}

// mayReturn tells whether a payer may be sent to address. The parts are compared one by one, because a textual
// prefix of "https://shop.example" would also fit "https://shop.example.evil.test".
func (o Options) mayReturn(address string) bool {
	u, err := webAddress(address)
	if err != nil || strings.ContainsAny(address, "\\\r\n\t") {
		return false
	}
	for _, prefix := range o.ReturnPrefixes {
		p, err := webAddress(prefix)
		if err != nil || u.Scheme != p.Scheme || !strings.EqualFold(u.Host, p.Host) {
			continue
		}
		below := strings.TrimRight(p.Path, "/")
		clean := path.Clean("/" + u.Path) // dots resolved, written out or encoded, as a browser does
		if below == "" || clean == below || strings.HasPrefix(clean, below+"/") {
			return true
		}
	}
	return false
}
