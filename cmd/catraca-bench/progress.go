package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/bench/scenario"
)

// progress shows how a run goes: a line that is written over every second on a terminal, or a plain line every five.
type progress struct {
	out      io.Writer
	terminal bool
	quiet    bool   // without a terminal nothing is shown
	title    string // before everything that is shown
	scenario scenario.Scenario

	mu     sync.Mutex
	line   bool // an unfinished line stands there
	ended  chan struct{}
	finish chan struct{}
}

// isTerminal says whether people watch.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	i, err := f.Stat()
	return err == nil && i.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb" && i.Name() != os.DevNull
}

// say writes a line of its own.
func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	_, _ = fmt.Fprintf(p.out, format+"\n", args...) // nowhere else to tell it
}

// transient shows something that the next thing is written over, on a terminal alone; empty: nothing.
func (p *progress) transient(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.terminal {
		return
	}
	p.clear()
	if text != "" {
		_, _ = io.WriteString(p.out, p.title+text) // as above
		p.line = true
	}
}

// clear is called with mu held.
func (p *progress) clear() {
	if p.line {
		_, _ = io.WriteString(p.out, "\r\x1b[K") // as above
		p.line = false
	}
}

// watch shows a run from its recorder until stop.
func (p *progress) watch(r *record.Recorder) {
	p.finish, p.ended = make(chan struct{}), make(chan struct{})
	every := 5 * time.Second
	if p.terminal {
		every = time.Second
	}
	go func() {
		defer close(p.ended)
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-p.finish:
				return
			case <-t.C:
				p.show(r.Snapshot(-int(every / time.Second)))
			}
		}
	}()
}

func (p *progress) show(l record.Live) {
	if p.quiet {
		return
	}
	text := p.title + progressLine(l, p.scenario.Duration)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal {
		p.clear()
		_, _ = io.WriteString(p.out, text) // as above
		p.line = true
		return
	}
	_, _ = io.WriteString(p.out, text+"\n") // as above
}

// progressLine says how a run stands, in at most about 120 characters.
func progressLine(l record.Live, whole time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%4.0fs/%.0fs  fans %d/%d, %d here", l.At, whole.Seconds(), l.Starts.Started, l.Planned, l.Active)
	if l.WarmingUp {
		b.WriteString(" (warming up)")
	}
	if l.Starts.Late > 0 {
		fmt.Fprintf(&b, ", %d late", l.Starts.Late)
	}
	for _, name := range []string{"join", "hold", "ticket"} {
		done, worst, seconds := int64(0), 0.0, max(len(l.Seconds), 1)
		for _, s := range l.Seconds {
			for _, o := range s.Operations {
				if o.Name == name {
					done, worst = done+o.Done, max(worst, o.P99)
				}
			}
		}
		if done > 0 {
			fmt.Fprintf(&b, "  %s %d/s p99 %s", name, done/int64(seconds), (time.Duration(worst * float64(time.Second))).Round(100*time.Microsecond))
		}
	}
	failed := int64(0)
	for _, o := range l.Operations {
		failed += o.Failed
	}
	if failed > 0 {
		fmt.Fprintf(&b, "  failed %d", failed)
	}
	return b.String()
}

// stop shows nothing more.
func (p *progress) stop() {
	if p.finish == nil {
		return
	}
	close(p.finish)
	<-p.ended
	p.finish = nil
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}
