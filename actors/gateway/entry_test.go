package gateway

import (
	"testing"
	"time"

	"github.com/catraca/catraca/actors/gateway/forecast"
	"github.com/catraca/catraca/actors/sale/queue"
)

func TestSettle(t *testing.T) {
	minutes := func(lo, hi int64, why forecast.Why) ETA {
		e := ETA{Known: true, Lo: lo * 60_000, Hi: hi * 60_000, Why: why}
		if hi == 0 {
			e.Hi = forecast.Beyond
		}
		return e.bounded()
	}
	unknown := ETA{Why: forecast.WhyPaused}
	for _, c := range []struct {
		name              string
		shown, next, want ETA
	}{
		{"falls", minutes(5, 9, ""), minutes(3, 7, ""), minutes(3, 7, "")},
		{"does not rise", minutes(5, 9, ""), minutes(6, 12, ""), minutes(5, 9, "")},
		{"each end by itself", minutes(5, 9, ""), minutes(6, 8, ""), minutes(5, 8, "")},
		{"rises for a reason", minutes(5, 9, ""), minutes(6, 12, forecast.WhyRateLowered), minutes(6, 12, forecast.WhyRateLowered)},
		{"not beyond the hour", minutes(40, 55, ""), minutes(45, 0, ""), minutes(40, 55, "")},
		{"beyond the hour for a reason", minutes(40, 55, ""), minutes(45, 0, forecast.WhySlowerShoppers), minutes(45, 0, forecast.WhySlowerShoppers)},
		{"stays beyond", minutes(45, 0, ""), minutes(50, 0, ""), minutes(45, 0, "")},
		{"back within the hour", minutes(45, 0, ""), minutes(30, 50, ""), minutes(30, 50, "")},
		{"first", ETA{}, minutes(30, 50, ""), minutes(30, 50, "")},
		{"paused", minutes(5, 9, ""), unknown, unknown},
		{"after a pause", unknown, minutes(50, 0, forecast.WhyPaused), minutes(50, 0, forecast.WhyPaused)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := settle(c.shown, c.next); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if again := settle(c.want, c.want); again != c.want {
				t.Errorf("once more gives %+v", again)
			}
		})
	}
}

func TestCadence(t *testing.T) {
	for _, c := range []struct {
		state queue.State
		ahead uint32
		want  time.Duration
	}{
		{queue.Waiting, 0, 500 * time.Millisecond}, {queue.Away, 99, 500 * time.Millisecond}, {queue.Waiting, 100, time.Second},
		{queue.Waiting, 5000, 3 * time.Second}, {queue.Waiting, 1 << 30, 10 * time.Second}, {queue.Shopping, 0, time.Second},
		{queue.Parked, 1 << 30, time.Second}, {0, 0, time.Second},
	} {
		if got := time.Duration(cadence(c.state, c.ahead)) * beatEvery; got != c.want {
			t.Errorf("%v with %d ahead is told every %v, want %v", c.state, c.ahead, got, c.want)
		}
	}
}
