package pay

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/sale"
)

// metrics of one provider. Labels come from closed sets: methodName, stateName, refundName, result and the operations.
type metrics struct {
	payments *prometheus.CounterVec
	duration *prometheus.HistogramVec
	resting  prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer, provider string) (*metrics, error) {
	constant := prometheus.Labels{"provider": provider}
	m := &metrics{
		payments: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "catraca_payments_total", ConstLabels: constant,
			Help: "Answers of the payment provider, by method and by the state of the payment or refund it reported, or the kind of failure.",
		}, []string{"method", "result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "catraca_payment_duration_seconds", ConstLabels: constant,
			Help:    "Duration of operations at the payment provider, retries included.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2.5, 10), NativeHistogramBucketFactor: 1.1,
		}, []string{"op"}),
		resting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "catraca_payment_provider_resting", ConstLabels: constant,
			Help: "1 while calls to the payment provider are suspended because the last ones failed.",
		}),
	}
	for _, c := range []prometheus.Collector{m.payments, m.duration, m.resting} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register payment metrics: %w", err)
		}
	}
	return m, nil
}

func methodName(m sale.Method) string {
	switch m {
	case sale.MethodCard:
		return "card"
	case sale.MethodPix:
		return "pix"
	default:
		return "unknown"
	}
}

func stateName(s sale.PayState) string {
	switch s {
	case sale.PayCreated:
		return "created"
	case sale.PayAction:
		return "action"
	case sale.PayProcessing:
		return "processing"
	case sale.PayFailed:
		return "failed"
	case sale.PayAuthorized:
		return "authorized"
	case sale.PayCaptured:
		return "captured"
	case sale.PayCanceled:
		return "canceled"
	default:
		return "none"
	}
}

func refundName(s sale.RefundState) string {
	switch s {
	case sale.RefundPending:
		return "refund_pending"
	case sale.RefundSucceeded:
		return "refund_succeeded"
	case sale.RefundFailed:
		return "refund_failed"
	default:
		return "none"
	}
}
