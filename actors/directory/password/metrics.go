package password

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	seconds *prometheus.HistogramVec
	waited  prometheus.Histogram
	waiting prometheus.Gauge
	running prometheus.Gauge
	refused prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                        "catraca_auth_hash_seconds",
			Help:                        "Time one argon2id hash took, without its wait, by purpose (hash: a new password; verify: a sign-in).",
			Buckets:                     []float64{.005, .01, .015, .02, .03, .05, .1, .2, .5, 1},
			NativeHistogramBucketFactor: 1.1,
		}, []string{"purpose"}),
		waited: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                        "catraca_auth_hash_wait_seconds",
			Help:                        "Time a hash waited for its turn in the pool.",
			Buckets:                     []float64{.001, .005, .02, .05, .1, .25, .5, 1, 2, 5},
			NativeHistogramBucketFactor: 1.1,
		}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "catraca_auth_hash_waiting",
			Help: "Hashes that wait for their turn in the pool.",
		}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "catraca_auth_hash_running",
			Help: "Hashes being computed; at most the number of workers.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "catraca_auth_hash_refused_total",
			Help: "Hashes refused because the wait would have been too long.",
		}),
	}
	for _, purpose := range []string{"hash", "verify"} {
		m.seconds.WithLabelValues(purpose)
	}
	if reg != nil {
		reg.MustRegister(m.seconds, m.waited, m.waiting, m.running, m.refused)
	}
	return m
}
