package agent

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"sync"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/bench/drive"
	"github.com/catraca/catraca/bench/record"
)

// Times of the coordinator.
const (
	answerTime  = 15 * time.Second // of anything that takes no work
	prepareTime = 2 * time.Minute
	// silence is how long a playing agent may say nothing: it has something to say every second.
	silence = 20 * time.Second
	beat    = 5 * time.Second
	// homeTime is how long an agent may take to tell what became of its fans, once it was asked to end.
	homeTime = 2 * time.Minute
)

// Client is the coordinator's end of an agent. It is a [drive.Agent]; for one run.
type Client struct {
	c     *channel
	clock clock
	fans  int
	cuts  chan int

	mu            sync.Mutex // guards what follows
	facts         record.Agent
	first, unsure time.Duration // by how much the agent's clock is ahead, and how far that is off, at the beginning
}

// Dial meets an agent, whose name is for people, and measures its clock. The secret is the agent's own.
func Dial(ctx context.Context, name, address string, secret []byte) (*Client, error) {
	d := net.Dialer{Timeout: answerTime, KeepAlive: 10 * time.Second}
	raw, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("reach %s: %w", name, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() }) // whoever waits is woken
	defer stop()
	c, err := visit(ctx, raw, secret)
	a := &Client{c: c, clock: newClock(), cuts: make(chan int, 1)}
	if err == nil {
		err = a.greet(name, address)
	}
	if err == nil {
		a.first, a.unsure, err = a.measure()
		a.facts.Offset, a.facts.Unsure = a.first.Seconds(), a.unsure.Seconds()
	}
	if err != nil {
		_ = raw.Close() // it was of no use
		return nil, fmt.Errorf("meet %s at %s: %w", name, address, err)
	}
	return a, nil
}

// Close ends the connection. The agent sends home whoever is still there.
func (a *Client) Close() error { return a.c.conn.Close() }

// greet hears what the agent says of itself.
func (a *Client) greet(name, address string) error {
	b, err := a.await(kindHello, answerTime)
	if err != nil {
		return err
	}
	var h hello
	if err := read("greeting", b, &h); err != nil {
		return err
	}
	if h.Protocol != Protocol {
		return fmt.Errorf("it speaks version %d, this program speaks %d: use the same program on both sides", h.Protocol, Protocol)
	}
	a.facts = record.Agent{Name: name, Address: address, Machine: h.Machine, Cores: h.Cores, OpenFiles: h.OpenFiles}
	return nil
}

// await receives what must come next.
func (a *Client) await(want byte, within time.Duration) ([]byte, error) {
	kind, b, err := a.c.receive(within)
	switch {
	case err != nil:
		return nil, err
	case kind == kindFailed:
		return nil, fmt.Errorf("it says: %.500s", b)
	case kind != want:
		return nil, fmt.Errorf("it sent frame %d, want %d", kind, want)
	}
	return b, nil
}

// measure asks for the time again and again. Nobody else may receive meanwhile.
func (a *Client) measure() (offset, unsure time.Duration, err error) {
	var list []exchange
	for range rounds {
		e := exchange{sent: a.clock.now()}
		if err := a.c.send(kindPing, nil); err != nil {
			return 0, 0, err
		}
		b, err := a.await(kindPong, answerTime)
		if err != nil {
			return 0, 0, err
		}
		e.back = a.clock.now()
		told, err := readNumbers(b, 2)
		if err != nil {
			return 0, 0, err
		}
		e.came, e.went = told[0], told[1]
		list = append(list, e)
	}
	offset, unsure = ahead(list)
	if unsure == math.MaxInt64 {
		return 0, 0, errors.New("its clock makes no sense")
	}
	return offset, unsure, nil
}

// Facts are what the agent has said of itself and its clock.
func (a *Client) Facts() record.Agent {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.facts
}

// Prepare hands the share over.
func (a *Client) Prepare(ctx context.Context, s drive.Share) error {
	stop := context.AfterFunc(ctx, func() { _ = a.c.conn.Close() })
	defer stop()
	a.fans = len(s.Fans)
	if err := sendShare(a.c, s); err != nil {
		return err
	}
	_, err := a.await(kindReady, prepareTime)
	return err
}

