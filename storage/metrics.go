package storage

import (
	"fmt"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collectors are this package's metrics. Without a Registerer they count and nobody looks.
type collectors struct {
	commitSeconds  prometheus.Histogram
	commitRequests prometheus.Histogram
	commitBytes    prometheus.Counter
	file           *fileCollector
	reg            prometheus.Registerer
}

func newCollectors(s *Store) (*collectors, error) {
	m := &collectors{
		reg: s.opt.Registerer,
		commitSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                        "catraca_storage_commit_seconds",
			Help:                        "Time from the start of a write transaction until it is on the disk.",
			Buckets:                     prometheus.ExponentialBuckets(0.0001, 2, 16),
			NativeHistogramBucketFactor: 1.1,
		}),
		commitRequests: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                        "catraca_storage_commit_requests",
			Help:                        "Writes of all shards merged into one transaction.",
			Buckets:                     prometheus.ExponentialBuckets(1, 2, 9),
			NativeHistogramBucketFactor: 1.1,
		}),
		commitBytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "catraca_storage_commit_bytes_total",
			Help: "Bytes of entries and values written, without the pages around them.",
		}),
		file: newFileCollector(s),
	}
	for i, c := range m.all() {
		if m.reg == nil {
			break
		}
		if err := m.reg.Register(c); err != nil {
			for _, c := range m.all()[:i] {
				m.reg.Unregister(c)
			}
			return nil, fmt.Errorf("register storage metrics: %w", err)
		}
	}
	return m, nil
}

func (m *collectors) all() []prometheus.Collector {
	return []prometheus.Collector{m.commitSeconds, m.commitRequests, m.commitBytes, m.file}
}

func (m *collectors) unregister() {
	if m.reg == nil {
		return
	}
	for _, c := range m.all() {
		m.reg.Unregister(c)
	}
}

func (m *collectors) committed(requests, bytes int, took time.Duration) {
	m.commitSeconds.Observe(took.Seconds())
	m.commitRequests.Observe(float64(requests))
	m.commitBytes.Add(float64(bytes))
}

// fileCollector reads bbolt's own figures when asked.
type fileCollector struct {
	s                                            *Store
	fileBytes, freePages, pendingPages, freeList *prometheus.Desc
	pageBytes, writes, writeSeconds, spill       *prometheus.Desc
	ringBytes                                    *prometheus.Desc
}

func newFileCollector(s *Store) *fileCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("catraca_storage_"+name, help, nil, nil)
	}
	return &fileCollector{
		s:            s,
		fileBytes:    desc("file_bytes", "Size of the file; it never shrinks."),
		freePages:    desc("free_pages", "Pages of the file that can be used again."),
		pendingPages: desc("pending_pages", "Pages that become free when running reads end."),
		freeList:     desc("free_list_bytes", "Memory of the list of free pages."),
		pageBytes:    desc("page_alloc_bytes_total", "Bytes of pages allocated by commits."),
		writes:       desc("writes_total", "Write calls on the file."),
		writeSeconds: desc("write_seconds_total", "Time spent writing and flushing pages."),
		spill:        desc("spill_seconds_total", "Time spent arranging pages before writing."),
		ringBytes:    desc("recent_bytes", "Memory of recent entries, all shards."),
	}
}

// Describe implements prometheus.Collector.
func (c *fileCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c *fileCollector) Collect(ch chan<- prometheus.Metric) {
	st := c.s.db.Stats()
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	count := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v)
	}
	size, ring := int64(0), 0
	if info, err := os.Stat(c.s.opt.path()); err == nil {
		size = info.Size()
	}
	for _, sh := range c.s.shards {
		sh.mu.RLock()
		ring += sh.ring.bytes
		sh.mu.RUnlock()
	}
	gauge(c.fileBytes, float64(size))
	gauge(c.freePages, float64(st.FreePageN))
	gauge(c.pendingPages, float64(st.PendingPageN))
	gauge(c.freeList, float64(st.FreelistInuse))
	gauge(c.ringBytes, float64(ring))
	count(c.pageBytes, float64(st.TxStats.GetPageAlloc()))
	count(c.writes, float64(st.TxStats.GetWrite()))
	count(c.writeSeconds, st.TxStats.GetWriteTime().Seconds())
	count(c.spill, st.TxStats.GetSpillTime().Seconds())
}
