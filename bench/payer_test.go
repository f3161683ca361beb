package bench

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/catraca/catraca/transport/pay/sandbox"
)

// The person on the payment page, at the real pages of the sandbox: good cards, the bank's question, declines, and a
// page that is asked twice because its answer was lost.
func TestSandboxPayer(t *testing.T) {
	const key = "sk_test_0123456789abcdef"
	box, err := sandbox.New(sandbox.Options{SecretKey: key, ReturnPrefixes: []string{"http://shop.example/"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = box.Close() }()
	server := httptest.NewServer(box)
	defer server.Close()
	pay := SandboxPayer(server.Client())
	for name, c := range map[string]struct {
		cards    []string
		declined bool
		status   string
	}{
		"good":               {cards: []string{"4242424242424242"}, status: "requires_capture"},
		"the bank asks":      {cards: []string{"4000002760003184"}, status: "requires_capture"},
		"declined":           {cards: []string{"4000000000000002"}, declined: true, status: "requires_payment_method"},
		"declined then good": {cards: []string{"4000000000000002", "4242424242424242"}, status: "requires_capture"},
		"asked twice":        {cards: []string{"4242424242424242", "4242424242424242"}, status: "requires_capture"},
		"bank asked twice":   {cards: []string{"4000002760003184", "4000002760003184"}, status: "requires_capture"},
		"no card":            {cards: []string{"1234"}, declined: true, status: "requires_payment_method"},
	} {
		t.Run(name, func(t *testing.T) {
			call := func(method, path string, form url.Values) (out struct {
				ID     string `json:"id"`
				Secret string `json:"client_secret"`
				Status string `json:"status"`
			}) {
				req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(form.Encode()))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Authorization", "Bearer "+key)
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				res, err := server.Client().Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = res.Body.Close() }()
				if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
					t.Fatal(err)
				}
				return out
			}
			made := call(http.MethodPost, "/v1/payment_intents", url.Values{
				"amount": {"1000"}, "currency": {"brl"}, "payment_method_types[]": {"card"}, "capture_method": {"manual"},
			})
			page := server.URL + "/pay/" + made.ID + "?" + url.Values{"client_secret": {made.Secret}, "return_url": {"http://shop.example/o"}}.Encode()
			var last error
			for _, card := range c.cards {
				last = pay(t.Context(), page, card)
			}
			if errors.Is(last, ErrDeclined) != c.declined || last != nil && !c.declined {
				t.Errorf("the page said %v", last)
			}
			if got := call(http.MethodGet, "/v1/payment_intents/"+made.ID, nil).Status; got != c.status {
				t.Errorf("the payment is %s, want %s", got, c.status)
			}
		})
	}
}

func TestSandboxPayerWithoutAServer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	client := NewClient(1)
	client.Timeout = time.Second
	if err := SandboxPayer(client)(t.Context(), server.URL+"/pay/pi_1?client_secret=x", "4242"); err == nil || errors.Is(err, ErrDeclined) {
		t.Errorf("a lost page was read as %v", err)
	}
}
