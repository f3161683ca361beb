package event

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catraca/catraca/actors/sale"
)

// maxMeasured events have series of their own; the number of series must not follow the catalogue.
const maxMeasured = 50

// collector shows the sales of this node. It reads pictures, so a scrape costs a sale nothing.
type collector struct {
	s *Service

	places, ended, seats, orders, tickets, money, attention, phase, index *prometheus.Desc
}

// NewCollector measures the newest events of the service, at most fifty.
func NewCollector(s *Service) prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("catraca_"+name, help, append([]string{"event"}, labels...), nil)
	}
	return &collector{
		s:         s,
		places:    desc("queue_places", "Places in the queue by state.", "state"),
		ended:     desc("queue_events_total", "What happened in the queue: joins, claims, no-shows, leaves, turns that ended, returns of parked places.", "kind"),
		seats:     desc("seats", "Places of the seat map by state.", "state"),
		orders:    desc("orders", "Orders by state.", "state"),
		tickets:   desc("tickets_total", "Tickets by what happened to them.", "kind"),
		money:     desc("money_minor_units_total", "Money in minor units of the event's currency by where it went.", "kind"),
		attention: desc("orders_attention", "Orders that a person has to look at."),
		phase:     desc("sale_phase", "1 for the phase the sale is in.", "phase"),
		index:     desc("sale_applied_index", "Index of the last entry that was applied."),
	}
}

// Describe names the series.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.places, c.ended, c.seats, c.orders, c.tickets, c.money, c.attention, c.phase, c.index} {
		ch <- d
	}
}

// Collect reads the newest picture of each event.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	ids := c.s.Events()
	if over := len(ids) - maxMeasured; over > 0 {
		ids = ids[over:]
	}
	for _, id := range ids {
		if v, err := c.s.View(id); err == nil {
			c.collect(ch, v)
		}
	}
}

func (c *collector) collect(ch chan<- prometheus.Metric, v *View) {
	name := strconv.Itoa(int(v.Event))
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{name}, labels...)...)
	}
	counter := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, append([]string{name}, labels...)...)
	}
	n, x := v.Queue.Counts, v.Queue.Exposure
	for state, count := range map[string]uint32{
		"waiting": n.Waiting, "away": n.Away, "offered": n.Offered, "shopping": n.Shopping, "parked": n.Parked,
		"done": n.Done, "left": n.Left, "removed": n.Removed,
	} {
		gauge(c.places, float64(count), state)
	}
	for kind, count := range map[string]uint64{
		"join": uint64(n.Issued), "claim": x.Claims, "no_show": x.NoShows, "leave": x.Leaves, "end": x.Ends, "return": x.Returns,
	} {
		counter(c.ended, float64(count), kind)
	}
	for state, count := range map[string]uint32{
		"free": v.Totals.Free, "held": v.Totals.Held, "sold": v.Totals.Sold, "blocked": v.Totals.Blocked,
	} {
		gauge(c.seats, float64(count), state)
	}
	b := v.Book
	for s := sale.OrderAwaiting; int(s) < len(b.Orders); s++ {
		gauge(c.orders, float64(b.Orders[s]), s.String())
	}
	for kind, count := range map[string]uint32{"issued": b.TicketsIssued, "revoked": b.TicketsRevoked, "scanned": b.TicketsScanned} {
		counter(c.tickets, float64(count), kind)
	}
	for kind, amount := range map[string]int64{"captured": b.Captured, "refunded": b.Refunded} {
		counter(c.money, float64(amount), kind)
	}
	gauge(c.attention, float64(b.Attention))
	gauge(c.phase, 1, v.Phase.String())
	gauge(c.index, float64(v.Index))
}
