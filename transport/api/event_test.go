package api_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

func TestEvent(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	e := apitest.Into[wire.Event](t, h.Nobody().Do(t, "GET", "/api/v1/events/"+cfg.Slug, nil).Want(t, http.StatusOK))
	if e.Name != "Aurora" || e.Phase != "open" || e.PriceFrom.Amount != apitest.AreaPrice+apitest.AreaFee || e.PriceTo.Amount != apitest.FrontPrice+apitest.FrontFee {
		t.Errorf("event is %+v", e)
	}
	if c := e.Categories; len(c) != 3 || c[1].Capacity != 20 || c[1].Free != 20 || c[1].Area || !c[2].Area || c[2].Capacity != apitest.AreaSize {
		t.Errorf("categories are %+v", c)
	}
	if strings.Join(e.PaymentMethods, " ") != "card pix" || e.Limits.PerHold != 4 || e.Limits.PerAccount != 6 || len(e.PolicyHash) != 64 {
		t.Errorf("event is %+v", e)
	}
}

func TestPlanMayBeKeptForEver(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	url := apitest.Into[wire.Event](t, h.Nobody().Do(t, "GET", "/api/v1/events/"+cfg.Slug, nil)).PlanURL
	get := func(accept string) *apitest.Answer {
		return h.Nobody().Do(t, "GET", url, nil, apitest.Header("Accept-Encoding", accept), func(r *http.Request) {
			if accept == "gzip" {
				r.URL.RawQuery = "raw" // the answer is compressed, which the description is not held against
			}
		})
	}
	plain := get("identity").Want(t, http.StatusOK)
	if got := plain.Header; got.Get("Cache-Control") != "public, max-age=31536000, immutable" || got.Get("Vary") != "Accept-Encoding" || got.Get("Content-Encoding") != "" {
		t.Errorf("headers are %v", got)
	}
	var plan struct {
		Seats struct {
			X     []int
			Label []string
			Flags []int
		}
		Areas []struct{ Unit, Capacity int }
	}
	plain.JSON(t, &plan)
	if len(plan.Seats.X) != apitest.Seats || plan.Seats.Label[9] != "10" || plan.Seats.Flags[29] != 1 || plan.Seats.Flags[28] != 2 || plan.Areas[0].Unit != apitest.Area {
		t.Errorf("plan is %+v", plan)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", h.Server.URL+url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "br, gzip;q=0.5")
	resp, err := h.Server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("headers are %v", resp.Header)
	}
	z, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, plain.Body) {
		t.Errorf("compressed it is another plan: %v", err)
	}
	if a := get("gzip;q=0"); a.Header.Get("Content-Encoding") != "" {
		t.Errorf("compressed for one who takes none: %v", a.Header)
	}
	if a := h.Nobody().Do(t, "GET", url[:len(url)-6]+"0.json", nil); a.Status != http.StatusNotFound || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("another hash: %d %v", a.Status, a.Header)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := h.Virtual(t, cfg)
	large := `{"seats":[` + strings.Repeat(" ", 17<<10) + `]}`
	for _, path := range []string{apitest.Path(cfg, "holds"), apitest.Path(cfg, "queue"), "/api/v1/accounts", "/api/v1/sessions"} {
		fan.Do(t, "POST", path, large).Problem(t, wire.TooLarge)
	}
}

func TestDescriptionsAreServed(t *testing.T) {
	h := house(t)
	for _, path := range []string{"/openapi.json", "/asyncapi.json"} {
		if a := h.Nobody().Do(t, "GET", path, nil).Want(t, http.StatusOK); !bytes.Contains(a.Body, []byte("Catraca")) {
			t.Errorf("%s is %.100s", path, a.Body)
		}
	}
}
