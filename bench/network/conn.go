package network

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// mostUnder bounds the bytes under way in one direction of a connection; a slow line has a shorter buffer, as a modem
// does, so that the far end notices.
const (
	mostUnder = 64 << 10
	slowUnder = 16 << 10
)

// lingers is how long a closed connection may take to get rid of what was written before.
const lingers = 5 * time.Second

// DialContext opens a connection, as [net/http.Transport] and the dialer of a live socket call it.
type DialContext = func(ctx context.Context, network, address string) (net.Conn, error)

// Dial returns a dialer whose connections are of the class; base makes them, and nil is the network itself. Opening
// one takes a round trip.
func (c Class) Dial(base DialContext) DialContext {
	if base == nil {
		base = (&net.Dialer{}).DialContext
	}
	if c.plain() {
		return base
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		began := time.Now()
		below, err := base(ctx, network, address)
		if err != nil {
			return nil, err
		}
		random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
		// The handshake goes there and comes back on lines of its own: it takes no room on the others.
		there := line{c: c, random: random}
		back := there
		if err := pause(ctx, time.Until(back.arrival(there.arrival(began, 1), 1))); err != nil {
			_ = below.Close() // nobody has it
			return nil, err
		}
		return wrap(below, c, random.Uint64()), nil
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// conn is a connection over a line of a class. Any goroutine may use it.
//
// What is written is taken at once, while there is room, and a timer hands it on when it has arrived. What is read is
// taken from the connection below by the reader itself, who waits for its time and reads ahead meanwhile: bytes that
// come while nobody reads have their delay from when somebody does.
type conn struct {
	net.Conn // below

	cut  time.Time // when the connection breaks; zero: never
	most int       // bytes under way in one direction

	down struct {
		turn     sync.Mutex // held by the one who reads
		mu       sync.Mutex
		line     line
		under    queue
		ended    error         // what the connection below said last
		deadline time.Time     // of the reader
		news     chan struct{} // closed when a reader that does not read ahead has to look again; nil: there is none
	}
	up struct {
		turn     sync.Mutex // held by the one who writes
		mu       sync.Mutex
		line     line
		under    queue
		timer    *time.Timer   // runs while bytes are under way
		busy     bool          // the timer has fired, and hands on
		room     chan struct{} // closed when a writer that waits has to look again; nil: nobody waits
		ended    error
		deadline time.Time // of the writer
	}
	closed sync.Once
	gone   chan struct{}
}

// wrap makes a connection one of a class. The seed decides its luck.
func wrap(below net.Conn, c Class, seed uint64) *conn {
	luck := rand.New(rand.NewPCG(seed, 1))
	d := drops{born: time.Now(), every: c.DropEvery, silent: c.DropFor}
	if c.DropEvery > 0 {
		d.phase = time.Duration(luck.Int64N(int64(c.DropEvery)))
	}
	n := &conn{Conn: below, cut: d.cut(), most: mostUnder, gone: make(chan struct{})}
	n.down.line = line{c: c, rate: c.Down, drops: d, random: luck}
	n.up.line = line{c: c, rate: c.Up, drops: d, random: rand.New(rand.NewPCG(seed, 2))}
	if c.Down > 0 || c.Up > 0 {
		n.most = slowUnder
		if t, ok := below.(*net.TCPConn); ok {
			_ = t.SetReadBuffer(slowUnder) // the far end notices later otherwise, that is all
		}
	}
	return n
}

// errCut is what a connection that was cut says: a reset.
func errCut(op string) error {
	return &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(op, syscall.ECONNRESET)}
}

// severed says whether the connection has been cut by now, and does it.
func (n *conn) severed() bool {
	if n.cut.IsZero() || time.Now().Before(n.cut) {
		return false
	}
	n.hangUp()
	return true
}

// hangUp ends everything at once.
func (n *conn) hangUp() {
	n.closed.Do(func() { close(n.gone) })
	n.up.mu.Lock()
	n.up.under.clear()
	n.up.mu.Unlock()
	_ = n.Conn.Close() // nothing under way counts
}

// Close ends the connection. What was written before still arrives, and the far end hears of it when its turn comes.
func (n *conn) Close() error {
	first := false
	n.closed.Do(func() { close(n.gone); first = true })
	if !first {
		return net.ErrClosed
	}
	now := time.Now()
	n.down.mu.Lock()
	err := n.Conn.SetReadDeadline(now) // wakes the reader
	n.down.mu.Unlock()
	n.up.mu.Lock()
	defer n.up.mu.Unlock()
	at := n.up.line.arrival(now, 1)
	n.up.under.push(piece{at: at})
	wake(&n.up.room)
	if !n.up.busy {
		n.arm(now)
	}
	return errors.Join(err, n.Conn.SetWriteDeadline(at.Add(lingers)))
}

func (n *conn) isClosed() bool {
	select {
	case <-n.gone:
		return true
	default:
		return false
	}
}

// SetDeadline is that of reading and writing.
func (n *conn) SetDeadline(t time.Time) error {
	return errors.Join(n.SetReadDeadline(t), n.SetWriteDeadline(t))
}
