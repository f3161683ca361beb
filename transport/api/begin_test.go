package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/catraca/catraca/actors/event"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/transport/api"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

// astray lets commands that are begun go wrong.
type astray struct {
	api.Sales

	refuse error // nothing is begun
	lose   error // it is done, and told as this
}

func (a *astray) Begin(id sale.EventID, c *sale.Command, w event.Waiter) error {
	if a.refuse != nil {
		return a.refuse
	}
	if a.lose != nil {
		w = lost{w, a.lose}
	}
	return a.Sales.Begin(id, c, w)
}

// lost tells another end than the true one.
type lost struct {
	event.Waiter

	err error
}

func (l lost) Result(sale.Result, uint64) {}

func (l lost) Answer(error) { l.Waiter.Answer(l.err) }

// heard is told how a call ends.
type heard struct {
	hold chan sale.HoldID
	done chan told
}

type told struct {
	status int
	body   []byte
}

func (h heard) Hold(_ uint64, id sale.HoldID) { h.hold <- id }

func (h heard) Done(status int, body wire.Appender) {
	var b []byte
	if body != nil {
		b = body.AppendJSON(nil)
	}
	h.done <- told{status, b}
}

// However the command goes that a call begins, the fan has one hold in the end and is told so once; and only an answer that
// comes the straight way promises to tell it.
func TestBegunCallsEnd(t *testing.T) {
	way := &astray{}
	h := apitest.New(t, apitest.Options{API: func(o *api.Options) { way.Sales, o.Sales = o.Sales, way }})
	cfg := h.Event(t, nil)
	fan := h.Virtual(t, cfg)
	fan.Shop(t, cfg)
	person, err := h.Directory.Authenticate(t.Context(), fan.Token)
	if err != nil {
		t.Fatal(err)
	}
	begin := func(op, key, body string) (told, bool) {
		t.Helper()
		w := heard{make(chan sale.HoldID, 1), make(chan told, 2)}
		if !h.API.Begin(t.Context(), person, "en", cfg.Event, op, key, []byte(body), w) {
			t.Fatalf("%s is not begun", op)
		}
		select {
		case got := <-w.done:
			return got, len(w.hold) == 1
		case <-time.After(10 * time.Second):
			t.Fatalf("%s does not end", op)
			return told{}, false
		}
	}
	for _, x := range []struct {
		name         string
		refuse, lose error
		straight     bool
	}{
		{name: "straight", straight: true},
		{name: "another-leads", refuse: sequencer.ErrNotLeader},
		{name: "led-elsewhere-by-now", lose: sequencer.ErrNotLeader},
		{name: "nobody-knows", lose: sequencer.ErrUnknown},
	} {
		way.refuse, way.lose = x.refuse, x.lose
		first, promised := begin("hold", "once-"+x.name, `{"seats":[4,5]}`)
		var hold wire.Hold
		if err := json.Unmarshal(first.body, &hold); err != nil || first.status != http.StatusCreated || len(hold.Lines) != 2 || promised != x.straight {
			t.Fatalf("%s: %d %s, %v, promised %t", x.name, first.status, first.body, err, promised)
		}
		if now := fan.Do(t, "GET", apitest.Path(cfg, "holds/me"), nil).Want(t, http.StatusOK); !bytes.Equal(now.Body, first.body) {
			t.Errorf("%s: told %s, the hold is %s", x.name, first.body, now.Body)
		}
		if second, promised := begin("hold", "once-"+x.name, `{"seats":[4,5]}`); second.status != first.status || !bytes.Equal(second.body, first.body) || promised {
			t.Errorf("%s: the same once more: %d %s, promised %t", x.name, second.status, second.body, promised)
		}
		if other, promised := begin("hold", "", `{"seats":[6]}`); other.status != http.StatusConflict || promised {
			t.Errorf("%s: a second hold: %d %s", x.name, other.status, other.body)
		}
		if back, _ := begin("hold.release", "", `{"id":"`+hold.ID+`"}`); back.status != http.StatusNoContent || len(back.body) != 0 {
			t.Errorf("%s: given back: %d %s", x.name, back.status, back.body)
		}
	}
	way.refuse, way.lose = &sequencer.BusyError{RetryAfter: time.Second}, nil
	if busy, _ := begin("hold", "", `{"seats":[4]}`); busy.status != http.StatusServiceUnavailable || !bytes.Contains(busy.body, []byte(`"retry_after_ms":1000`)) {
		t.Errorf("busy: %d %s", busy.status, busy.body)
	}
	if wrong, _ := begin("hold", "", `{"seats":["x"]}`); wrong.status != http.StatusBadRequest {
		t.Errorf("a wrong body: %d %s", wrong.status, wrong.body)
	}
	for _, x := range [][2]string{{"pay", ""}, {"hold", "a b"}, {"dance", ""}} {
		w := heard{make(chan sale.HoldID, 1), make(chan told, 1)}
		if h.API.Begin(t.Context(), person, "en", cfg.Event, x[0], x[1], nil, w) {
			t.Errorf("%q with key %q is begun", x[0], x[1])
		}
	}
}
