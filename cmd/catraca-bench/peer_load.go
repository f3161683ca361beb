package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/transport/wire"
)

// key appends an idempotency key that nobody has used.
func (s *peerShop) key(b []byte) []byte {
	b = append(append(b, "peer-"...), s.run...)
	return strconv.AppendUint(append(b, '-'), s.keys.Add(1), 10)
}

// call does a shopping operation over a fan's socket and keeps the reply.
func (s *peerShop) call(f *peerFan, op, body string) error {
	b := append(make([]byte, 0, 192), `{"t":"call","id":1,"op":"`+op+`","key":"`...)
	b = append(append(append(s.key(b), `","body":`...), body...), '}')
	if err := f.send(b); err != nil {
		return err
	}
	got, err := f.await(`"t":"reply"`)
	if err != nil {
		return err
	}
	f.reply = got
	if status := numberAfter(got, `"status":`); status < http.StatusOK || status >= http.StatusMultipleChoices {
		return fmt.Errorf("%s was answered %.300s", op, got)
	}
	return nil
}

func (s *peerShop) holdBest(f *peerFan) error {
	return s.call(f, "hold", `{"best":{"quantity":1}}`)
}

func (s *peerShop) holdNamed(f *peerFan) error {
	return s.call(f, "hold", `{"seats":[`+strconv.FormatUint(uint64(f.unit), 10)+`]}`)
}

// release gives the hold back that the last reply was about.
func (s *peerShop) release(f *peerFan) error {
	h, err := f.held()
	if err != nil {
		return err
	}
	return s.call(f, "hold.release", `{"id":"`+h.ID+`"}`)
}

// held is the hold of the last reply, which must be of one seat.
func (f *peerFan) held() (wire.Hold, error) {
	var r wire.ReplyDown
	var h wire.Hold
	err := json.Unmarshal(f.reply, &r)
	if err == nil {
		err = json.Unmarshal(r.Body, &h)
	}
	if err != nil {
		return h, fmt.Errorf("read hold: %w", err)
	}
	if h.ID == "" || len(h.Lines) != 1 || h.Lines[0].Count != 1 {
		return h, fmt.Errorf("a hold of one seat was wanted, and it is %.300s", f.reply)
	}
	return h, nil
}

// join takes the last place of the queue and learns its position.
func (s *peerShop) join(f *peerFan) error {
	if err := f.send([]byte(`{"t":"join"}`)); err != nil {
		return err
	}
	got, err := f.await(`"t":"place"`, `"state":"waiting"`)
	if err != nil {
		return err
	}
	if ahead := numberAfter(got, `"ahead":`); ahead < s.waiting-s.waiting/10 { // a few may have had their turn
		return fmt.Errorf("the position behind %d is told as %.300s", s.waiting, got)
	}
	return nil
}

// leave gives the place up.
func (s *peerShop) leave(f *peerFan) error {
	if err := f.send([]byte(`{"t":"leave"}`)); err != nil {
		return err
	}
	_, err := f.await(`"t":"place"`, `"state":"left"`)
	return err
}

func (f *peerFan) send(b []byte) error {
	return f.ws.WriteMessage(websocket.TextMessage, b)
}

// await reads on until a frame comes that has all of these in it.
func (f *peerFan) await(marks ...string) ([]byte, error) {
	for {
		_, b, err := f.ws.ReadMessage()
		if bye, ok := errors.AsType[*websocket.CloseError](err); ok && bye.Code == wire.CloseTooMany {
			return nil, fmt.Errorf("a fan was sent away because it asked too often: more --fans are needed: %w", err)
		}
		if err != nil {
			return nil, err
		}
		if bytes.Contains(b, []byte(`"t":"error"`)) {
			return nil, fmt.Errorf("the server answered %.300s", b)
		}
		all := true
		for _, m := range marks {
			all = all && bytes.Contains(b, []byte(m))
		}
		if all {
			return b, nil
		}
	}
}

