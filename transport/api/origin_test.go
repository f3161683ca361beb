package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/transport/api"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

func TestOriginOfUnsafeRequests(t *testing.T) {
	h := apitest.New(t, apitest.Options{API: func(o *api.Options) { o.Origins = []string{"https://loja.example"} }})
	fan := h.Person(t, account.RoleFan)
	own := h.Server.URL
	host := strings.TrimPrefix(own, "http://")
	for _, c := range []struct {
		name, origin, site string
		ok                 bool
	}{
		{"own", own, "", true},
		{"own by TLS in front", "https://" + host, "", true},
		{"of the list", "https://loja.example", "", true},
		{"same origin by the browser's word", "", "same-origin", true},
		{"typed by the person", "", "none", true},
		{"a program", "", "", true},
		{"null", "null", "", false},
		{"ends the same", "http://evil" + host, "", false},
		{"begins the same", own + ".evil.example", "", false},
		{"other port", "http://127.0.0.1:1", "", false},
		{"other name of this host", strings.Replace(own, "127.0.0.1", "localhost", 1), "", false},
		{"another case of the list", "https://LOJA.example", "", false},
		{"list with a port", "https://loja.example:8443", "", false},
		{"list without TLS", "http://loja.example", "", false},
		{"same site, another host", own, "same-site", false},
		{"cross site", own, "cross-site", false},
		{"no address", "catraca", "", false},
	} {
		change := func(r *http.Request) {
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			if c.site != "" {
				r.Header.Set("Sec-Fetch-Site", c.site)
			}
		}
		byCookie := &apitest.Fan{H: h, Cookie: &http.Cookie{Name: "catraca", Value: fan.Token}}
		for _, f := range []*apitest.Fan{byCookie, h.Nobody()} {
			a := f.Do(t, "DELETE", "/api/v1/orders/nothing", nil, change) // no such operation: nothing is changed by the table
			if refused := a.Status == http.StatusForbidden; refused == c.ok {
				t.Errorf("%s: %d %s", c.name, a.Status, a.Body)
			}
		}
		// A token in a header is not sent by a browser by itself, and reading changes nothing.
		if a := fan.Do(t, "DELETE", "/api/v1/orders/nothing", nil, change); a.Status == http.StatusForbidden {
			t.Errorf("%s with a token: %s", c.name, a.Body)
		}
		byCookie.Do(t, "GET", "/api/v1/accounts/me", nil, change).Want(t, http.StatusOK)
	}
	h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: fan.Email, Password: apitest.Password},
		apitest.Header("Origin", "https://evil.example")).Problem(t, wire.ForeignOrigin)
}
