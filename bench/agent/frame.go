package agent

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// A frame is four bytes of length, big endian, of what follows: a byte for its kind, and the payload.
const (
	// To the agent.
	kindProof  = 1 // that the sender knows the secret; goes both ways
	kindPing   = 2 // answered with a pong at once
	kindShare  = 3 // [drive.Share] without its fans, JSON
	kindFans   = 4 // some of them, a JSON list
	kindFit    = 5 // that was all: get ready
	kindBegin  = 6 // when fans are due, by the agent's clock: 8 bytes
	kindCut    = 7 // cut the live sockets
	kindHome   = 8 // send the fans home
	kindBeat   = 9 // the coordinator is there; nothing to do
	kindHello  = 33
	kindPong   = 34 // when the ping came and when this goes: 8 bytes each
	kindReady  = 35
	kindPiece  = 36 // of a recording
	kindUsage  = 37 // of the process, JSON; at least every few seconds
	kindWasCut = 38 // how many: 8 bytes
	kindFates  = 39 // of some fans, a JSON list
	kindEnd    = 40 // of the share: everything has been told; JSON
	kindFailed = 41 // why the agent cannot go on, text
)

// maxFrame bounds a frame. It is more than the largest piece of a recording, and than the largest journal.
const maxFrame = 4 << 20

// writeTime bounds the sending of a frame.
const writeTime = 30 * time.Second

// readFrame reads one frame. It takes no more memory than has really come.
func readFrame(r *bufio.Reader) (kind byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:4]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[:4])
	if n == 0 || n > maxFrame {
		return 0, nil, fmt.Errorf("read frame: %d bytes are none, or too many", n)
	}
	if kind, err = r.ReadByte(); err != nil {
		return 0, nil, fmt.Errorf("read frame: %w", io.ErrUnexpectedEOF)
	}
	payload, err = io.ReadAll(io.LimitReader(r, int64(n-1)))
	if err == nil && len(payload) < int(n-1) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read frame: %w", err)
	}
	return kind, payload, nil
}

// frameOf is one frame.
func frameOf(kind byte, payload []byte) []byte {
	dst := binary.BigEndian.AppendUint32(nil, uint32(len(payload)+1)) //nolint:gosec // bounded by the sender
	return append(append(dst, kind), payload...)
}

// channel is a connection of frames. One goroutine receives; any may send.
type channel struct {
	conn net.Conn
	r    *bufio.Reader

	mu sync.Mutex
}

func newChannel(conn net.Conn) *channel {
	return &channel{conn: conn, r: bufio.NewReaderSize(conn, 64<<10)}
}

func (c *channel) send(kind byte, payload []byte) error {
	if len(payload) >= maxFrame {
		return fmt.Errorf("send frame: %d bytes are too many", len(payload))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	_, err := c.conn.Write(frameOf(kind, payload))
	return err
}

func (c *channel) receive(within time.Duration) (kind byte, payload []byte, err error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return 0, nil, err
	}
	return readFrame(c.r)
}

// numbers are 8 bytes each.
func numbers(list ...int64) []byte {
	var out []byte
	for _, n := range list {
		out = binary.BigEndian.AppendUint64(out, uint64(n))
	}
	return out
}

// readNumbers reads exactly so many.
func readNumbers(b []byte, n int) ([]int64, error) {
	if len(b) != 8*n {
		return nil, fmt.Errorf("read frame: %d bytes, want %d", len(b), 8*n)
	}
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(binary.BigEndian.Uint64(b[8*i:]))
	}
	return out, nil
}
