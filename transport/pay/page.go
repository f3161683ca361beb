package pay

import (
	"fmt"
	"net/url"
	"strings"
)

// hostedPage is the parsed template of the address where a payer enters the card.
type hostedPage struct{ template string }

// parsePage validates a template; the error says what is allowed.
func parsePage(template string) (hostedPage, error) {
	if template == "" {
		return hostedPage{}, fmt.Errorf("validate hosted_page: it is empty; give an address with {payment_intent} and {client_secret}")
	}
	for _, need := range []string{"{payment_intent}", "{client_secret}"} {
		if !strings.Contains(template, need) {
			return hostedPage{}, fmt.Errorf("validate hosted_page: %q lacks the placeholder %s", template, need)
		}
	}
	filled := hostedPage{template}.address("pi", "secret", "https://shop.example/", "en")
	if i := strings.IndexAny(filled, "{}"); i >= 0 {
		return hostedPage{}, fmt.Errorf("validate hosted_page: %q has an unknown placeholder; known are {payment_intent}, {client_secret}, {return_url}, {lang}", template)
	}
	u, err := url.Parse(filled)
	if err != nil {
		return hostedPage{}, fmt.Errorf("validate hosted_page: %w", err)
	}
	if u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return hostedPage{}, fmt.Errorf("validate hosted_page: %q is not an absolute http or https address", template)
	}
	if u.Scheme == "http" && !loopback(u.Host) {
		return hostedPage{}, fmt.Errorf("validate hosted_page: %q takes cards over plain http; only this machine may", template)
	}
	return hostedPage{template}, nil
}

func (p hostedPage) address(intent, secret, returnURL, lang string) string {
	return strings.NewReplacer(
		"{payment_intent}", url.QueryEscape(intent),
		"{client_secret}", url.QueryEscape(secret),
		"{return_url}", url.QueryEscape(returnURL),
		"{lang}", url.QueryEscape(lang),
	).Replace(p.template)
}