// Cut cuts the live sockets of the agent's fans, while they play.
func (a *Client) Cut(ctx context.Context) (int, error) {
	select {
	case <-a.cuts: // of one that nobody waited for
	default:
	}
	if err := a.c.send(kindCut, nil); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	select {
	case n := <-a.cuts:
		return n, nil
	case <-ctx.Done():
		return 0, fmt.Errorf("%s does not say what it has cut: %w", a.facts.Name, ctx.Err())
	}
}

// Play lets the fans come and hears what they do.
func (a *Client) Play(ctx context.Context, p drive.Playing) ([]drive.Fate, error) {
	if err := a.c.send(kindBegin, numbers(a.clock.read(p.Began)+int64(a.first))); err != nil {
		return nil, err
	}
	end := make(chan struct{})
	var beside sync.WaitGroup
	beside.Go(func() { a.attend(ctx, end) })
	told, err := a.listen(p)
	close(end)
	beside.Wait()
	if err != nil {
		return nil, err
	}
	if err := a.settle(); err != nil {
		return nil, err
	}
	return a.decode(p.Began, told)
}

// attend tells the agent that the coordinator is there, and when it is time to go home.
func (a *Client) attend(ctx context.Context, end <-chan struct{}) {
	t := time.NewTicker(beat)
	defer t.Stop()
	over := ctx.Done()
	for {
		select {
		case <-end:
			return
		case <-over:
			over = nil
			if a.c.send(kindHome, nil) != nil {
				return
			}
			late := time.AfterFunc(homeTime, func() { _ = a.c.conn.Close() })
			defer late.Stop()
		case <-t.C:
			if a.c.send(kindBeat, nil) != nil {
				return // whoever listens hears it as well
			}
		}
	}
}

// listen takes everything in until the agent has told all.
func (a *Client) listen(p drive.Playing) ([]fate, error) {
	var told []fate
	for {
		kind, b, err := a.c.receive(silence)
		if err != nil {
			return nil, fmt.Errorf("hear from it: %w", err)
		}
		if kind == kindEnd {
			return told, a.ended(b, len(told))
		}
		some, err := a.hear(kind, b, p)
		if told = append(told, some...); err == nil && len(told) > a.fans {
			err = fmt.Errorf("it tells of %d fans, and had %d", len(told), a.fans)
		}
		if err != nil {
			return nil, err
		}
	}
}

// hear takes one frame in, and returns the fates in it.
func (a *Client) hear(kind byte, b []byte, p drive.Playing) (some []fate, err error) {
	switch kind {
	case kindPiece:
		return nil, p.Record.Absorb(p.Number, b)
	case kindUsage:
		return nil, a.sample(p, b)
	case kindWasCut:
		n, err := readNumbers(b, 1)
		if err != nil {
			return nil, err
		}
		select {
		case a.cuts <- int(n[0]):
		default: // nobody waits any more
		}
		return nil, nil
	case kindFates:
		err = read("fates", b, &some)
		return some, err
	case kindFailed:
		return nil, fmt.Errorf("it says: %.500s", b)
	default:
		return nil, fmt.Errorf("it sent frame %d", kind)
	}
}

func (a *Client) sample(p drive.Playing, b []byte) error {
	var u usage
	if err := read("usage", b, &u); err != nil {
		return err
	}
	p.Sample(a.clock.at(u.At-int64(a.first)), u.Values)
	return nil
}

func (a *Client) ended(b []byte, told int) error {
	var e ending
	if err := read("ending", b, &e); err != nil {
		return err
	}
	if told != a.fans || e.Fans != told {
		return fmt.Errorf("it tells of %d fans, and had %d", told, a.fans)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.facts.CPU = e.CPU
	return nil
}

// settle measures the clock again: now it is known how far it has drifted.
func (a *Client) settle() error {
	second, unsure, err := a.measure()
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	drift, unsure := over(a.first, a.unsure, second, unsure)
	a.facts.Drift, a.facts.Unsure = drift.Seconds(), unsure.Seconds()
	return nil
}

func (a *Client) decode(began time.Time, told []fate) ([]drive.Fate, error) {
	unsure := time.Duration(a.Facts().Unsure * float64(time.Second))
	out := make([]drive.Fate, 0, len(told))
	for _, f := range told {
		j, err := bench.Filed(f.Journal, began, unsure)
		if err != nil {
			return nil, err
		}
		out = append(out, drive.Fate{Class: f.Class, Outcome: f.Outcome, Journal: j})
	}
	return out, nil
}
