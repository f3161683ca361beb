package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/catraca/catraca/transport/api/apitest"
)

// TestHouse asks the operator address with its token, without it, and with what is almost it.
func TestHouse(t *testing.T) {
	h := apitest.New(t, apitest.Options{})
	house, closed := h.API.House("the-token"), h.API.House("")
	ask := func(handler http.Handler, method, path, authorization, cookie, body string) int {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		if cookie != "" {
			r.AddCookie(&http.Cookie{Name: "catraca", Value: cookie})
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	const owner = `{"email":"ana@example.com","name":"Ana","password":"uma senha comprida","role":"owner"}`
	for _, tt := range []struct {
		name                             string
		handler                          http.Handler
		method, path, auth, cookie, body string
		want                             int
	}{
		{"the first administrator", house, "POST", "/api/v1/admin/accounts", "Bearer the-token", "", owner, 201},
		{"reads the audit", house, "GET", "/api/v1/admin/audit", "bearer the-token", "", "", 200},
		{"what anyone may", house, "GET", "/api/v1/events", "Bearer the-token", "", "", 200},
		{"is no fan", house, "GET", "/api/v1/accounts/me", "Bearer the-token", "", "", 403},
		{"has no orders", house, "GET", "/api/v1/orders", "Bearer the-token", "", "", 403},
		{"no token", house, "GET", "/api/v1/admin/audit", "", "", "", 401},
		{"no token, what anyone may", house, "GET", "/api/v1/events", "", "", "", 200},
		{"another token", house, "GET", "/api/v1/admin/audit", "Bearer the-tokem", "", "", 401},
		{"half a token", house, "GET", "/api/v1/admin/audit", "Bearer the-", "", "", 401},
		{"another scheme", house, "GET", "/api/v1/admin/audit", "Basic the-token", "", "", 401},
		{"in a cookie", house, "GET", "/api/v1/admin/audit", "", "the-token", "", 401},
		{"on the fan address", h.API, "GET", "/api/v1/admin/audit", "Bearer the-token", "", "", 401},
		{"a house without a token", closed, "GET", "/api/v1/admin/audit", "Bearer ", "", "", 401},
		{"a house without a token, no header", closed, "GET", "/api/v1/admin/audit", "", "", "", 401},
	} {
		if got := ask(tt.handler, tt.method, tt.path, tt.auth, tt.cookie, tt.body); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
