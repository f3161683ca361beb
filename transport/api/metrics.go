package api

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/transport/wire"
)

// metrics of the API. The routes are the patterns of openapi.yaml, so their number is fixed.
type metrics struct {
	seconds *prometheus.HistogramVec
	signIns *prometheus.CounterVec
	paced   *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "catraca_http_request_duration_seconds",
			Help:    "Time to answer one request of the API, by operation and class of status; pay waits for the provider.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 3, 10), NativeHistogramBucketFactor: 1.1,
		}, []string{"route", "code"}),
		signIns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "catraca_auth_sign_ins_total", Help: "Tries to sign in whose password was checked, by result: ok or wrong.",
		}, []string{"result"}),
		paced: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "catraca_http_paced_total", Help: "Operations refused because they came too soon, by what was bounded: account or address.",
		}, []string{"by"}),
	}
	for _, result := range []string{"ok", "wrong"} {
		m.signIns.WithLabelValues(result)
	}
	for _, by := range []string{"account", "address"} {
		m.paced.WithLabelValues(by)
	}
	if reg != nil {
		reg.MustRegister(m.seconds, m.signIns, m.paced)
	}
	return m
}

func (m *metrics) answered(route string, status int, took time.Duration) {
	m.seconds.WithLabelValues(route, strconv.Itoa(status/100)+"xx").Observe(took.Seconds())
}

func (m *metrics) signedIn(ok bool) {
	result := "wrong"
	if ok {
		result = "ok"
	}
	m.signIns.WithLabelValues(result).Inc()
}

// sent is the status that an answer is written with.
func (a answer) sent(p *wire.Problem) int {
	switch {
	case p != nil:
		return p.Status
	case a.status != 0:
		return a.status
	case a.raw == nil && a.body == nil:
		return 204
	default:
		return 200
	}
}