// numberAfter reads the number after a mark; -1: there is none.
func numberAfter(b []byte, mark string) int {
	_, rest, ok := bytes.Cut(b, []byte(mark))
	n := 0
	for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	v, err := strconv.Atoi(string(rest[:n]))
	if !ok || err != nil {
		return -1
	}
	return v
}

// peerWork is what clients do in a turn, and how it is undone between turns.
type peerWork struct {
	event    string
	fans     []*peerFan
	do, undo func(*peerFan) error
}

func (s *peerShop) workOf(name string) peerWork {
	switch name {
	case "hold":
		return peerWork{s.shop, s.shoppers, s.holdNamed, s.release}
	case "best":
		return peerWork{s.shop, s.shoppers, s.holdBest, s.release}
	default:
		return peerWork{s.line, s.joiners, s.join, s.leave}
	}
}

// work lets clients with one request in flight each work until they have done so for the given time, what is between
// the turns left out. The first tenth is not counted.
func (s *peerShop) work(ctx context.Context, name string, clients int, length time.Duration) (peerFigure, error) {
	w := s.workOf(name)
	done := peerFigure{peerForm: peerForm{Work: name, Form: "Catraca"}}
	if err := s.connect(ctx, w.event, w.fans); err != nil {
		return done, err
	}
	defer hangUp(w.fans)
	late := time.Now().Add(10*length + time.Minute)
	for _, f := range w.fans {
		if err := errors.Join(f.ws.SetReadDeadline(late), f.ws.SetWriteDeadline(late)); err != nil {
			return done, err
		}
	}
	stop := context.AfterFunc(ctx, func() {
		for _, f := range w.fans {
			_ = f.ws.UnderlyingConn().Close() // wakes whoever reads
		}
	})
	defer stop()
	var worked, warm time.Duration
	var total *hdrhistogram.Histogram
	for worked < length {
		rand.Shuffle(len(w.fans), func(i, j int) { w.fans[i], w.fans[j] = w.fans[j], w.fans[i] })
		counted, left := warm >= length/10, length-worked
		if !counted {
			left = length/10 - warm
		}
		h, took, did, err := turn(clients, w.fans, left, w.do)
		if err != nil {
			return done, errors.Join(context.Cause(ctx), err)
		}
		if counted {
			worked += took
			if total == nil {
				total = h
			} else {
				total.Merge(h)
			}
		} else {
			warm += took
		}
		if err := s.each(ctx, clients, w.fans[:did], w.undo); err != nil {
			return done, fmt.Errorf("give back between turns: %w", err)
		}
	}
	done.Count, done.PerSecond = total.TotalCount(), float64(total.TotalCount())/worked.Seconds()
	done.P50, done.P99 = total.ValueAtQuantile(50), total.ValueAtQuantile(99)
	return done, nil
}

// turn lets every fan ask once, or fewer of them if the time is over before. It says how many of the first fans did.
func turn(clients int, fans []*peerFan, left time.Duration, do func(*peerFan) error) (h *hdrhistogram.Histogram, took time.Duration, did int, err error) {
	var next atomic.Int64
	var failed atomic.Bool
	hists, errs := make([]*hdrhistogram.Histogram, clients), make([]error, clients)
	var all sync.WaitGroup
	began := time.Now()
	end := began.Add(left)
	for c := range clients {
		hists[c] = hdrhistogram.New(1, 60_000_000, 3)
		all.Go(func() {
			for started := time.Now(); started.Before(end) && !failed.Load(); {
				i := int(next.Add(1)) - 1
				if i >= len(fans) {
					return
				}
				if errs[c] = do(fans[i]); errs[c] != nil {
					failed.Store(true)
					return
				}
				ended := time.Now()
				errs[c] = hists[c].RecordValue(max(ended.Sub(started).Microseconds(), 1))
				started = ended
			}
		})
	}
	all.Wait()
	took = time.Since(began)
	for _, x := range hists[1:] {
		hists[0].Merge(x)
	}
	return hists[0], took, min(int(next.Load()), len(fans)), errors.Join(errs...)
}
