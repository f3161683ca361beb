package relay

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// actorName of the only actor that is spoken to from outside.
const actorName = "relay"

// overActors carries frames as messages between two actors.
type overActors struct {
	r      *Relay
	system *actor.ActorSystem
	remote *remote.Remote
	self   *actor.PID
	at     string
}

func openRemote(r *Relay) (carrier, error) {
	quiet := slog.New(demoted{r.o.Logger.Handler()})
	w := &overActors{r: r, system: actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		actor.WithDeadLetterRequestLogging(false), actor.WithDeadLetterThrottleCount(1), actor.WithDeadLetterThrottleInterval(time.Minute),
	)}
	if err := w.listen(); err != nil {
		return nil, err
	}
	self, err := w.system.Root.SpawnNamed(actor.PropsFromFunc(w.receive), actorName)
	if err != nil {
		w.close()
		return nil, fmt.Errorf("relay: spawn: %w", err)
	}
	w.self = self
	w.system.EventStream.Subscribe(w.event)
	return w, nil
}

// listen starts proto.actor's remote. It does not tell its port, so one is sought first; should somebody take it in
// between, it panics, and another is tried.
func (w *overActors) listen() (err error) {
	for range 8 {
		l, lerr := new(net.ListenConfig).Listen(w.r.ctx, "tcp", "127.0.0.1:0")
		if lerr != nil {
			return fmt.Errorf("relay: listen: %w", lerr)
		}
		port := l.Addr().(*net.TCPAddr).Port
		w.at = l.Addr().String()
		_ = l.Close() // nothing was accepted
		if err = w.start(port); err == nil {
			return nil
		}
	}
	return err
}

func (w *overActors) start(port int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("relay: start: %v", p)
		}
	}()
	cfg := remote.Configure("127.0.0.1", port,
		remote.WithAdvertisedHost(w.r.o.Name), remote.WithServerOptions(w.r.serverOptions()...), remote.WithDialOptions(w.r.dialOptions()...),
		remote.WithEndpointWriterQueueSize(16), remote.WithEndpointWriterBatchSize(2*window),
		remote.WithEndpointManagerQueueSize(16), remote.WithEndpointManagerBatchSize(16),
	)
	cfg.MaxRetryCount = 1
	rem := remote.NewRemote(w.system, cfg)
	rem.Start()
	w.remote = rem
	return nil
}

// forget ends proto.actor's writer to a node.
func (w *overActors) forget(name string) {
	w.system.EventStream.Publish(&remote.EndpointTerminatedEvent{Address: name})
}

func (w *overActors) address() string { return w.at }

// receive takes messages from other nodes, on the actor's goroutine. Whose they are has been checked.
func (w *overActors) receive(ctx actor.Context) {
	if msg, ok := ctx.Message().(*wrapperspb.BytesValue); ok && ctx.Sender() != nil {
		w.r.receive(ctx.Sender().Address, msg.Value)
	}
}

// event hears of connections that ended, on any goroutine.
func (w *overActors) event(e any) {
	switch e := e.(type) {
	case *remote.EndpointTerminatedEvent:
		w.r.lost(e.Address, errors.New("connection lost"))
	case *actor.DeadLetterEvent:
		if _, ours := e.Message.(*wrapperspb.BytesValue); ours && e.PID != nil {
			w.r.lost(e.PID.Address, errors.New("frame not delivered"))
		}
	}
}

func (w *overActors) send(p *peer, b []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("send: %v", r)
		}
	}()
	w.system.Root.RequestWithCustomSender(p.pid, &wrapperspb.BytesValue{Value: b}, w.self)
	return nil
}

// close ends the writers and cuts the listener. Remote's own orderly end is not used: it races with whoever still sends
// and with its own connections.
func (w *overActors) close() {
	if w.remote != nil {
		for _, p := range w.r.all() {
			w.forget(p.name)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { _ = recover() }() // whatever it stumbles over, it is the end
			w.remote.Shutdown(false)
		}()
		select {
		case <-done:
		case <-time.After(closePatience):
			w.r.o.Logger.Warn("relay was not closed in time")
		}
	}
	w.system.Shutdown()
}
