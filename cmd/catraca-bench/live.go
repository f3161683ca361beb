package main

import (
	"context"
	"sync/atomic"

	"github.com/catraca/catraca/bench/console"
	"github.com/catraca/catraca/bench/record"
)

// livePage shows a run in a browser while it goes, beside the progress in the terminal.
type livePage struct {
	progress *progress
	console  *console.Console // nil: nobody asked for one
	run      atomic.Pointer[watched]
}

// watched is a run that has begun.
type watched struct {
	recorder *record.Recorder
	servers  func() []record.Series
}

// showLive opens the page if the flags want one.
func (o *runOptions) showLive(ctx context.Context, title string, p *progress) (*livePage, error) {
	l := &livePage{progress: p}
	if o.live == "" {
		return l, nil
	}
	var err error
	l.console, err = console.Open(ctx, o.live, console.Options{Title: title, Snapshot: l.snapshot, Series: l.series})
	if err != nil {
		return nil, wrong("--live: %w", err)
	}
	p.say("live: %s", l.console.URL())
	return l, nil
}

// watch is told that the run begins.
func (l *livePage) watch(r *record.Recorder, servers func() []record.Series) {
	l.run.Store(&watched{r, servers})
	l.progress.watch(r)
}

func (l *livePage) snapshot() record.Live {
	if w := l.run.Load(); w != nil {
		return w.recorder.Snapshot(0)
	}
	return record.Live{}
}

func (l *livePage) series() []record.Series {
	if w := l.run.Load(); w != nil {
		return w.servers()
	}
	return nil
}

func (l *livePage) close() error {
	if l.console == nil {
		return nil
	}
	return l.console.Close()
}
