package mail

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics of a mailer; a nil *Metrics counts nothing.
type Metrics struct {
	sent    *prometheus.CounterVec
	seconds prometheus.Histogram
}

// NewMetrics registers the collectors.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "catraca_mail_sent_total",
			Help: "Attempts at handing a message to the relay, by result: ok, temporary or permanent failure.",
		}, []string{"result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "catraca_mail_delivery_duration_seconds",
			Help:    "Duration of one attempt at handing a message to the relay.",
			Buckets: prometheus.ExponentialBuckets(0.001, 3, 10), NativeHistogramBucketFactor: 1.1,
		}),
	}
	for _, r := range []string{"ok", "temporary", "permanent"} {
		m.sent.WithLabelValues(r)
	}
	reg.MustRegister(m.sent, m.seconds)
	return m
}

func (m *Metrics) attempt(err error, took time.Duration) {
	if m == nil {
		return
	}
	result := "ok"
	switch {
	case err != nil && IsTemporary(err):
		result = "temporary"
	case err != nil:
		result = "permanent"
	}
	m.sent.WithLabelValues(result).Inc()
	m.seconds.Observe(took.Seconds())
}
