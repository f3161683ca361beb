package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/catraca/catraca/bench/drive"
	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/bench/scenario"
)

// Times of an agent.
const (
	idleTime = 30 * time.Minute // a coordinator may take so long to put an event on sale
	liveTime = 30 * time.Second // while fans play, the coordinator says that it is there
	drainsIn = time.Second
)

// session is what an agent does for one coordinator. Its frames are received on one goroutine; when fans play, they are
// told of on another.
type session struct {
	c     *channel
	clock clock
	say   func(format string, args ...any)

	share *drive.Share // so far
	crowd *drive.Crowd // nil: not ready
	home  context.CancelFunc
	play  sync.WaitGroup
	ended chan struct{} // closed when the share has been told; nil: nobody plays
}

// serve does what the coordinator wants until the connection ends.
func (s *session) serve(ctx context.Context) error {
	ctx, leave := context.WithCancel(ctx)
	defer func() {
		leave()
		s.play.Wait()
		if s.crowd != nil {
			s.crowd.Close()
		}
	}()
	for {
		within := idleTime
		if s.playing() {
			within = liveTime
		}
		kind, b, err := s.c.receive(within)
		came := s.clock.now()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = s.do(ctx, kind, b, came)
		}
		if err != nil {
			_ = s.c.send(kindFailed, []byte(err.Error())) // it may be gone
			return err
		}
	}
}

func (s *session) playing() bool {
	if s.ended == nil {
		return false
	}
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// do does what one frame wants.
func (s *session) do(ctx context.Context, kind byte, b []byte, came int64) error {
	switch kind {
	case kindPing:
		return s.c.send(kindPong, numbers(came, s.clock.now()))
	case kindBeat:
		return nil
	case kindShare:
		if s.share != nil {
			return errors.New("there is a share already")
		}
		s.share = &drive.Share{}
		return read("share", b, s.share)
	case kindFans:
		return s.more(b)
	case kindFit:
		return s.prepare(ctx)
	case kindBegin:
		return s.begin(ctx, b)
	case kindCut:
		if !s.playing() {
			return s.c.send(kindWasCut, numbers(0))
		}
		return s.c.send(kindWasCut, numbers(int64(s.crowd.Cut())))
	case kindHome:
		if s.home != nil {
			s.home()
		}
		return nil
	default:
		return fmt.Errorf("frame %d is not known", kind)
	}
}

// more takes some of the share's fans.
func (s *session) more(b []byte) error {
	if s.share == nil || s.crowd != nil {
		return errors.New("fans come without a share")
	}
	var some []drive.Identity
	if err := read("fans", b, &some); err != nil {
		return err
	}
	if s.share.Fans = append(s.share.Fans, some...); len(s.share.Fans) > scenario.MaxFans {
		return fmt.Errorf("%d fans are too many", len(s.share.Fans))
	}
	return nil
}

// prepare makes the fans, if they may come to this event.
func (s *session) prepare(ctx context.Context) error {
	if s.share == nil || s.crowd != nil {
		return errors.New("there is no share, or it is ready")
	}
	ctx, cancel := context.WithTimeout(ctx, prepareTime)
	defer cancel()
	if err := s.share.Allowed(ctx); err != nil {
		return err
	}
	crowd, err := drive.NewCrowd(ctx, *s.share)
	if err != nil {
		return err
	}
	s.crowd = crowd
	s.say("%d fans are ready for %s", len(s.share.Fans), s.share.Base)
	return s.c.send(kindReady, nil)
}

// begin lets the fans come.
func (s *session) begin(ctx context.Context, b []byte) error {
	at, err := readNumbers(b, 1)
	if err != nil {
		return err
	}
	if s.crowd == nil || s.ended != nil {
		return errors.New("nobody is ready, or they have begun")
	}
	began := s.clock.at(at[0])
	if d := time.Until(began); d > time.Hour || d < -time.Hour {
		return fmt.Errorf("the beginning is %v away", d.Round(time.Second))
	}
	o := s.crowd.Recording(began)
	o.Drained = true
	r := record.NewRecorder(o)
	ctx, s.home = context.WithCancel(ctx)
	ended := make(chan struct{})
	s.ended = ended
	s.play.Go(func() {
		defer close(ended)
		defer s.home()
		if err := s.live(ctx, began, r); err != nil {
			s.say("tell of the fans: %v", err)
			_ = s.c.conn.Close() // the coordinator hears of it, and whoever receives here
		}
	})
	return nil
}

// live is the time in which the fans come and go, and are told of.
func (s *session) live(ctx context.Context, began time.Time, r *record.Recorder) error {
	before := drive.Usage()["cpu"]
	gone := make(chan struct{})
	s.play.Go(func() {
		defer close(gone)
		s.crowd.Live(ctx, began, r)
	})
	t := time.NewTicker(drainsIn)
	defer t.Stop()
	for going := true; going; {
		select {
		case <-gone:
			going = false
		case <-t.C:
		}
		if err := s.report(r); err != nil {
			s.home()
			<-gone
			return err
		}
	}
	fans, err := s.tell(began)
	if err != nil {
		return err
	}
	return send(s.c, kindEnd, ending{Fans: fans, CPU: drive.Usage()["cpu"] - before})
}

// report tells what was recorded since the last time, and what the process uses.
func (s *session) report(r *record.Recorder) error {
	for _, piece := range r.Drain() {
		if err := s.c.send(kindPiece, piece); err != nil {
			return err
		}
	}
	return send(s.c, kindUsage, usage{At: s.clock.now(), Values: drive.Usage()})
}

// tell tells what came of the fans.
func (s *session) tell(began time.Time) (int, error) {
	var some []fate
	fates, size := s.crowd.Fates(), 0
	for i, f := range fates {
		b, err := f.Journal.File(began)
		if err != nil {
			return 0, err
		}
		some = append(some, fate{Class: f.Class, Outcome: f.Outcome, Journal: json.RawMessage(b)})
		if size += len(b); size < fatesAtOnce && i+1 < len(fates) {
			continue
		}
		if err := send(s.c, kindFates, some); err != nil {
			return 0, err
		}
		some, size = nil, 0
	}
	return len(fates), nil
}
