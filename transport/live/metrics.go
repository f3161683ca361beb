package live

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	connections prometheus.Gauge
	opened      prometheus.Counter
	sent        prometheus.Counter
	closes      *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "catraca_ws_connections", Help: "Live sockets of this node.",
		}),
		opened: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "catraca_ws_connections_opened_total", Help: "Live sockets opened.",
		}),
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "catraca_ws_frames_sent_total", Help: "Frames written to live sockets.",
		}),
		closes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "catraca_ws_connections_closed_total", Help: "Live sockets closed by this node, by close code.",
		}, []string{"code"}),
	}
	if reg != nil {
		reg.MustRegister(m.connections, m.opened, m.sent, m.closes)
	}
	return m
}

// closed counts a close; the codes are the constants of package wire.
func (m *metrics) closed(code int) { m.closes.WithLabelValues(strconv.Itoa(code)).Inc() }
