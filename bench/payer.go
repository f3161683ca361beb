package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// SandboxPayer plays a person on the sandbox's payment page: it types the card and presses the button, and when the
// bank asks, it approves. The page is a plain form, so no browser is needed. It returns when the card was taken, by the
// sandbox's clock as far as ours allows it.
func SandboxPayer(client *http.Client) func(ctx context.Context, page, card string) (time.Time, error) {
	stay := *client
	// The last redirect leads back to the shop; the fan looks at its order itself.
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return func(ctx context.Context, page, card string) (time.Time, error) {
		u, err := url.Parse(page)
		if err != nil {
			return time.Time{}, err
		}
		form := url.Values{}
		maps.Copy(form, u.Query())
		form.Set("number", card)
		form.Set("expiry", "12/34")
		form.Set("cvc", "123")
		form.Set("name", "Fã de Teste")
		u.RawQuery = ""
		next, at, err := step(ctx, &stay, u, form)
		if err == nil && strings.HasPrefix(next.Path, "/3ds/") {
			form = next.Query()
			form.Set("answer", "approve")
			next.RawQuery = ""
			next, at, err = step(ctx, &stay, next, form)
		}
		if err == nil && next.Host == u.Host && strings.HasPrefix(next.Path, "/pay/") {
			return time.Time{}, fmt.Errorf("%w: it asks for another one", ErrDeclined)
		}
		return at, err
	}
}

// step sends a form of the payment pages and returns where it leads, and when it was taken.
func step(ctx context.Context, client *http.Client, page *url.URL, form url.Values) (*url.URL, time.Time, error) {
	p, err := post(ctx, client, page.String(), form)
	if err != nil {
		return nil, time.Time{}, err
	}
	if p.back == "" {
		_, after, _ := strings.Cut(p.body, `role="alert"`)
		return nil, time.Time{}, fmt.Errorf("%w: %.200s", ErrDeclined, after)
	}
	to, err := url.Parse(p.back)
	if err != nil {
		return nil, time.Time{}, err
	}
	return page.ResolveReference(to), p.at, nil
}

// SandboxBank plays a person in the app of a bank who pays a Pix by its code, at the sandbox at base. It returns when the
// money was sent.
func SandboxBank(client *http.Client, base string) func(ctx context.Context, code string) (time.Time, error) {
	return func(ctx context.Context, code string) (time.Time, error) {
		p, err := post(ctx, client, base+"/bank/pix", url.Values{"code": {code}})
		if err == nil && p.status >= http.StatusBadRequest {
			err = fmt.Errorf("%w: the bank answered %d", ErrDeclined, p.status)
		}
		return p.at, err
	}
}

// SandboxHeld asks the sandbox at base what it has held back on purpose.
func SandboxHeld(client *http.Client, base string) Held {
	return func(ctx context.Context, order string, from, to time.Time, notices bool) (time.Duration, error) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		ago := func(t time.Time) string { return strconv.FormatInt(time.Since(t).Milliseconds(), 10) } // no clock but ours
		q := url.Values{"order": {order}, "from_ago": {ago(from)}, "to_ago": {ago(to)}}
		if notices {
			q.Set("notices", "1")
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/bank/held?"+q.Encode(), nil)
		if err != nil {
			return 0, err
		}
		res, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		defer func() { _ = res.Body.Close() }() // read to the end or given up
		var held struct {
			MS int64 `json:"held_ms"`
		}
		if res.StatusCode != http.StatusOK {
			return 0, fmt.Errorf("what the provider held back: it answered %d", res.StatusCode)
		}
		err = json.NewDecoder(io.LimitReader(res.Body, 1<<10)).Decode(&held)
		return time.Duration(held.MS) * time.Millisecond, err
	}
}

// ErrDeclined means that the page kept the payer: the card was not taken.
var ErrDeclined = errors.New("the payment page did not take the card")

// posted is what came of a form.
type posted struct {
	status int
	back   string // where it redirects to
	body   string // the page that came back
	at     time.Time
}

// post sends a form.
func post(ctx context.Context, client *http.Client, to string, form url.Values) (posted, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return posted{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sent := time.Now()
	res, err := client.Do(req)
	if err != nil {
		return posted{}, err
	}
	defer func() { _ = res.Body.Close() }() // read to the end or given up
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return posted{}, err
	}
	if res.StatusCode >= http.StatusInternalServerError {
		return posted{}, fmt.Errorf("payment page answered %d", res.StatusCode)
	}
	return posted{res.StatusCode, res.Header.Get("Location"), string(b), taken(res.Header, sent, time.Now())}, nil
}

// taken is when the sandbox did what a form asked for. It says so by its own clock, which is believed between the moments
// at which the form was sent and answered: it may be that of another machine.
func taken(h http.Header, sent, answered time.Time) time.Time {
	ms, err := strconv.ParseInt(h.Get("Sandbox-Moment"), 10, 64)
	if err != nil {
		return answered
	}
	at := time.UnixMilli(ms)
	switch {
	case at.Before(sent):
		return sent
	case at.After(answered):
		return answered
	}
	return answered.Add(-answered.Sub(at)) // on the clock that does not jump
}
