package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/transport/wire"
)

// timing is what an observer was told once.
type timing struct {
	op, code                string
	planned, started, ended time.Time
}

// watcher is an observer that keeps everything but pushes, which it counts.
type watcher struct {
	mu      sync.Mutex
	list    []timing
	pushes  int
	sockets int
	opened  int
}

func (w *watcher) Done(op string, planned, started, ended time.Time, code string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if op == "push" {
		w.pushes++
		return
	}
	w.list = append(w.list, timing{op, code, planned, started, ended})
}

func (w *watcher) Sockets(delta int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sockets += delta
	w.opened += max(delta, 0)
}

// said is what was done, in order, with the code of what failed.
func (w *watcher) said() string {
	var out []string
	for _, d := range w.list {
		out = append(out, strings.TrimSuffix(d.op+":"+d.code, ":"))
	}
	return strings.Join(out, " ")
}

func TestFanIsTimed(t *testing.T) {
	const queue = "connect join claim "
	for name, c := range map[string]struct {
		story   Story
		seats   uint32
		want    string
		trouble string // an operation that goes wrong once
		wrong   trouble
		opened  int
	}{
		"card":              {story: Story{Seats: true, Quantity: 2, Method: "card", Card: "4242"}, seats: 4, want: queue + "map hold order pay connect ticket tickets", opened: 2},
		"pix over socket":   {story: Story{Quantity: 2, Method: "pix", Live: true}, seats: 4, want: queue + "hold order pay payment tickets"},
		"second card":       {story: Story{Quantity: 1, Method: "card", Card: "0002", Second: "4242"}, seats: 4, want: queue + "hold order pay pay connect ticket tickets", opened: 2},
		"declined":          {story: Story{Quantity: 1, Method: "card", Card: "0002"}, seats: 4, want: queue + "hold order pay"},
		"sold out":          {story: Story{Quantity: 3, Method: "pix"}, seats: 2, want: queue + "hold:sold-out"},
		"fewer":             {story: Story{Quantity: 3, Fewer: true, Method: "pix"}, seats: 2, want: queue + "hold:sold-out hold order pay payment tickets"},
		"gives up":          {story: Story{GiveUp: true}, want: "connect join"},
		"takes its time":    {story: Story{Quantity: 1, Linger: 5 * time.Millisecond, Hesitate: 5 * time.Millisecond, Method: "pix"}, seats: 1, want: queue + "hold order pay payment tickets"},
		"busy is waited":    {story: Story{Quantity: 1, Method: "pix"}, seats: 1, trouble: "hold", wrong: busy, want: queue + "hold order pay payment tickets"},
		"lost before":       {story: Story{Quantity: 1, Method: "pix"}, seats: 1, trouble: "join", wrong: cutBefore, want: "connect connect join claim hold order pay payment tickets", opened: 2},
		"lost while called": {story: Story{Quantity: 1, Method: "pix"}, seats: 1, trouble: "claim", wrong: cutAfter, want: "connect join connect join claim hold order pay payment tickets", opened: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStub(t, c.seats)
			s.ticks = 2
			s.trouble = func(op string) trouble {
				if op != c.trouble {
					return none
				}
				c.trouble = ""
				return c.wrong
			}
			w, f := &watcher{}, s.fan(1)
			f.Observer, f.Due = w, time.Now().Add(-time.Minute)
			c.story.PollOrder = time.Millisecond
			if _, err := f.Run(t.Context(), c.story); err != nil {
				t.Fatal(err)
			}
			if got := w.said(); got != c.want {
				t.Errorf("done was %q, want %q", got, c.want)
			}
			if w.pushes == 0 || w.sockets != 0 || w.opened != max(c.opened, 1) {
				t.Errorf("%d pushes, %d sockets opened, %d left", w.pushes, w.opened, w.sockets)
			}
			if !w.list[0].planned.Equal(f.Due) {
				t.Errorf("the first was planned for %v, the fan was due at %v", w.list[0].planned, f.Due)
			}
			for i, d := range w.list {
				if d.started.Before(d.planned) || d.ended.Before(d.started) {
					t.Errorf("%s was planned for %v, began at %v and ended at %v", d.op, d.planned, d.started, d.ended)
				}
				if i > 0 && c.opened == 0 && d.planned.Before(w.list[i-1].planned) { // one that goes on over sockets is older
					t.Errorf("%s was planned before %s", d.op, w.list[i-1].op)
				}
			}
		})
	}
}

