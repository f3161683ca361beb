package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// probe looks at a server from outside: at its process, and at what it says on its operator address, which has
// Prometheus' metrics and Go's profiles.
type probe struct {
	pid      int
	operator string // http://host:port
}

// memoryOf is what a server needs: what is resident, what of it is heap in use and stacks, and what the kernel holds for
// everybody. Bytes.
type memoryOf struct {
	Resident, Live, Kernel int64
}

// clockTick is the unit of processor time in /proc, the same on every architecture of Linux.
const clockTick = 10 * time.Millisecond

// processor is the processor time that the server has used.
func (p probe) processor() (time.Duration, error) {
	path := fmt.Sprintf("/proc/%d/stat", p.pid)
	b, err := os.ReadFile(path) //nolint:gosec // of our own child
	if err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	_, after, _ := strings.Cut(string(b), ") ") // its name may be anything
	f := strings.Fields(after)
	if len(f) < 13 {
		return 0, fmt.Errorf("read processor time: %s is %.200q", path, b)
	}
	user, err := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	if err := errors.Join(err, err2); err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	return time.Duration(user+system) * clockTick, nil
}

// resident is what of the server is in memory.
func (p probe) resident() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.pid)) //nolint:gosec // of our own child
	if err != nil {
		return 0, fmt.Errorf("read resident memory: %w", err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		return 0, fmt.Errorf("read resident memory: %w", err)
	}
	return pages * int64(os.Getpagesize()), nil
}

// collect lets the server collect its garbage, often enough for pools to be emptied and stacks to shrink, and says what
// is left: resident memory without the pages that Go holds back unused and would give away next.
func (p probe) collect(ctx context.Context) (memoryOf, error) {
	for range 4 {
		if _, err := p.get(ctx, "/debug/pprof/heap?gc=1"); err != nil {
			return memoryOf{}, err
		}
	}
	text, err := p.get(ctx, "/metrics")
	if err != nil {
		return memoryOf{}, err
	}
	resident, err := p.resident()
	if err != nil {
		return memoryOf{}, err
	}
	of := func(name string) (v int64) {
		f, e := gauge(text, "go_memstats_"+name+"_bytes")
		err = errors.Join(err, e)
		return int64(f)
	}
	return memoryOf{
		Resident: resident - (of("heap_idle") - of("heap_released")), Live: of("heap_alloc") + of("stack_inuse"), Kernel: kernelMemory(),
	}, err
}

// gauge finds a metric without labels.
func gauge(text, name string) (float64, error) {
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		if v, ok := strings.CutPrefix(s.Text(), name+" "); ok {
			return strconv.ParseFloat(v, 64)
		}
	}
	return 0, fmt.Errorf("the server tells no %s", name)
}

func (p probe) get(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.operator+path, nil)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }() // read to its end or given up
	b, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", path, res.Status)
	}
	return string(b), err
}

// kernelMemory is what the kernel uses for its own things, most of which sockets are here; 0: it does not say.
func kernelMemory() int64 {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if text, ok := strings.CutPrefix(line, "Slab:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			if err != nil {
				return 0
			}
			return kb << 10
		}
	}
	return 0
}
