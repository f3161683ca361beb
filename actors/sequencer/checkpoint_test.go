package sequencer

import (
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// registry keeps what machines report.
type registry struct {
	mu     sync.Mutex
	hashes map[uint64][32]byte // by index
	block  chan struct{}       // when not nil, a report waits for it
}

func (r *registry) hashed(_ uint32, index uint64, hash [32]byte) {
	if r.block != nil {
		<-r.block
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hashes[index] = hash
}

func (r *registry) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.hashes)
}

// checked is a shard with machine 1 that reports its hashes.
func checked(t testing.TB) (*desk, *Handle[*ledger, int], *registry) {
	t.Helper()
	r := &registry{hashes: make(map[uint64][32]byte)}
	d, h := made(t, func(o *Options[*ledger, int]) { o.Hashed = r.hashed })
	return d, h, r
}

// entries commits what is proposed and returns the kinds, in order.
func (d *desk) entries(t testing.TB) (kinds []Kind) {
	t.Helper()
	for {
		synctest.Wait()
		p, index, ok := d.tape.next()
		if !ok {
			return kinds
		}
		h, _, err := DecodeHeader(p.data)
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, h.Kind)
		d.shard.Apply(index, 1, p.data)
		p.done <- nil
	}
}

func TestCheckpointAfterSoManyEntries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h, r := checked(t)
		var kinds []Kind
		for i := range uint64(2*checkpointEvery + 10) {
			if i%256 == 0 {
				kinds = append(kinds, d.entries(t)...)
			}
			d.shard.Apply(1000+i, 1, EncodeEntry(Header{Kind: KindBatch, Machine: 1, Term: 9}))
		}
		if kinds = append(kinds, d.entries(t)...); len(kinds) != 2 || kinds[0] != KindCheckpoint || kinds[1] != KindCheckpoint || r.len() != 2 {
			t.Errorf("proposed %v and made %d hashes after %d entries", kinds, r.len(), 2*checkpointEvery+10)
		}
		if waiting(h) != 0 || len(h.credits) != 0 {
			t.Errorf("%d wait, %d credits are out", waiting(h), len(h.credits))
		}
	})
}

func TestCheckpointOfWhatChangedAndThenRested(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h, r := checked(t)
		time.Sleep(10 * checkpointAfter)
		if got := d.entries(t); len(got) != 0 {
			t.Fatalf("entries %v of a machine that nobody asked anything", got)
		}
		put(t, h, "a")
		d.entries(t)
		time.Sleep(checkpointAfter + time.Second)
		if got := d.entries(t); len(got) != 1 || got[0] != KindCheckpoint {
			t.Fatalf("entries %v after %v", got, checkpointAfter)
		}
		time.Sleep(10 * checkpointAfter)
		if got := d.entries(t); len(got) != 0 || r.len() != 1 {
			t.Errorf("entries %v and %d hashes although nothing changed since", got, r.len())
		}
		applied := h.Applied()
		var machine ledger
		if err := Look(t.Context(), h, func(l *ledger) { machine = *l }); err != nil {
			t.Fatal(err)
		}
		if r.hashes[applied] != sha256.Sum256(machine.AppendSnapshot(nil)) {
			t.Errorf("hashes %x, none of entry %d is the machine's", r.hashes, applied)
		}
	})
}

func TestNobodyAsksForHashes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h := made(t, nil)
		put(t, h, "a")
		d.entries(t)
		time.Sleep(10 * checkpointAfter)
		if got := d.entries(t); len(got) != 0 {
			t.Errorf("entries %v", got)
		}
		d.shard.Apply(99, 1, EncodeEntry(Header{Kind: KindCheckpoint, Machine: 1, Term: 9})) // of another node
		put(t, h, "b")
		d.entries(t)
		if got := lines(t, h); len(got) != 3 {
			t.Errorf("lines %q", got)
		}
	})
}

// A checkpoint that cannot be proposed is not proposed again and again.
func TestRefusedCheckpointComesLater(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h, r := checked(t)
		put(t, h, "a")
		d.entries(t)
		tries := 0
		d.tape.set(func(l *tape) { l.refuse, l.tries = ErrNotLeader, 0 })
		time.Sleep(3*checkpointAfter + time.Second)
		synctest.Wait()
		d.tape.set(func(l *tape) { l.refuse, tries = nil, l.tries })
		if tries != 3 {
			t.Errorf("%d tries in %v, one each %v is enough", tries, 3*checkpointAfter, checkpointAfter)
		}
		time.Sleep(checkpointAfter)
		if got := d.entries(t); len(got) != 1 || r.len() != 1 {
			t.Errorf("entries %v and %d hashes once it is taken", got, r.len())
		}
	})
}

// While a hash is being made the machine goes on, and the next checkpoint is left out here.
func TestOneHashAtATime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, h, r := checked(t)
		r.block = make(chan struct{})
		for i := range uint64(3) {
			d.shard.Apply(100+2*i, 1, EncodeEntry(Header{Kind: KindCheckpoint, Machine: 1, Term: 9}))
			d.shard.Apply(101+2*i, 1, EncodeEntry(Header{Kind: KindBatch, Machine: 1, Term: 9}, []byte("a")))
		}
		synctest.Wait()
		if got := lines(t, h); len(got) != 4 {
			t.Errorf("lines %q while a hash is being made", got)
		}
		close(r.block)
		synctest.Wait()
		first, ok := r.hashes[100]
		if want := sha256.Sum256((&ledger{lines: []string{"made"}}).AppendSnapshot(nil)); r.len() != 1 || !ok || first != want {
			t.Errorf("hashes %x", r.hashes)
		}
		d.shard.Apply(200, 1, EncodeEntry(Header{Kind: KindCheckpoint, Machine: 1, Term: 9}))
		synctest.Wait()
		if r.len() != 2 {
			t.Errorf("%d hashes after the first was made", r.len())
		}
	})
}

func TestCheckpointOfNoMachine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, _, _ := checked(t)
		d.shard.Apply(10, 1, EncodeEntry(Header{Kind: KindCheckpoint, Machine: 7}))
		if got := d.fatal(); len(got) != 1 || !errors.Is(got[0], ErrNoMachine) {
			t.Errorf("told to stop with %v", got)
		}
	})
}

// cursed panics when it is written out.
type cursed struct{ *ledger }

func (cursed) Freeze() Frozen { return cursed{} }

func (cursed) AppendSnapshot([]byte) []byte { panic("told to") }

func TestStateThatCannotBeHashedStopsTheProcess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fatal := make(chan error, 1)
		a := &owner[cursed, int]{
			o: &Options[cursed, int]{Hashed: func(uint32, uint64, [32]byte) { t.Error("hashed") }},
			h: &Handle[cursed, int]{dead: make(chan struct{})}, fatal: func(err error) { fatal <- err },
			beside: func(f func()) { go f() },
		}
		a.hash(5)
		if err := <-fatal; err == nil || !strings.Contains(err.Error(), "entry 5") || !strings.Contains(err.Error(), "told to") {
			t.Errorf("told to stop with %v", err)
		}
	})
}
