package live_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/live"
	"github.com/catraca/catraca/transport/wire"
)

func TestDrainAndResume(t *testing.T) {
	t.Parallel()
	h := apitest.New(t, apitest.Options{})
	cfg := h.Event(t, nil)
	var fans []*apitest.Socket
	for range 5 {
		fans = append(fans, h.Virtual(t, cfg).Live(t, cfg))
	}
	drained := make(chan error, 1)
	go func() { drained <- h.Live.Drain(t.Context(), 0) }()
	for _, s := range fans {
		if code := s.Closed(t); code != wire.CloseRestart {
			t.Errorf("closed with %d", code)
		}
	}
	if err := <-drained; err != nil || h.Live.Connections() != 0 {
		t.Errorf("drained: %v, %d are left", err, h.Live.Connections())
	}
	fan := h.Virtual(t, cfg)
	if s, resp := fan.Dial(t, cfg); s != nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("connected to a server that sends its fans away: %v", resp)
	}
	if err := h.Live.Drain(t.Context(), time.Hour); err != nil {
		t.Errorf("drained again: %v", err)
	}
	h.Live.Resume()
	h.Live.Resume()
	fan.Live(t, cfg)
}

func TestResumeKeepsThoseWhoAreLeft(t *testing.T) {
	t.Parallel()
	h := apitest.New(t, apitest.Options{})
	cfg := h.Event(t, nil)
	for range 3 {
		h.Virtual(t, cfg).Live(t, cfg)
	}
	apitest.Eventually(t, "all are connected", func() bool { return h.Live.Connections() == 3 })
	drained := make(chan error, 1)
	go func() { drained <- h.Live.Drain(t.Context(), 3*time.Hour) }()
	apitest.Eventually(t, "the first wave is gone", func() bool { return h.Live.Connections() == 2 })
	h.Live.Resume()
	if err := <-drained; !errors.Is(err, live.ErrResumed) || h.Live.Connections() != 2 {
		t.Errorf("resumed: %v, %d are left", err, h.Live.Connections())
	}
	// Then it is stopped for good in the middle of another one.
	go func() { drained <- h.Live.Drain(t.Context(), 3*time.Hour) }()
	apitest.Eventually(t, "another wave is gone", func() bool { return h.Live.Connections() == 1 })
	h.Live.Close(t.Context(), 0)
	if err := <-drained; !errors.Is(err, live.ErrResumed) && err != nil {
		t.Errorf("closed meanwhile: %v", err)
	}
	if n := h.Live.Connections(); n != 0 {
		t.Errorf("%d are left", n)
	}
}

func TestDrainEndsWithItsContext(t *testing.T) {
	t.Parallel()
	h := apitest.New(t, apitest.Options{})
	cfg := h.Event(t, nil)
	h.Virtual(t, cfg).Live(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Live.Drain(ctx, time.Hour); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
