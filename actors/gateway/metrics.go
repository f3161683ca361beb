package gateway

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	connections     prometheus.Gauge
	places          prometheus.Counter
	ticks           prometheus.Counter
	stocks          prometheus.Counter
	presenceDropped prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	frames := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "catraca_gateway_pushes_total", Help: "Frames handed to connected fans.",
	}, []string{"type"})
	m := &metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "catraca_gateway_connections", Help: "Connected fans on this node.",
		}),
		places: frames.WithLabelValues("place"),
		ticks:  frames.WithLabelValues("tick"),
		stocks: frames.WithLabelValues("stock"),
		presenceDropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "catraca_gateway_presence_dropped_total", Help: "Connects and disconnects not told to the sale because too many came at once.",
		}),
	}
	if reg != nil {
		reg.MustRegister(m.connections, frames, m.presenceDropped)
	}
	return m
}
