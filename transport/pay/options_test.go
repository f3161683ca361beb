package pay

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/outbox"
	"github.com/catraca/catraca/actors/sale"
)

const goodPage = "https://pay.example/p?i={payment_intent}&s={client_secret}&r={return_url}&l={lang}"

func TestOptions(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(secret, []byte("# live\nsk_live_from_file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		o    Options
		want string // "" is good, else a part of the error
	}{
		{"plain", Options{SecretKey: "sk_test_x", HostedPage: goodPage}, ""},
		{"key from a file", Options{SecretKeyFile: secret, HostedPage: goodPage}, ""},
		{"sandbox here", Options{Provider: "sandbox", SecretKey: "sk_test_x", BaseURL: "http://127.0.0.1:1", HostedPage: "http://127.0.0.1:1/pay/{payment_intent}?s={client_secret}"}, ""},
		{"provider", Options{Provider: "paypal", SecretKey: "sk_test_x", HostedPage: goodPage}, "provider"},
		{"no key", Options{HostedPage: goodPage}, "secret_key"},
		{"no key file", Options{SecretKeyFile: secret + "x", HostedPage: goodPage}, "secret_key_file"},
		{"publishable key", Options{SecretKey: "pk_test_x", HostedPage: goodPage}, "publishable"},
		{"key with a space", Options{SecretKey: "sk_test x", HostedPage: goodPage}, "visible ASCII"},
		{"live key in the clear", Options{SecretKey: "sk_live_x", BaseURL: "http://pay.example", HostedPage: goodPage}, "plain http"},
		{"base with a query", Options{SecretKey: "sk_test_x", BaseURL: "https://pay.example/?x=1", HostedPage: goodPage}, "base_url"},
		{"base without a host", Options{SecretKey: "sk_test_x", BaseURL: "pay.example", HostedPage: goodPage}, "base_url"},
		{"no page", Options{SecretKey: "sk_test_x"}, "hosted_page"},
		{"page without secret", Options{SecretKey: "sk_test_x", HostedPage: "https://x/{payment_intent}"}, "{client_secret}"},
		{"page without payment", Options{SecretKey: "sk_test_x", HostedPage: "https://x/{client_secret}"}, "{payment_intent}"},
		{"page with more", Options{SecretKey: "sk_test_x", HostedPage: goodPage + "{order}"}, "unknown placeholder"},
		{"page in the clear", Options{SecretKey: "sk_test_x", HostedPage: strings.Replace(goodPage, "https", "http", 1)}, "plain http"},
		{"page nowhere", Options{SecretKey: "sk_test_x", HostedPage: "/p?i={payment_intent}&s={client_secret}"}, "absolute"},
		{"timeout", Options{SecretKey: "sk_test_x", HostedPage: goodPage, Timeout: time.Hour}, "timeout"},
		{"retries", Options{SecretKey: "sk_test_x", HostedPage: goodPage, Retries: 6}, "retries"},
		{"failures", Options{SecretKey: "sk_test_x", HostedPage: goodPage, BreakerFailures: -1}, "breaker_failures"},
		{"rest", Options{SecretKey: "sk_test_x", HostedPage: goodPage, BreakerOpen: -1}, "breaker_open"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(c.o, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
			if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			if err != nil && c.o.SecretKey != "" && strings.Contains(err.Error(), c.o.SecretKey) {
				t.Fatalf("the error gives the key away: %v", err)
			}
		})
	}
}

func TestPageAddressIsEscaped(t *testing.T) {
	page, err := parsePage(goodPage)
	if err != nil {
		t.Fatal(err)
	}
	got := page.address("pi_1", "pi_1_secret_2", "https://shop.example/?a=1&b={lang}", "pt-BR")
	want := "https://pay.example/p?i=pi_1&s=pi_1_secret_2&r=https%3A%2F%2Fshop.example%2F%3Fa%3D1%26b%3D%7Blang%7D&l=pt-BR"
	if got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

// The parameters of a repeated request must be the same to the letter.
func TestCreateParams(t *testing.T) {
	r := outbox.PaymentRequest{Key: "k", Event: 1, Order: 42, Attempt: 2, Method: sale.MethodPix, Amount: 500, Currency: "BRL",
		Label: strings.Repeat("ã", 600), Reference: "o1-42", Expires: 1795521600999}
	p := createParams(r, "k")
	if *p.Currency != "brl" || *p.PaymentMethodOptions.Pix.ExpiresAt != 1795521600 || p.CaptureMethod != nil || len([]rune(*p.Description)) != 500 {
		t.Fatalf("params %+v", p)
	}
	r.Expires, r.Label = 0, ""
	if p := createParams(r, "k"); p.PaymentMethodOptions != nil || *p.Description != "o1-42" {
		t.Fatalf("params %+v", p)
	}
	r.Method = sale.MethodCard
	if p := createParams(r, "k"); *p.CaptureMethod != "manual" || p.Confirm != nil || p.PaymentMethodData != nil {
		t.Fatalf("params %+v", p)
	}
}

func TestNthKey(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range []string{"a", strings.Repeat("a", 252), strings.Repeat("a", 253), strings.Repeat("a", 254), strings.Repeat("a", 255)} {
		if nthKey(k, 1) != k {
			t.Errorf("the first key of %q is %q", k, nthKey(k, 1))
		}
		for n := 1; n <= maxKeys; n++ {
			s := nthKey(k, n)
			if seen[s] || len(s) > 255 || s != nthKey(k, n) {
				t.Errorf("key %d of one of %d characters: %q", n, len(k), s)
			}
			seen[s] = true
		}
	}
}