// What a person takes over thinking is not the server's time, and what the generator takes too long for is.
func TestThinkingEndsByTheClock(t *testing.T) {
	begin := time.Now().Add(-time.Hour)
	v := &visit{f: &Fan{}, free: begin}
	if err := v.think(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if want := begin.Add(time.Minute); !v.free.Equal(want) {
		t.Errorf("free since %v, want %v", v.free, want)
	}
}

func TestFanIsTimedToItsEnd(t *testing.T) {
	s := newStub(t, 1)
	s.trouble = func(op string) trouble { return map[bool]trouble{true: cutBefore}[op == "join"] }
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	w, f := &watcher{}, s.fan(1)
	f.Observer = w
	_, _ = f.Run(ctx, Story{Quantity: 1})
	if last := w.list[len(w.list)-1]; last.op != "join" || last.code != "aborted" || w.sockets != 0 {
		t.Errorf("done was %q, %d sockets are left", w.said(), w.sockets)
	}
	s.stop()
	w, f = &watcher{}, s.fan(1)
	f.Observer = w
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _ = f.Run(ctx, Story{Quantity: 1})
	if w.said() != "connect:aborted" || w.opened != 0 {
		t.Errorf("done was %q, %d sockets were opened", w.said(), w.opened)
	}
}

func TestPushesBeforeTheFanReadSayNothing(t *testing.T) {
	w := &watcher{}
	v := &visit{f: &Fan{Observer: w}, reads: time.Now()}
	v.pushed(wire.Time(v.reads.Add(-time.Second).UnixMilli()))
	v.pushed(0)
	if w.pushes != 0 {
		t.Errorf("%d pushes were told", w.pushes)
	}
	v.pushed(wire.Time(v.reads.Add(time.Second).UnixMilli()))
	(&visit{f: &Fan{}}).pushed(1)
	if w.pushes != 1 {
		t.Errorf("%d pushes were told", w.pushes)
	}
}

func TestCodes(t *testing.T) {
	for want, err := range map[string]error{
		"":           nil,
		"sold-out":   fmt.Errorf("hold: %w", &RefusedError{wire.Problem{Status: 409, Code: wire.SoldOut}}),
		"status-418": &RefusedError{wire.Problem{Status: 418}},
		"close-1012": &websocket.CloseError{Code: 1012},
		"aborted":    fmt.Errorf("read: %w", context.Canceled),
		"no-place":   fmt.Errorf("%w: closed", errOver),
		"timeout":    os.ErrDeadlineExceeded,
		"lost":       io.ErrUnexpectedEOF,
	} {
		if got := code(err); got != want {
			t.Errorf("code of %v is %q, want %q", err, got, want)
		}
	}
}

func TestTicksAreReadForTheirTime(t *testing.T) {
	at := wire.Time(1_700_000_000_123)
	b, err := json.Marshal(wire.TickDown{T: "tick", Message: `"now":"2001-01-01T00:00:00Z"`, Now: at})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text string
		want wire.Time
	}{
		"as sent":       {string(b), at},
		"other order":   {`{"now":"2023-11-14T22:13:20.123Z","t":"tick"}`, at},
		"no time":       {`{"t":"tick","seq":1}`, 0},
		"a bad time":    {`{"t":"tick","now":"today"}`, 0},
		"cut off":       {`{"t":"tick","now":"2023-11-14T22:13:20.123Z`, at},
		"cut off early": {`{"t":"tick","now":"`, 0},
	} {
		f, err := decodeFrame([]byte(c.text))
		if err != nil || f.kind != "tick" || f.now != c.want {
			t.Errorf("%s: %+v, %v, want %d", name, f, err, c.want)
		}
	}
}

func FuzzDecodeFrame(f *testing.F) {
	for _, s := range []string{
		`{"t":"tick","now":"2023-11-14T22:13:20.123Z"}`, `{"t":"place","number":7,"state":"offered","deadline":null}`,
		`{"t":"error","problem":null}`, `{"t":"error","problem":{"status":503,"code":"busy"}}`, `{"t":"closed","reason":"sold-out"}`,
		`{"t":"reply","id":1,"status":200,"body":{}}`, `{"t":"new"}`, `{}`, `[`, ``,
	} {
		f.Add([]byte(s))
	}
	kinds := []string{"place", "reply", "closed", "removed", "moved", "error"}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := decodeFrame(b)
		if err == nil && d.kind == "error" && d.fault == nil {
			t.Error("an error frame without a problem was accepted")
		}
		if err == nil && slices.Contains(kinds, d.kind) && !json.Valid(b) {
			t.Errorf("a %s frame that is no JSON was accepted", d.kind)
		}
		if errors.Is(err, io.EOF) {
			t.Error("the end of a frame looks like the end of the socket")
		}
	})
}
