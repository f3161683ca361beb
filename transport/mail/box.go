package mail

import (
	"context"
	"slices"
	"sync"
	"time"
)

// letterbox keeps the newest messages within a count and a number of bytes. Safe for concurrent use.
type letterbox struct {
	maxCount, maxBytes int

	mu    sync.Mutex
	kept  []stored // oldest first
	bytes int
	last  uint64
	news  chan struct{} // closed and replaced at each arrival
}

// stored is a message as it came, with what the list shows. Its slices are never written again.
type stored struct {
	summary Summary
	raw     []byte
}

func newLetterbox(maxCount, maxBytes int) *letterbox {
	return &letterbox{maxCount: maxCount, maxBytes: maxBytes, news: make(chan struct{})}
}

// put keeps a message and lets go of the oldest beyond the bounds. The newest always stays: one message is never
// larger than the box.
func (b *letterbox) put(raw []byte, s Summary, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	s.ID, s.At = b.last, at
	b.kept = append(b.kept, stored{s, raw})
	b.bytes += len(raw)
	drop := 0
	for len(b.kept)-drop > b.maxCount || b.bytes > b.maxBytes && drop < len(b.kept)-1 {
		b.bytes -= len(b.kept[drop].raw)
		drop++
	}
	b.kept = slices.Delete(b.kept, 0, drop)
	close(b.news)
	b.news = make(chan struct{})
}

// list returns the summaries that match, newest first, and a channel that is closed at the next arrival.
func (b *letterbox) list(match func(Summary) bool) ([]Summary, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Summary, 0, len(b.kept))
	for _, s := range slices.Backward(b.kept) {
		if match == nil || match(s.summary) {
			out = append(out, s.summary)
		}
	}
	return out, b.news
}

func (b *letterbox) get(id uint64) (stored, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.kept {
		if s.summary.ID == id {
			return s, true
		}
	}
	return stored{}, false
}

// await returns the oldest message that matches, waiting for it until the context ends.
func (b *letterbox) await(ctx context.Context, match func(Summary) bool) (Summary, error) {
	for {
		found, news := b.list(match)
		if len(found) > 0 {
			return found[len(found)-1], nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return Summary{}, context.Cause(ctx)
		}
	}
}
