package storage

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collectors are this package's metrics. Without a Registerer they count and nobody looks.
type collectors struct {
	commitSeconds  prometheus.Histogram
	commitRequests prometheus.Histogram
	commitBytes    prometheus.Counter
	refused        prometheus.Counter
	scrubEntries   prometheus.Counter
	scrubBytes     prometheus.Counter
	scrubPasses    prometheus.Counter
	scrubDamage    prometheus.Counter
	scrubSeconds   prometheus.Gauge
	scrubLast      prometheus.Gauge
	file           *fileCollector
	reg            prometheus.Registerer
}

func newCollectors(s *Store) (*collectors, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "catraca_storage_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "catraca_storage_" + name, Help: help})
	}
	m := &collectors{
		reg:          s.opt.Registerer,
		refused:      counter("refused_total", "Appends refused for lack of space."),
		scrubEntries: counter("scrub_entries_total", "Log entries read to look for damage."),
		scrubBytes:   counter("scrub_bytes_total", "Bytes of entries and snapshots read to look for damage."),
		scrubPasses:  counter("scrub_passes_total", "Times everything has been read without finding damage."),
		scrubDamage:  counter("scrub_damage_total", "Damage found while looking for it; the first stops the node."),
		scrubSeconds: gauge("scrub_pass_seconds", "How long the last pass over everything took."),
		scrubLast:    gauge("scrub_last_pass_timestamp_seconds", "When the last pass over everything ended, 0 before that."),
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
		commitBytes: counter("commit_bytes_total", "Bytes of entries and values written, without the pages around them."),
		file:        newFileCollector(s),
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
	return []prometheus.Collector{m.commitSeconds, m.commitRequests, m.commitBytes, m.refused,
		m.scrubEntries, m.scrubBytes, m.scrubPasses, m.scrubDamage, m.scrubSeconds, m.scrubLast, m.file}
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
	ringBytes, usedBytes, diskBytes, roomBytes   *prometheus.Desc
	readOnly                                     *prometheus.Desc
}

func newFileCollector(s *Store) *fileCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("catraca_storage_"+name, help, nil, nil)
	}
	return &fileCollector{
		s:            s,
		fileBytes:    desc("file_bytes", "Size of the file; it shrinks only when it is opened."),
		usedBytes:    desc("used_bytes", "Bytes of the file that have ever been used."),
		diskBytes:    desc("disk_free_bytes", "Bytes the file system leaves to this process, -1 when unknown."),
		roomBytes:    desc("room_bytes", "Bytes that appends may still take, free pages of the file included."),
		readOnly:     desc("read_only", "1 while appends are refused for lack of space."),
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
	ring, sp, readOnly := 0, c.s.Space(), 0.0
	if sp.ReadOnly {
		readOnly = 1
	}
	for _, sh := range c.s.shards {
		sh.mu.RLock()
		ring += sh.ring.bytes
		sh.mu.RUnlock()
	}
	gauge(c.fileBytes, float64(sp.File))
	gauge(c.usedBytes, float64(sp.Used))
	gauge(c.diskBytes, float64(sp.Disk))
	gauge(c.roomBytes, float64(sp.Room))
	gauge(c.readOnly, readOnly)
	gauge(c.freePages, float64(st.FreePageN))
	gauge(c.pendingPages, float64(st.PendingPageN))
	gauge(c.freeList, float64(st.FreelistInuse))
	gauge(c.ringBytes, float64(ring))
	count(c.pageBytes, float64(st.TxStats.GetPageAlloc()))
	count(c.writes, float64(st.TxStats.GetWrite()))
	count(c.writeSeconds, st.TxStats.GetWriteTime().Seconds())
	count(c.spill, st.TxStats.GetSpillTime().Seconds())
}
