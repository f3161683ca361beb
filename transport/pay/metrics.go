package pay

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/sale"
)

// metrics of one provider. Labels come from closed sets: the states' and methods' public names, result and the operations.
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

// methodLabel says unknown for a call that names a payment by its reference alone.
func methodLabel(m sale.Method) string {
	if m == sale.MethodNone {
		return "unknown"
	}
	return m.String()
}

// refundName sets a refund's states apart from a payment's: both stand in one label.
func refundName(s sale.RefundState) string { return "refund_" + s.String() }
