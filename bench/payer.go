package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// SandboxPayer plays a person on the sandbox's payment page: it types the card and presses the button, and when the
// bank asks, it approves. The page is a plain form, so no browser is needed.
func SandboxPayer(client *http.Client) func(ctx context.Context, page, card string) error {
	stay := *client
	// The last redirect leads back to the shop; the fan looks at its order itself.
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return func(ctx context.Context, page, card string) error {
		u, err := url.Parse(page)
		if err != nil {
			return err
		}
		form := url.Values{}
		maps.Copy(form, u.Query())
		form.Set("number", card)
		form.Set("expiry", "12/34")
		form.Set("cvc", "123")
		form.Set("name", "Fã de Teste")
		u.RawQuery = ""
		next, err := step(ctx, &stay, u, form)
		if err == nil && strings.HasPrefix(next.Path, "/3ds/") {
			form = next.Query()
			form.Set("answer", "approve")
			next.RawQuery = ""
			next, err = step(ctx, &stay, next, form)
		}
		if err == nil && next.Host == u.Host && strings.HasPrefix(next.Path, "/pay/") {
			return fmt.Errorf("%w: it asks for another one", ErrDeclined)
		}
		return err
	}
}

// step sends a form of the payment pages and returns where it leads.
func step(ctx context.Context, client *http.Client, page *url.URL, form url.Values) (*url.URL, error) {
	back, body, err := post(ctx, client, page.String(), form)
	if err != nil {
		return nil, err
	}
	if back == "" {
		_, after, _ := strings.Cut(body, `role="alert"`)
		return nil, fmt.Errorf("%w: %.200s", ErrDeclined, after)
	}
	to, err := url.Parse(back)
	if err != nil {
		return nil, err
	}
	return page.ResolveReference(to), nil
}

// ErrDeclined means that the page kept the payer: the card was not taken.
var ErrDeclined = errors.New("the payment page did not take the card")

// post sends a form and returns where it redirects to, or the page that came back.
func post(ctx context.Context, client *http.Client, to string, form url.Values) (back, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return "", "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := client.Do(req)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = res.Body.Close() }() // read to the end or given up
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return "", "", err
	}
	if res.StatusCode >= http.StatusInternalServerError {
		return "", "", fmt.Errorf("payment page answered %d", res.StatusCode)
	}
	return res.Header.Get("Location"), string(b), nil
}
