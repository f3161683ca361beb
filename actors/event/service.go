package event

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/catraca/catraca/actors/relay"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sequencer"
	"github.com/catraca/catraca/cluster"
)

type (
	handle = sequencer.Handle[*machine, sale.Result]
	shard  = sequencer.Shard[*machine, sale.Result]
)

// Errors of the service.
var (
	// ErrNoEvent means no such event lives on this node.
	ErrNoEvent = errors.New("no such event")
	// ErrUnavailable means no leader answered in time.
	ErrUnavailable = sequencer.ErrUnavailable
)

// BusyError refuses because too much is waiting; nothing was done.
type BusyError = sequencer.BusyError

// Options of the service.
type Options struct {
	System  *actor.ActorSystem
	Shards  int // of the cluster; shard 0 is the directory's, sales live on the others
	Now     func() int64
	Logger  *slog.Logger
	Metrics *sequencer.Metrics
	Fatal   func(error)
	// Leading is told when this node begins or ceases to lead an event; machine's goroutine, may be nil.
	Leading func(id sale.EventID, leading bool)
	// Patience bounds how long a command waits for a leader; 0 means 5 s.
	Patience time.Duration
	// Forward carries commands to the nodes that lead; nil when this node is the only one.
	Forward *relay.Relay
	// Hashed is told the hash of a sale's state at an index, which is the same on every replica. May be nil.
	Hashed func(shard int, machine uint32, index uint64, hash [32]byte)
}

// mostBuffered bytes of an encoded command are kept for the next one.
const mostBuffered = 4 << 10

// Service is the door to every sale of this node, for any goroutine.
type Service struct {
	o      Options
	late   sequencer.Late
	shards []*shard // index = shard number; nil for shard 0

	buffers sync.Pool // of *[]byte, for encoded commands

	mu   sync.RWMutex
	hubs map[sale.EventID]*hub
}

// New returns a service; hand [Service.Pump] to the cluster and the cluster to [Service.Use].
func New(o Options) *Service {
	if o.Patience == 0 {
		o.Patience = 5 * time.Second
	}
	s := &Service{o: o, hubs: make(map[sale.EventID]*hub)}
	s.shards = make([]*shard, o.Shards)
	for i := 1; i < o.Shards; i++ {
		so := sequencer.Options[*machine, sale.Result]{
			System: o.System, Name: "ev", Shard: i, Proposer: &s.late, Create: create, Restore: restore,
			Applied: s.applied, Installed: s.installed, Leading: s.leading, Added: func(h *handle) { s.added(i, h) }, Now: o.Now,
			Logger: o.Logger, Metrics: o.Metrics, Fatal: o.Fatal,
		}
		if o.Hashed != nil {
			so.Hashed = func(machine uint32, index uint64, hash [32]byte) { o.Hashed(i, machine, index, hash) }
		}
		s.shards[i] = sequencer.NewShard(so)
		if o.Forward != nil {
			o.Forward.Serve(i, relay.Machines(s.shards[i], sale.AppendResult))
		}
	}
	return s
}

// Use gives the service its proposer, once, before anything is submitted.
func (s *Service) Use(p sequencer.Proposer) { s.late.Set(p) }

// Pump returns the consumer of a shard's committed entries (not shard 0).
func (s *Service) Pump(i int) cluster.Pump { return s.shards[i] }

// Close stops the machines. The cluster node is closed first.
func (s *Service) Close() {
	for _, sh := range s.shards[1:] {
		sh.Close()
	}
	for _, h := range s.all() {
		h.stop()
	}
}

// Create makes a new sale on a shard and waits until it lives on this node, as long as patience lasts. Creating one
// that exists does nothing, also when cfg is another; on another shard it is an error.
func (s *Service) Create(ctx context.Context, shard int, cfg *sale.Config) error {
	if shard < 1 || shard >= len(s.shards) {
		return fmt.Errorf("create event %d: shard %d is not one of 1..%d", cfg.Event, shard, len(s.shards)-1)
	}
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("create event %d: %w", cfg.Event, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Patience)
	defer cancel()
	err := s.create(ctx, shard, uint32(cfg.Event), sale.AppendConfig(nil, cfg))
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("create event %d: %w: %w", cfg.Event, ErrUnavailable, err)
	default:
		return fmt.Errorf("create event %d: %w", cfg.Event, err)
	}
}

