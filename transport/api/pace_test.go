package api_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory/throttle"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/api"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

func TestPace(t *testing.T) {
	at := time.Now()
	h := apitest.New(t, apitest.Options{API: func(o *api.Options) {
		o.Now = func() time.Time { return at }
		o.Pace = api.Pace{Shopping: throttle.Rate{Count: 3, Per: 3 * time.Second}, Reading: throttle.Rate{Count: 4, Per: 4 * time.Second}}
	}})
	cfg := h.Event(t, nil)
	fan, other := h.Person(t, account.RoleFan), h.Person(t, account.RoleFan)
	read := func(f *apitest.Fan) *apitest.Answer { return f.Do(t, "GET", apitest.Path(cfg, "seats"), nil) }
	for range 3 {
		read(fan).Want(t, http.StatusOK)
	}
	a := read(fan)
	if p := a.Problem(t, wire.TooManyRequests); p.RetryAfter != 1000 || a.Header.Get("Retry-After") != "1" {
		t.Errorf("refused with %+v, Retry-After %q", p, a.Header.Get("Retry-After"))
	}
	read(other).Want(t, http.StatusOK)
	fan.Do(t, "GET", "/api/v1/accounts/me", nil).Want(t, http.StatusOK) // is no shopping
	// The live socket's operations count with the others.
	person, err := h.Directory.Authenticate(t.Context(), fan.Token)
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := h.API.Call(t.Context(), person, "en", cfg.Event, "hold.get", "", nil); status != http.StatusTooManyRequests {
		t.Errorf("over the socket the answer is %d", status)
	}
	if err := h.API.Ask(t.Context(), person, "en", cfg.Event, sale.OpJoin); err == nil {
		t.Error("joined over the socket")
	}
	if hold, err := h.API.LookHold(t.Context(), person, cfg.Event); hold != nil || err != nil {
		t.Errorf("what the socket itself asks counts too: %+v, %v", hold, err)
	}
	begun := make(ended, 1)
	if !h.API.Begin(t.Context(), person, "en", cfg.Event, "hold", "", []byte(`{"seats":[1]}`), begun) || <-begun != http.StatusTooManyRequests {
		t.Error("a hold was begun")
	}
	at = at.Add(time.Second)
	read(fan).Want(t, http.StatusOK)
	read(fan).Problem(t, wire.TooManyRequests)

	virtual := h.Virtual(t, cfg)
	for range 10 {
		read(virtual).Want(t, http.StatusOK)
	}
	visit := func(from string) *apitest.Answer {
		h.Address.Store(new(netip.MustParseAddr(from)))
		return h.Nobody().Do(t, "GET", "/api/v1/events", nil)
	}
	for range 4 {
		visit("192.0.2.1").Want(t, http.StatusOK)
	}
	visit("192.0.2.1").Problem(t, wire.TooManyRequests)
	visit("192.0.2.2").Want(t, http.StatusOK)
}

func TestPaceOfVirtualFans(t *testing.T) {
	h := apitest.New(t, apitest.Options{API: func(o *api.Options) {
		o.Pace = api.Pace{Shopping: throttle.Rate{Count: 2, Per: time.Hour}, Virtual: true}
	}})
	cfg := h.Event(t, nil)
	fan := h.Virtual(t, cfg)
	for range 2 {
		fan.Do(t, "GET", apitest.Path(cfg, "seats"), nil).Want(t, http.StatusOK)
	}
	fan.Do(t, "GET", apitest.Path(cfg, "seats"), nil).Problem(t, wire.TooManyRequests)
}

// ended hears how a call ends.
type ended chan int

func (e ended) Hold(uint64, sale.HoldID) {}

func (e ended) Done(status int, _ wire.Appender) { e <- status }
