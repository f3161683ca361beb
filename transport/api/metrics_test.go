package api_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/transport/api"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	h := apitest.New(t, apitest.Options{API: func(o *api.Options) { o.Registerer = reg }})
	p := h.Person(t, account.RoleFan)
	h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: p.Email, Password: "errada errada"}).Problem(t, wire.WrongPassword)
	h.Nobody().Do(t, "POST", "/api/v1/sessions", wire.SignIn{Email: p.Email, Password: apitest.Password}).Want(t, http.StatusCreated)
	p.Do(t, "GET", "/api/v1/orders/o1-7", nil).Problem(t, wire.NotFound)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	signIns, requests := map[string]float64{}, map[string]uint64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			switch f.GetName() {
			case "catraca_auth_sign_ins_total":
				signIns[labels[0]] = m.GetCounter().GetValue()
			case "catraca_http_request_duration_seconds":
				requests[strings.Join(labels, " ")] = m.GetHistogram().GetSampleCount()
			}
		}
	}
	if signIns["ok"] != 1 || signIns["wrong"] != 1 {
		t.Errorf("sign-ins are %v", signIns)
	}
	want := map[string]uint64{"2xx POST /api/v1/sessions": 1, "4xx POST /api/v1/sessions": 1, "4xx GET /api/v1/orders/{id}": 1}
	if !maps.Equal(requests, want) {
		t.Errorf("requests are %v, want %v", requests, want)
	}
}
