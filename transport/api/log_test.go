package api_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

// log keeps what several goroutines write.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Whatever goes well or wrong, the log names no person and has no secret.
func TestLogNamesNobody(t *testing.T) {
	var out log
	h := apitest.New(t, apitest.Options{Log: &out})
	cfg := h.Event(t, realSale)
	up := wire.SignUp{Email: "iracema.guarani@example.com", Name: "Iracema Guarani", Password: "jandaia e graúna", Token: true}
	s := apitest.Into[wire.Session](t, h.Nobody().Do(t, "POST", "/api/v1/accounts", up).Want(t, http.StatusCreated))
	h.Nobody().Do(t, "POST", "/api/v1/accounts", up).Problem(t, wire.EmailTaken)
	h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: up.Email, Password: "jandaia errada"}).Problem(t, wire.WrongPassword)
	h.Nobody().Do(t, "POST", "/api/v1/accounts", `{"email":"iracema.guarani@example.com"`).Problem(t, wire.InvalidRequest)
	h.Mailbox.Fail(http.ErrHandlerTimeout) // the outbox warns of it
	fan := &apitest.Fan{H: h, Token: s.Token}
	order := fan.Buy(t, cfg, 0, 1)
	ticket := apitest.Into[wire.Ticket](t, fan.Do(t, "GET", "/api/v1/tickets/"+order.Tickets[0], nil))
	h.Nobody().Do(t, "POST", "/api/v1/payments/stripe/webhook", `{}`).Problem(t, wire.InvalidRequest)
	gate := h.Person(t, account.RoleGate)
	gate.Do(t, "POST", "/api/v1/gates/1/scans", wire.ScanRequest{Code: ticket.Code}).Want(t, http.StatusOK)
	apitest.Eventually(t, "a warning", func() bool { return strings.Contains(out.String(), "intent failed") })
	text := out.String()
	if !strings.Contains(text, "webhook refused") {
		t.Errorf("the log has no word of the webhook:\n%s", text)
	}
	for _, secret := range []string{"iracema", "Iracema", "Guarani", "jandaia", s.Token, ticket.Code, ticket.Code[4:40], apitest.WebhookSecret, "203.0.113"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %q:\n%s", secret, text)
		}
	}
}
