package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// A piece is one change of a recorder, as it travels between processes: a byte for its kind, then unsigned varints, and
// texts with their length before them. Histograms are sparse: for each position that has counts, how many positions it
// lies behind the one before, and its count.
const (
	pieceCell   = 1
	pieceWindow = 2
	pieceFlow   = 3
	pieceMark   = 4
)

// Bounds of a piece. MostPiece is more than the largest that [Recorder.Drain] makes.
const (
	MostPiece = 1 << 20
	mostName  = 100
	mostText  = 2000
	mostCount = 1 << 48
)

// tally is one position of a sparse histogram.
type tally struct{ at, n int64 }

// heap is what a histogram has got since it was last looked at. Least is one more than the smallest value ever, 0: none.
type heap struct {
	least, most int64
	tallies     []tally
}

type cellChange struct {
	key

	failed           int64
	codes            map[string]int64
	latency, service heap
}

type windowChange struct {
	op                 string
	at                 int
	done, failed, most int64
	tallies            []tally
}

type flowChange struct {
	planned int64
	starts  Starts
	last    int64 // ns
	seconds []numbered
}

type numbered struct {
	flowSecond

	at int
}

// writer appends to a piece.
type writer []byte

func (w *writer) number(n int64) { *w = binary.AppendUvarint(*w, uint64(max(n, 0))) }

func (w *writer) signed(n int64) { *w = binary.AppendVarint(*w, n) }

func (w *writer) text(s string, most int) {
	s = s[:min(len(s), most)]
	w.number(int64(len(s)))
	*w = append(*w, s...)
}

func (w *writer) flag(b bool) {
	if b {
		*w = append(*w, 1)
		return
	}
	*w = append(*w, 0)
}

func (w *writer) tallies(list []tally) {
	w.number(int64(len(list)))
	before := int64(-1)
	for _, t := range list {
		w.number(t.at - before - 1)
		w.number(t.n)
		before = t.at
	}
}

func (w *writer) heap(h *heap) {
	w.number(h.least)
	w.number(h.most)
	w.tallies(h.tallies)
}

func (c *cellChange) piece() []byte {
	w := writer{pieceCell}
	w.text(c.op, mostName)
	w.text(c.class, mostName)
	w.flag(c.warming)
	w.number(c.failed)
	w.number(int64(len(c.codes)))
	for code, n := range c.codes {
		w.text(code, mostName)
		w.number(n)
	}
	w.heap(&c.latency)
	w.heap(&c.service)
	return w
}

func (c *windowChange) piece() []byte {
	w := writer{pieceWindow}
	w.text(c.op, mostName)
	w.number(int64(c.at))
	w.number(c.done)
	w.number(c.failed)
	w.number(c.most)
	w.tallies(c.tallies)
	return w
}

func (c *flowChange) piece() []byte {
	w := writer{pieceFlow}
	for _, n := range []int64{c.planned, c.starts.Started, c.starts.Counted, c.starts.Late, int64(c.starts.Latest * 1e9), c.last, int64(len(c.seconds))} {
		w.number(n)
	}
	before := -1
	for _, s := range c.seconds {
		w.number(int64(s.at - before - 1))
		for _, n := range []int64{s.planned, s.started, s.late, s.active, s.sockets} {
			w.number(n)
		}
		w.flag(s.known)
		before = s.at
	}
	return w
}

func (m *Mark) piece() []byte {
	w := writer{pieceMark}
	w.signed(int64(m.At * 1e9))
	w.text(m.Kind, mostName)
	w.text(m.Text, mostText)
	return w
}

// errPiece means that a piece is not one.
var errPiece = errors.New("it is cut short, too large or out of order")

// reader takes a piece apart. After the first thing that is wrong it gives zeros.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail() { r.b, r.err = nil, errPiece }

// number of at most most.
func (r *reader) number(most int64) int64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > uint64(most) {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return int64(n)
}

func (r *reader) signed() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) text(most int) string {
	n := r.number(int64(most))
	if n > int64(len(r.b)) {
		r.fail()
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) flag() bool { return r.number(1) == 1 }

func (r *reader) tallies(most int64) []tally {
	n := r.number(min(most, int64(len(r.b))))
	out := make([]tally, 0, n)
	at := int64(-1)
	for range n {
		at += r.number(most) + 1
		k := r.number(mostCount)
		if at >= most {
			r.fail()
		}
		if r.err != nil {
			return nil
		}
		out = append(out, tally{at, k})
	}
	return out
}

func (r *reader) heap() heap {
	return heap{r.number(mostCount), r.number(mostCount), r.tallies(positions)}
}

// decodePiece reads a piece: a *cellChange, *windowChange, *flowChange or *Mark.
func decodePiece(b []byte) (any, error) {
	if len(b) == 0 || len(b) > MostPiece {
		return nil, fmt.Errorf("read what was recorded: %d bytes are no piece", len(b))
	}
	r := &reader{b: b[1:]}
	var out any
	switch b[0] {
	case pieceCell:
		out = r.cell()
	case pieceWindow:
		out = &windowChange{
			op: r.text(mostName), at: int(r.number(MostSeconds - 1)), done: r.number(mostCount), failed: r.number(mostCount),
			most: r.number(mostCount), tallies: r.tallies(positions >> coarse),
		}
	case pieceFlow:
		out = r.flow()
	case pieceMark:
		out = &Mark{At: time.Duration(r.signed()).Seconds(), Kind: r.text(mostName), Text: r.text(mostText)}
	default:
		return nil, fmt.Errorf("read what was recorded: kind %d is not known", b[0])
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail()
	}
	if r.err != nil {
		return nil, fmt.Errorf("read what was recorded: %w", r.err)
	}
	return out, nil
}

func (r *reader) cell() *cellChange {
	c := &cellChange{key: key{op: r.text(mostName), class: r.text(mostName), warming: r.flag()}, failed: r.number(mostCount), codes: map[string]int64{}}
	for range r.number(MostCodes) {
		code := r.text(mostName)
		c.codes[code] += r.number(mostCount)
	}
	c.latency, c.service = r.heap(), r.heap()
	return c
}

func (r *reader) flow() *flowChange {
	c := &flowChange{planned: r.number(mostCount)}
	c.starts = Starts{Started: r.number(mostCount), Counted: r.number(mostCount), Late: r.number(mostCount), Latest: seconds(r.number(mostCount))}
	c.last = r.number(mostCount)
	at := int64(-1)
	for range r.number(min(MostSeconds, int64(len(r.b)))) {
		at += r.number(MostSeconds) + 1
		s := numbered{at: int(at)}
		for _, n := range []*int64{&s.planned, &s.started, &s.late, &s.active, &s.sockets} {
			*n = r.number(mostCount)
		}
		s.known = r.flag()
		if at >= MostSeconds {
			r.fail()
		}
		if r.err != nil {
			return c
		}
		c.seconds = append(c.seconds, s)
	}
	return c
}