// create tries until the sale is there: twice is the same as once.
func (s *Service) create(ctx context.Context, shard int, id uint32, blob []byte) error {
	sh := s.shards[shard]
	proposed := false
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		h, err := s.hub(sale.EventID(id))
		if err == nil {
			if _, here := sh.Get(id); !here {
				return errors.New("it lives on another shard")
			}
			if h.view.Load() != nil {
				return nil
			}
		}
		if !proposed { // the commit is known a moment before this replica has applied it
			err = s.found(ctx, sh, shard, id, blob)
			proposed = err == nil
			if err != nil && !errors.Is(err, sequencer.ErrNotLeader) && !errors.Is(err, sequencer.ErrUnknown) {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pause):
		}
	}
}

// found puts the sale into the log, wherever its shard is led.
func (s *Service) found(ctx context.Context, sh *shard, i int, id uint32, blob []byte) error {
	if s.o.Forward == nil || sh.Leading() {
		return sh.Create(ctx, id, blob)
	}
	return s.o.Forward.Found(ctx, i, id, blob)
}

// Events lists the sales of this node by id.
func (s *Service) Events() []sale.EventID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	ids := make([]sale.EventID, 0, len(s.hubs))
	for id := range s.hubs {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// View returns the newest picture of a sale.
func (s *Service) View(id sale.EventID) (*View, error) {
	h, err := s.hub(id)
	if err != nil {
		return nil, err
	}
	if v := h.view.Load(); v != nil {
		return v, nil
	}
	return nil, fmt.Errorf("view event %d: %w", id, ErrNoEvent)
}

// UnitChanges returns what happened to units after version since, oldest first; ok is false when that is
// further back than is remembered, and then the whole map has to be read.
func (s *Service) UnitChanges(id sale.EventID, since uint64) (changes []UnitChange, ok bool, err error) {
	h, err := s.hub(id)
	if err != nil {
		return nil, false, err
	}
	changes, ok = h.since(since)
	return changes, ok, nil
}

// Read runs fn with the committed state on its own goroutine and waits. fn copies what it keeps. Once Read has
// returned an error, fn is not run any more.
func (s *Service) Read(ctx context.Context, id sale.EventID, fn func(*sale.State)) error {
	h, err := s.hub(id)
	if err != nil {
		return err
	}
	if err := sequencer.Look(ctx, h.handle, func(m *machine) { fn(m.State) }); err != nil {
		return fmt.Errorf("read event %d: %w", id, err)
	}
	return nil
}

// ReadStrict is [Service.Read] of a state that has everything which was acknowledged before the call, by any node.
// [ErrUnavailable]: no leader answered within a second.
func (s *Service) ReadStrict(ctx context.Context, id sale.EventID, fn func(*sale.State)) error {
	h, err := s.hub(id)
	if err != nil {
		return err
	}
	if s.o.Forward != nil {
		if err := s.o.Forward.Strict(ctx, h.shard); err != nil {
			return fmt.Errorf("read event %d: %w", id, err)
		}
	}
	return s.Read(ctx, id, fn)
}

// Subscribe hears of every batch after the returned view, until cancel is called; a few batches may still come after
// it. The subscriber must be comparable and must not be subscribed twice.
func (s *Service) Subscribe(ctx context.Context, id sale.EventID, sub Subscriber) (*View, func(), error) {
	h, err := s.hub(id)
	if err != nil {
		return nil, nil, err
	}
	first := make(chan *View, 1)
	h.handle.Post(func(m *machine) {
		h.subscribe(sub)
		first <- h.publish(m)
	})
	cancel := func() { h.handle.Post(func(*machine) { h.unsubscribe(sub) }) }
	select {
	case v := <-first:
		return v, cancel, nil
	case <-h.handle.Done():
		return nil, nil, fmt.Errorf("subscribe event %d: %w", id, sequencer.ErrStopped)
	case <-ctx.Done():
		cancel()
		return nil, nil, fmt.Errorf("subscribe event %d: %w", id, ctx.Err())
	}
}

// Submit does one command and waits for its outcome: the result of the machine, which may be a refusal, or an
// error when the machine was not asked or the outcome is not known. A command that was surely not done is tried
// again while patience lasts; one whose outcome is unknown only when its key makes that safe.
func (s *Service) Submit(ctx context.Context, id sale.EventID, c *sale.Command) (sale.Result, error) {
	h, err := s.hub(id)
	if err != nil {
		return sale.Result{}, err
	}
	began := time.Now()
	cmd, ok := s.buffers.Get().(*[]byte)
	if !ok {
		cmd = new([]byte)
	}
	*cmd = sale.AppendCommand((*cmd)[:0], c)
	q := &relay.Question[*machine, sale.Result]{
		Shard: h.shard, Machine: uint32(id), Command: *cmd, Repeatable: repeatable(c), Handle: h.handle, Keep: Keep, Decode: sale.DecodeResult,
	}
	res, index, elsewhere, err := relay.Ask(ctx, s.o.Forward, s.o.Patience, q)
	if err != nil { // somebody may still read the command
		return sale.Result{}, fmt.Errorf("submit to event %d: %w", id, err)
	}
	if cap(*cmd) <= mostBuffered {
		s.buffers.Put(cmd)
	}
	if elsewhere {
		if err := relay.Follow(ctx, s.o.Patience-time.Since(began), q, index); err != nil {
			return sale.Result{}, fmt.Errorf("submit to event %d: %w", id, err)
		}
	}
	return res, nil
}

// Waiter is told how a command ends that was begun: Result on the machine's goroutine with what is valid during the call,
// then Answer. It returns at once.
type Waiter = sequencer.Waiter[sale.Result]

// Begin is [Service.Submit] for who does not wait, on the node that leads the sale: w is told the outcome, unless there is
// an error. A command that was not done, or may not have been ([sequencer.ErrNotLeader], [sequencer.ErrUnknown]), may be
// given to Submit with the same key.
func (s *Service) Begin(id sale.EventID, c *sale.Command, w Waiter) error {
	h, err := s.hub(id)
	if err != nil {
		return err
	}
	if !h.handle.Leading() {
		return fmt.Errorf("begin at event %d: %w", id, sequencer.ErrNotLeader)
	}
	cmd := sale.AppendCommand(make([]byte, 0, 96), c)
	if err := h.handle.SubmitFor(s.o.Patience, cmd, w); err != nil {
		return fmt.Errorf("begin at event %d: %w", id, err)
	}
	return nil
}

// Keep copies what a result points to.
func Keep(r sale.Result) sale.Result {
	r.Units, r.Lines = slices.Clone(r.Units), slices.Clone(r.Lines)
	return r
}

// repeatable says whether doing the command twice is the same as doing it once.
func repeatable(c *sale.Command) bool {
	if c.Key != (sale.Key{}) {
		return true
	}
	switch c.Op {
	case sale.OpTick, sale.OpJoin, sale.OpAway, sale.OpBack, sale.OpClaim, sale.OpPayNotice, sale.OpPayState, sale.OpIntentDone:
		return true
	default:
		return false
	}
}

func (s *Service) hub(id sale.EventID) (*hub, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	h, ok := s.hubs[id]
	if !ok {
		return nil, fmt.Errorf("event %d: %w", id, ErrNoEvent)
	}
	return h, nil
}

func (s *Service) all() []*hub {
	s.mu.RLock()
	defer s.mu.RUnlock()
	hs := make([]*hub, 0, len(s.hubs))
	for _, h := range s.hubs {
		hs = append(hs, h)
	}
	return hs
}

func (s *Service) added(shard int, h *handle) {
	s.mu.Lock()
	id := sale.EventID(h.ID())
	hb := &hub{id: id, shard: shard, handle: h}
	s.hubs[id] = hb
	s.mu.Unlock()
	h.Post(func(m *machine) {
		hb.forgetUntil(m.Index())
		hb.publish(m) // the first picture: a sale is seen before its first batch
	})
}

func (s *Service) applied(id uint32, m *machine, _ bool) {
	if h, err := s.hub(sale.EventID(id)); err == nil {
		h.applied(m)
	}
}

func (s *Service) installed(id uint32, m *machine) {
	if h, err := s.hub(sale.EventID(id)); err == nil {
		h.replaced(m)
	}
}

func (s *Service) leading(id uint32, _ *machine, leading bool) {
	if s.o.Leading != nil {
		s.o.Leading(sale.EventID(id), leading)
	}
}
