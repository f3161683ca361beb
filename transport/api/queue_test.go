package api_test

import (
	"net/http"
	"testing"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

func place(t *testing.T, f *apitest.Fan, cfg *sale.Config) wire.Place {
	t.Helper()
	return apitest.Into[wire.Place](t, f.Do(t, "GET", apitest.Path(cfg, "queue/me"), nil).Want(t, http.StatusOK))
}

func TestQueueKeepsOnePlace(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, func(c *sale.Config) { c.Queue.RatePerMinute, c.Queue.Burst, c.Queue.ActiveCap = 1, 1, 1 })
	first, second, third := h.Virtual(t, cfg), h.Virtual(t, cfg), h.Virtual(t, cfg)
	second.Do(t, "GET", apitest.Path(cfg, "queue/me"), nil).Problem(t, wire.NoPlace)
	for i, f := range []*apitest.Fan{first, second, third} {
		got := apitest.Into[wire.Place](t, f.Do(t, "POST", apitest.Path(cfg, "queue"), nil).Want(t, http.StatusCreated))
		if got.Number != uint32(i+1) || got.Event != cfg.Slug || got.Phase != "open" {
			t.Errorf("place %d is %+v", i+1, got)
		}
	}
	again := apitest.Into[wire.Place](t, second.Do(t, "POST", apitest.Path(cfg, "queue"), `{}`).Want(t, http.StatusOK))
	if again.Number != 2 || again.State != "waiting" {
		t.Errorf("joined again: %+v", again)
	}
	apitest.Eventually(t, "the picture of the queue", func() bool { p := place(t, third, cfg); return p.Ahead == 1 && p.Number == 3 && p.Waiting == 2 })
	second.Do(t, "POST", apitest.Path(cfg, "admission"), nil).Problem(t, wire.NotYourTurn)
	second.Do(t, "DELETE", apitest.Path(cfg, "admission"), nil).Problem(t, wire.NotYourTurn)

	second.Do(t, "DELETE", apitest.Path(cfg, "queue/me"), nil).Want(t, http.StatusNoContent)
	second.Do(t, "DELETE", apitest.Path(cfg, "queue/me"), nil).Problem(t, wire.NoPlace)
	if p := place(t, second, cfg); p.State != "left" {
		t.Errorf("place after leaving is %+v", p)
	}
	apitest.Eventually(t, "the line to move", func() bool { return place(t, third, cfg).Ahead == 0 })
	if p := apitest.Into[wire.Place](t, second.Do(t, "POST", apitest.Path(cfg, "queue"), nil).Want(t, http.StatusCreated)); p.Number != 4 {
		t.Errorf("place after leaving and joining is %+v", p)
	}
}

func TestTurn(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := h.Virtual(t, cfg)
	got := fan.Shop(t, cfg)
	if got.State != "shopping" || got.Deadline == 0 || got.Cap < got.Deadline {
		t.Errorf("place is %+v", got)
	}
	if again := fan.Shop(t, cfg); again.Number != got.Number || again.Deadline != got.Deadline {
		t.Errorf("taken again: %+v, before %+v", again, got)
	}
	fan.Hold(t, cfg, 3, 4)
	fan.Do(t, "DELETE", apitest.Path(cfg, "admission"), nil).Want(t, http.StatusNoContent)
	fan.Do(t, "GET", apitest.Path(cfg, "holds/me"), nil).Problem(t, wire.NotFound)
	fan.Do(t, "POST", apitest.Path(cfg, "holds"), wire.HoldRequest{Seats: []uint32{3}}).Problem(t, wire.NoLease)
	if p := place(t, fan, cfg); p.State != "done" {
		t.Errorf("place is %+v", p)
	}
}

func TestQueueBeforeAndAfterTheSale(t *testing.T) {
	h := house(t)
	later := h.Event(t, func(c *sale.Config) {
		c.LobbyAt, c.OpensAt = c.StartsAt-7200_000, c.StartsAt-3600_000
		c.ClosesAt = c.StartsAt
	})
	h.Virtual(t, later).Do(t, "POST", apitest.Path(later, "queue"), nil).Problem(t, wire.NotOpen)
	lobby := h.Event(t, func(c *sale.Config) { c.OpensAt, c.ClosesAt = c.StartsAt-3600_000, c.StartsAt })
	fan := h.Virtual(t, lobby)
	fan.Do(t, "POST", apitest.Path(lobby, "queue"), nil).Want(t, http.StatusCreated)
	fan.Do(t, "POST", apitest.Path(lobby, "admission"), nil).Problem(t, wire.NotOpen)
	over := h.Event(t, func(c *sale.Config) { c.LobbyAt -= 9e6; c.OpensAt -= 9e6; c.ClosesAt = c.OpensAt + 1000 })
	fan = h.Virtual(t, over)
	fan.Do(t, "POST", apitest.Path(over, "queue"), nil).Problem(t, wire.Closed)
	fan.Do(t, "POST", apitest.Path(over, "holds"), wire.HoldRequest{Seats: []uint32{3}}).Problem(t, wire.Closed)
}

func TestRemoved(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := h.Virtual(t, cfg)
	fan.Shop(t, cfg)
	remove(t, h, cfg, fan)
	fan.Do(t, "POST", apitest.Path(cfg, "queue"), nil).Problem(t, wire.Removed)
	fan.Do(t, "POST", apitest.Path(cfg, "holds"), wire.HoldRequest{Seats: []uint32{3}}).Problem(t, wire.Removed)
	if p := place(t, fan, cfg); p.State != "removed" {
		t.Errorf("place is %+v", p)
	}
}

func remove(t *testing.T, h *apitest.House, cfg *sale.Config, f *apitest.Fan) {
	t.Helper()
	res, err := h.Events.Submit(t.Context(), cfg.Event, &sale.Command{Op: sale.OpRemove, Account: sale.AccountID(f.Account), Text: "a script"})
	if err != nil || res.Refusal != sale.Done {
		t.Fatal(res.Refusal, err)
	}
}
