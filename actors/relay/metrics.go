package relay

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/sequencer"
)

// Metrics of the relay.
type Metrics struct {
	commands    *prometheus.CounterVec
	frames      *prometheus.CounterVec
	bytes       *prometheus.CounterVec
	outstanding prometheus.Gauge
	serving     prometheus.Gauge
	trip        prometheus.Histogram
	again       prometheus.Counter
	lost        prometheus.Counter
	bad         prometheus.Counter
}

// NewMetrics registers the collectors.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Name: "catraca_relay_" + name, Help: help}
	}
	m := &Metrics{
		commands: prometheus.NewCounterVec(prometheus.CounterOpts(opts("commands_total",
			"Requests sent to the leader on another node, by what came of them.")), []string{"outcome"}),
		frames: prometheus.NewCounterVec(prometheus.CounterOpts(opts("frames_total", "Frames between nodes.")), []string{"direction"}),
		bytes:  prometheus.NewCounterVec(prometheus.CounterOpts(opts("bytes_total", "Bytes in frames between nodes.")), []string{"direction"}),
		outstanding: prometheus.NewGauge(prometheus.GaugeOpts(opts("outstanding",
			"Requests that wait for an answer of another node."))),
		serving: prometheus.NewGauge(prometheus.GaugeOpts(opts("serving", "Requests of other nodes that are not answered yet."))),
		trip: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "catraca_relay_round_trip_seconds", Help: "From handing a request over to its answer.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14), NativeHistogramBucketFactor: 1.1,
		}),
		again: prometheus.NewCounter(prometheus.CounterOpts(opts("resent_total", "Commands tried once more: no leader, another leader, outcome unknown."))),
		lost:  prometheus.NewCounter(prometheus.CounterOpts(opts("lost_total", "Times a node was given up with everything that waited for it."))),
		bad:   prometheus.NewCounter(prometheus.CounterOpts(opts("malformed_total", "Messages of other nodes that were refused."))),
	}
	for _, o := range outcomes() {
		m.commands.WithLabelValues(o)
	}
	for _, d := range []string{"in", "out"} {
		m.frames.WithLabelValues(d)
		m.bytes.WithLabelValues(d)
	}
	reg.MustRegister(m.commands, m.frames, m.bytes, m.outstanding, m.serving, m.trip, m.again, m.lost, m.bad)
	return m
}

func outcomes() []string {
	return []string{"done", "not_leader", "busy", "unknown", "abandoned", "refused"}
}

func outcome(err error) string {
	var busy *sequencer.BusyError
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, sequencer.ErrNotLeader):
		return "not_leader"
	case errors.As(err, &busy):
		return "busy"
	case errors.Is(err, errAbandoned):
		return "abandoned"
	case errors.Is(err, sequencer.ErrUnknown):
		return "unknown"
	default:
		return "refused"
	}
}
