package outbox

import (
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/sale"
)

// Metrics of the outbox; a nil *Metrics counts nothing.
type Metrics struct {
	pending *prometheus.GaugeVec
	runs    *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

// NewMetrics registers the collectors.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		pending: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "catraca_outbox_pending", Help: "Open intents of an event that this node leads.",
		}, []string{"event"}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "catraca_outbox_runs_total", Help: "Attempts at intents by kind and result.",
		}, []string{"kind", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "catraca_outbox_run_seconds", Help: "Duration of one attempt at an intent.",
			Buckets: prometheus.ExponentialBuckets(0.001, 3, 10), NativeHistogramBucketFactor: 1.1,
		}, []string{"kind"}),
	}
	reg.MustRegister(m.pending, m.runs, m.seconds)
	return m
}

func (m *Metrics) open(id sale.EventID, n int) {
	if m != nil {
		m.pending.WithLabelValues(strconv.Itoa(int(id))).Set(float64(n))
	}
}

// forget takes away what is said of an event that this node leads no more.
func (m *Metrics) forget(id sale.EventID) {
	if m != nil {
		m.pending.DeleteLabelValues(strconv.Itoa(int(id)))
	}
}

func (m *Metrics) ran(k sale.IntentKind, err error, took time.Duration) {
	if m == nil {
		return
	}
	result := "ok"
	switch {
	case errors.Is(err, ErrRefusedByProvider):
		result = "refused"
	case err != nil:
		result = "failed"
	}
	m.runs.WithLabelValues(kindName(k), result).Inc()
	m.seconds.WithLabelValues(kindName(k)).Observe(took.Seconds())
}

func kindName(k sale.IntentKind) string {
	switch k {
	case sale.IntentPayStart:
		return "pay_start"
	case sale.IntentPayQuery:
		return "pay_query"
	case sale.IntentCapture:
		return "capture"
	case sale.IntentVoid:
		return "void"
	case sale.IntentRefund:
		return "refund"
	case sale.IntentMail:
		return "mail"
	case sale.IntentMailRefund:
		return "mail_refund"
	default:
		return "other"
	}
}
