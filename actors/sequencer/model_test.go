package sequencer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

const mostPending = 150

// play is one random history of a shard with one machine.
type play struct {
	*rapid.T

	d     *desk
	h     *Handle[*ledger, int]
	term  uint64
	lead  bool
	asked []asked
	who   map[int]int // submitter -> number of its last command
	log   []logged    // committed, in order

	mu     sync.Mutex
	hashes map[uint64][32]byte // that the machine reported, by index
}

type logged struct {
	index uint64
	data  []byte
}

type asked struct {
	line string
	note *note
}

func (p *play) submit() {
	who := rapid.IntRange(1, 3).Draw(p.T, "who")
	for range rapid.SampledFrom([]int{1, 1, 2, 5, 60}).Draw(p.T, "how many") {
		p.who[who]++
		line := fmt.Sprintf("%d:%d:", who, p.who[who])
		if rapid.IntRange(0, 40).Draw(p.T, "size") == 0 {
			line += strings.Repeat("x", rapid.SampledFrom([]int{20_000, 70_000}).Draw(p.T, "bytes"))
		}
		n := newNote()
		var busy *BusyError
		switch err := p.h.Submit([]byte(line), n); {
		case err == nil:
			p.asked = append(p.asked, asked{line, n})
		case errors.As(err, &busy) && waiting(p.h) >= mostPending:
		default:
			p.Fatalf("submit: %v", err)
		}
	}
}

// settle lets everything run until it waits for the tape.
func (p *play) settle() {
	synctest.Wait()
	unanswered := 0
	for _, a := range p.asked {
		a.note.mu.Lock()
		if len(a.note.answers) > 1 {
			p.Fatalf("%.20q was answered %v", a.line, a.note.answers)
		}
		if len(a.note.answers) == 0 {
			unanswered++
		}
		a.note.mu.Unlock()
	}
	if got := waiting(p.h); got != int64(unanswered) {
		p.Fatalf("%d counted as pending, %d are not answered", got, unanswered)
	}
	if !p.lead && unanswered > 0 {
		p.Fatalf("%d wait at a node that does not lead", unanswered)
	}
	if fatal := p.d.fatal(); len(fatal) > 0 {
		p.Fatalf("told to stop: %v", fatal)
	}
}

func (p *play) commit() {
	q, index, ok := p.d.tape.next()
	if !ok {
		return
	}
	p.log = append(p.log, logged{index, q.data})
	p.d.shard.Apply(index, p.term, q.data)
	if rapid.IntRange(0, 9).Draw(p.T, "answer") == 0 {
		q.done <- ErrUnknown // committed, but the future says that nobody knows
		return
	}
	q.done <- nil
}

// lose takes the newest proposals back out of the log, as a new leader does.
func (p *play) lose() {
	p.d.tape.set(func(l *tape) {
		n := rapid.IntRange(0, len(l.waiting)).Draw(p.T, "kept")
		for _, q := range l.waiting[n:] {
			q.done <- ErrUnknown
		}
		l.waiting = l.waiting[:n]
	})
}

func (p *play) change() {
	if p.lead {
		p.lead = false
		p.d.shard.LeaderLost()
		return
	}
	p.lead = true
	p.term += uint64(rapid.IntRange(1, 3).Draw(p.T, "terms"))
	p.d.shard.LeaderReady(p.term)
}

func (p *play) refusing() {
	err := rapid.SampledFrom([]error{nil, nil, ErrNotLeader, &BusyError{RetryAfter: time.Second}}).Draw(p.T, "refuse")
	p.d.tape.set(func(l *tape) { l.refuse = err })
}

func (p *play) hashed(_ uint32, index uint64, hash [32]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, twice := p.hashes[index]; twice {
		p.Errorf("two hashes of entry %d", index)
	}
	p.hashes[index] = hash
}

// checkpoints compares what the machine reported with what another replica of the log would.
func (p *play) checkpoints() {
	p.mu.Lock()
	defer p.mu.Unlock()
	other := &ledger{due: math.MaxInt64, lines: []string{"made"}}
	for _, q := range p.log {
		h, body, err := DecodeHeader(q.data)
		if err != nil {
			p.Fatal(err)
		}
		if h.Kind == KindCheckpoint {
			if want, ok := p.hashes[q.index]; !ok || want != sha256.Sum256(other.AppendSnapshot(nil)) {
				p.Fatalf("checkpoint at entry %d: reported %v, and not what the log makes", q.index, ok)
			}
			delete(p.hashes, q.index)
			continue
		}
		other.Begin(q.index, h.At)
		for len(body) > 0 {
			cmd, rest, err := NextCommand(body)
			if err != nil {
				p.Fatal(err)
			}
			if _, err := other.Command(cmd); err != nil {
				p.Fatal(err)
			}
			body = rest
		}
	}
	if len(p.hashes) > 0 {
		p.Fatalf("hashes of entries that are no checkpoints: %v", p.hashes)
	}
}

