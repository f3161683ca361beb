package bench

import (
	"errors"
	"sync"
	"time"
)

// pumped bounds the frames that wait for their fan; then the socket is not read, and the server sees a slow reader.
const pumped = 16

// errQuiet means that nothing came in the time there was. The link is as good as before.
var errQuiet = errors.New("nothing came")

// pump reads a link on a goroutine of its own, so that a fan who shops may watch the map for a while and then go on.
// Those who wait in the queue, who are many, read for themselves.
type pump struct {
	came chan arrived
	over chan struct{}
	once sync.Once
}

type arrived struct {
	frame frame
	err   error
}

// watch starts the pump of a link. From here on only [link.read] may be called.
func (l *link) watch() {
	p := &pump{came: make(chan arrived, pumped), over: make(chan struct{})}
	l.pump = p
	go func() {
		for {
			f, err := l.receive(silence)
			select {
			case p.came <- arrived{f, err}:
			case <-p.over:
				return
			}
			if err != nil {
				close(p.came) // whoever reads again is told that it is over
				return
			}
		}
	}()
}

// next is the next frame, within a time.
func (p *pump) next(within time.Duration) (frame, error) {
	t := time.NewTimer(max(within, 0))
	defer t.Stop()
	select {
	case a, ok := <-p.came:
		if !ok {
			return frame{}, errors.New("the connection is gone")
		}
		return a.frame, a.err
	case <-t.C:
		return frame{}, errQuiet
	}
}

// stop lets the pump end; the socket is closed by then.
func (p *pump) stop() { p.once.Do(func() { close(p.over) }) }
