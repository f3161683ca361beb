package pay

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

// Defaults and limits of [Options].
const (
	DefaultBaseURL  = "https://api.stripe.com"
	defaultTimeout  = 10 * time.Second
	defaultRetries  = 1
	defaultFailures = 5
	defaultOpenFor  = 5 * time.Second

	maxRetries     = 5
	maxTimeout     = time.Minute
	maxSecretBytes = 4096
)

// Options of the payment provider. Zero values mean the documented default.
type Options struct {
	// Provider names the provider in metrics and logs: "stripe" (default) or "sandbox".
	Provider string
	// BaseURL of the API; default https://api.stripe.com. Plain http is accepted only with a test key.
	BaseURL string
	// SecretKey of the account (sk_…). SecretKeyFile is read instead when SecretKey is empty.
	SecretKey     string
	SecretKeyFile string
	// HostedPage is where a payer enters the card: an address with the placeholders {payment_intent} and
	// {client_secret} (both required), {return_url} and {lang}; each is replaced by its query-escaped value.
	HostedPage string
	// Timeout of one operation, all tries together; default 10 s, at most 1 min.
	Timeout time.Duration
	// Retries of one operation after a network failure, with the same key; default 1, at most 5, -1 for none.
	Retries int
	// BreakerFailures temporary failures in a row stop calling the provider for BreakerOpen; defaults 5 and 5 s.
	BreakerFailures int
	BreakerOpen     time.Duration
}

// resolve fills the defaults, reads the key and validates; the error names the field.
func (o Options) resolve() (Options, error) {
	if o.Provider == "" {
		o.Provider = "stripe"
	}
	if o.Provider != "stripe" && o.Provider != "sandbox" {
		return o, fmt.Errorf("validate provider: %q is not one of stripe, sandbox", o.Provider)
	}
	if o.BaseURL == "" {
		o.BaseURL = DefaultBaseURL
	}
	if o.SecretKey == "" && o.SecretKeyFile != "" {
		key, err := readSecretFile(o.SecretKeyFile)
		if err != nil {
			return o, fmt.Errorf("read secret_key_file: %w", err)
		}
		o.SecretKey = key
	}
	if err := checkKey(o.SecretKey); err != nil {
		return o, err
	}
	if err := checkBase(o.BaseURL, o.SecretKey); err != nil {
		return o, err
	}
	if _, err := parsePage(o.HostedPage); err != nil {
		return o, err
	}
	return o.resolveLimits()
}

func (o Options) resolveLimits() (Options, error) {
	switch {
	case o.Timeout == 0:
		o.Timeout = defaultTimeout
	case o.Timeout < 0 || o.Timeout > maxTimeout:
		return o, fmt.Errorf("validate timeout: %v is not within 0 and %v", o.Timeout, maxTimeout)
	}
	switch {
	case o.Retries == 0:
		o.Retries = defaultRetries
	case o.Retries == -1:
		o.Retries = 0
	case o.Retries < -1 || o.Retries > maxRetries:
		return o, fmt.Errorf("validate retries: %d is not within -1 and %d", o.Retries, maxRetries)
	}
	switch {
	case o.BreakerFailures == 0:
		o.BreakerFailures = defaultFailures
	case o.BreakerFailures < 0:
		return o, fmt.Errorf("validate breaker_failures: %d is negative", o.BreakerFailures)
	}
	switch {
	case o.BreakerOpen == 0:
		o.BreakerOpen = defaultOpenFor
	case o.BreakerOpen < 0:
		return o, fmt.Errorf("validate breaker_open: %v is negative", o.BreakerOpen)
	}
	return o, nil
}

func checkKey(key string) error {
	if key == "" {
		return errors.New("validate secret_key: it is empty; set secret_key or secret_key_file")
	}
	for _, r := range key {
		if r <= ' ' || r > '~' {
			return errors.New("validate secret_key: only visible ASCII is allowed")
		}
	}
	if !strings.HasPrefix(key, "sk_") && !strings.HasPrefix(key, "rk_") {
		return errors.New("validate secret_key: it must begin with sk_ or rk_; a publishable key cannot take payments")
	}
	return nil
}

// checkBase keeps a live key off the open network: plain http is for a sandbox only.
func checkBase(base, key string) error {
	u, err := url.Parse(base)
	if err != nil {
		return fmt.Errorf("validate base_url: %w", err)
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("validate base_url: %q is not a plain http or https address", base)
	}
	if u.Scheme == "http" && strings.HasPrefix(key[3:], "live_") {
		return errors.New("validate base_url: plain http with a live key would give the key away; use https")
	}
	return nil
}

// loopback tells whether host, with or without port, is this machine.
func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// readSecretFile reads one secret: the first line that is neither empty nor a comment.
func readSecretFile(path string) (string, error) {
	lines, err := secretLines(path)
	if err != nil {
		return "", err
	}
	return lines[0], nil
}

// secretLines reads a file of secrets, one a line; empty lines and lines beginning with # are skipped.
func secretLines(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxSecretBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSecretBytes {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxSecretBytes)
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s holds no secret", path)
	}
	return lines, nil
}
