package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
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
		for k, v := range u.Query() {
			form[k] = v
		}
		form.Set("number", card)
		form.Set("expiry", "12/34")
		form.Set("cvc", "123")
		form.Set("name", "Fã de Teste")
		u.RawQuery = ""
		back, body, err := post(ctx, &stay, u.String(), form)
		if err != nil || back == "" {
			return errors.Join(err, stayed(back, body))
		}
		if next, err := url.Parse(back); err == nil && strings.HasSuffix(next.Path, "/3ds") {
			form = next.Query()
			form.Set("answer", "approve")
			next.RawQuery = ""
			back, body, err = post(ctx, &stay, u.ResolveReference(next).String(), form)
			if err != nil || back == "" {
				return errors.Join(err, stayed(back, body))
			}
		}
		return nil
	}
}

// ErrDeclined means that the page kept the payer: the card was not taken.
var ErrDeclined = errors.New("the payment page did not take the card")

func stayed(back, body string) error {
	if back != "" {
		return nil
	}
	_, after, _ := strings.Cut(body, `role="alert"`)
	return fmt.Errorf("%w: %.200s", ErrDeclined, after)
}

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
