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
			call := func(method, path string, form url.Values) provided {
				return askProvider(t, server, key, method, path, form)
			}
			made := call(http.MethodPost, "/v1/payment_intents", url.Values{
				"amount": {"1000"}, "currency": {"brl"}, "payment_method_types[]": {"card"}, "capture_method": {"manual"},
			})
			page := server.URL + "/pay/" + made.ID + "?" + url.Values{"client_secret": {made.Secret}, "return_url": {"http://shop.example/o"}}.Encode()
			var last error
			for _, card := range c.cards {
				sent := time.Now()
				var at time.Time
				if at, last = pay(t.Context(), page, card); last == nil && (at.Before(sent) || at.After(time.Now())) {
					t.Errorf("a card typed at %v was taken at %v", sent, at)
				}
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

// provided is what a payment provider says of a payment.
type provided struct {
	ID     string `json:"id"`
	Secret string `json:"client_secret"`
	Status string `json:"status"`
	Next   struct {
		Pix struct {
			Data string `json:"data"`
		} `json:"pix_display_qr_code"`
	} `json:"next_action"`
}

func askProvider(t *testing.T, server *httptest.Server, key, method, path string, form url.Values) (out provided) {
	t.Helper()
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

func TestSandboxPayerWithoutAServer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	client := NewClient(1)
	client.Timeout = time.Second
	if _, err := SandboxPayer(client)(t.Context(), server.URL+"/pay/pi_1?client_secret=x", "4242"); err == nil || errors.Is(err, ErrDeclined) {
		t.Errorf("a lost page was read as %v", err)
	}
}

// The app of the bank, at the real sandbox, and what that holds back because it was told to.
func TestSandboxBank(t *testing.T) {
	const key = "sk_test_0123456789abcdef"
	box, err := sandbox.New(sandbox.Options{SecretKey: key, PixAfter: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = box.Close() }()
	server := httptest.NewServer(box)
	defer server.Close()
	bank, held := SandboxBank(server.Client(), server.URL), SandboxHeld(server.Client(), server.URL)
	call := func(method, path string, form url.Values) provided {
		return askProvider(t, server, key, method, path, form)
	}
	began := time.Now()
	made := call(http.MethodPost, "/v1/payment_intents", url.Values{
		"amount": {"1000"}, "currency": {"brl"}, "payment_method_types[]": {"pix"}, "payment_method_data[type]": {"pix"}, "confirm": {"true"},
		"metadata[reference]": {"o1-5"},
	})
	code := made.Next.Pix.Data
	for _, wrong := range []string{"", "0002", code + "0", strings.Replace(code, "10.00", "10.01", 1)} {
		if _, err := bank(t.Context(), wrong); !errors.Is(err, ErrDeclined) {
			t.Errorf("the bank took %q: %v", wrong, err)
		}
	}
	for range 2 { // once more, because the answer may be lost
		sent := time.Now()
		at, err := bank(t.Context(), code)
		if err != nil || at.Before(sent) || at.After(time.Now()) {
			t.Errorf("paid at %v, sent at %v, %v", at, sent, err)
		}
	}
	if got := call(http.MethodGet, "/v1/payment_intents/"+made.ID, nil).Status; got != "succeeded" {
		t.Errorf("the payment is %s", got)
	}
	ask := func(order string) time.Duration {
		d, err := held(t.Context(), order, began, time.Now(), false)
		if err != nil {
			t.Error(err)
		}
		return d
	}
	if d := ask("o1-5"); d != 0 {
		t.Errorf("held back for %v before it was told to", d)
	}
	const delay = 30 * time.Millisecond
	if err := box.SetFaults(sandbox.Fault{On: "api", Do: "delay", DelayMS: delay.Milliseconds()}); err != nil {
		t.Fatal(err)
	}
	call(http.MethodGet, "/v1/payment_intents/"+made.ID, nil)
	if d, other := ask("o1-5"), ask("o1-6"); d < delay || d > time.Since(began) || other != 0 {
		t.Errorf("held back for %v, another order for %v", d, other)
	}
	if _, err := held(t.Context(), "o1-5", began.Add(-48*time.Hour), time.Now(), true); err == nil {
		t.Error("two days were asked for")
	}
}