func (p *play) rest() {
	time.Sleep(checkpointAfter)
}

func (p *play) wait() {
	time.Sleep(time.Duration(rapid.IntRange(0, 4000).Draw(p.T, "ms")) * time.Millisecond)
}

// check compares what everybody was told with what is in the log.
func (p *play) check() {
	want := []string{"made"}
	for _, q := range p.log {
		h, body, err := DecodeHeader(q.data)
		if err != nil {
			p.Fatal(err)
		}
		if h.Count > MaxBatchCommands || h.Count > 1 && len(q.data) > MaxBatchBytes {
			p.Fatalf("an entry of %d commands and %d bytes", h.Count, len(q.data))
		}
		for len(body) > 0 {
			cmd, rest, err := NextCommand(body)
			if err != nil {
				p.Fatal(err)
			}
			want, body = append(want, string(cmd)), rest
		}
	}
	var got []string
	if err := Look(context.Background(), p.h, func(l *ledger) { got = l.lines }); err != nil {
		p.Fatal(err)
	}
	if len(got) != len(want) {
		p.Fatalf("%d lines in the ledger, %d in the log", len(got), len(want))
	}
	at := make(map[string]int)
	last := make(map[string]int)
	for i, line := range got {
		if line != want[i] {
			p.Fatalf("line %d is %.20q, in the log %.20q", i, line, want[i])
		}
		if _, twice := at[line]; twice {
			p.Fatalf("%.20q was applied twice", line)
		}
		at[line] = i + 1
		if i == 0 {
			continue
		}
		part := strings.Split(line, ":")
		n, err := strconv.Atoi(part[1])
		if err != nil || n <= last[part[0]] {
			p.Fatalf("command %d of submitter %s after its %d", n, part[0], last[part[0]])
		}
		last[part[0]] = n
	}
	for _, a := range p.asked {
		p.told(a, at)
	}
}

func (p *play) told(a asked, at map[string]int) {
	number, applied := at[a.line]
	if len(a.note.answers) != 1 {
		p.Fatalf("%.20q was answered %v", a.line, a.note.answers)
	}
	err := a.note.answers[0]
	var busy *BusyError
	switch {
	case err == nil:
		if !applied || len(a.note.results) != 1 || a.note.results[0] != number {
			p.Fatalf("%.20q is line %d and was told %v", a.line, number, a.note.results)
		}
	case errors.Is(err, ErrUnknown):
	case errors.Is(err, ErrNotLeader), errors.Is(err, ErrStopped), errors.As(err, &busy):
		if applied {
			p.Fatalf("%.20q was surely not done (%v) and is line %d", a.line, err, number)
		}
	default:
		p.Fatalf("%.20q: %v", a.line, err)
	}
}

// timeless hides the deadline of a test, which may not be asked for on fake time.
type timeless struct{ testing.TB }

func TestEveryHistory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rapid.Check(timeless{t}, func(rt *rapid.T) {
			p := &play{T: rt, who: make(map[int]int), hashes: make(map[uint64][32]byte)}
			p.d = newDesk(rt, func(o *Options[*ledger, int]) { o.MaxPending, o.Hashed = mostPending, p.hashed })
			p.d.create(rt, 1, "made")
			p.h, _ = p.d.shard.Get(1)
			d, h := p.d, p.h
			step := func(f func()) func(*rapid.T) {
				return func(*rapid.T) { f(); p.settle() }
			}
			rt.Repeat(map[string]func(*rapid.T){
				"submit": step(p.submit), "submit more": step(p.submit), "commit": step(p.commit), "commit more": step(p.commit),
				"lose": step(p.lose), "change": step(p.change), "refuse": step(p.refusing), "wait": step(p.wait), "rest": step(p.rest),
			})
			d.shard.LeaderLost()
			p.lead = false
			p.settle()
			for d.tape.length() > 0 { // what the next leader keeps
				p.commit()
				p.settle()
			}
			p.check()
			p.checkpoints()
			d.shard.Close()
			if waiting(h) != 0 || waitingBytes(h) != 0 || len(h.credits) != 0 {
				rt.Fatalf("closed with %d pending, %d bytes, %d credits", waiting(h), waitingBytes(h), len(h.credits))
			}
		})
	})
}
