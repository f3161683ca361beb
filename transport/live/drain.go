package live

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/catraca/catraca/actors/gateway"
)

// partingWait is how long fans may take to go once all have been asked.
const partingWait = 30 * time.Second

// ErrResumed means that the fans who are still here may stay.
var ErrResumed = errors.New("connections are taken again")

// leaving says that nobody may come. Called with mu held.
func (s *Server) leaving() bool { return s.closing || s.away != nil }

// Drain sends every fan to another node, in waves over the given time, and returns when all are gone. New connections are
// refused until [Server.Resume]. Those who are still there half a minute after they were asked are cut. The error says
// that ctx has ended before, or is [ErrResumed]; a drain that is on its way already is waited for by neither.
func (s *Server) Drain(ctx context.Context, over time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.mu.Lock()
	if s.closing || s.away != nil {
		s.mu.Unlock()
		return nil
	}
	s.away = func() { cancel(ErrResumed) }
	all := slices.Collect(maps.Keys(s.conns))
	s.mu.Unlock()
	s.o.Gateway.SendAway(true)
	s.sendAway(ctx, all, over)
	patience := time.NewTimer(partingWait)
	defer patience.Stop()
	for _, c := range all {
		select {
		case <-c.ctx.Done():
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-patience.C:
			for _, c := range all {
				if c.ctx.Err() == nil {
					c.abort()
				}
			}
			return nil
		}
	}
	return nil
}

// Resume takes connections again after [Server.Drain]; one that still sends fans away leaves the others where they are.
func (s *Server) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil {
		s.away()
		s.away = nil
		s.o.Gateway.SendAway(false)
	}
}

// Close asks every fan to come back to another node, spread over the given time, and returns when all are gone. Those
// still there when ctx ends, or half a minute after they were asked, are cut. New connections are refused from now on.
func (s *Server) Close(ctx context.Context, over time.Duration) {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return
	}
	s.closing = true
	if s.away != nil {
		s.away() // whoever it has not asked yet is asked now
	}
	all := slices.Collect(maps.Keys(s.conns))
	s.mu.Unlock()
	s.o.Gateway.SendAway(true)
	s.sendAway(ctx, all, over)
	close(s.stop)
	s.done.Wait()
	gone := make(chan struct{})
	go func() {
		s.running.Wait()
		s.writers.close()
		close(gone)
	}()
	patience := time.NewTimer(partingWait)
	defer patience.Stop()
	select {
	case <-gone:
		return
	case <-ctx.Done():
	case <-patience.C:
	}
	for _, c := range all {
		c.abort()
		c.end()
	}
	<-gone
}

// sendAway tells the fans in waves, so that they do not come to the next node all at once.
func (s *Server) sendAway(ctx context.Context, all []*conn, over time.Duration) {
	waves := min(20, len(all))
	for i := range waves {
		for j := i; j < len(all); j += waves {
			all[j].Close(gateway.Restarting)
		}
		if i == waves-1 {
			return
		}
		select {
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), ErrResumed) {
				return
			}
		case <-time.After(over / time.Duration(waves)):
		}
	}
}
