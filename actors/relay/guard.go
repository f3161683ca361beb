package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

const (
	// frameType is the one message that is taken from another node.
	frameType = "google.protobuf.BytesValue"
	// maxMessage bounds a message of gRPC: a batch of frames.
	maxMessage = 2*window*maxFrame + 64<<10
	// aliveEvery and aliveWithin find connections whose other end is gone without a word.
	aliveEvery  = 10 * time.Second
	aliveWithin = 5 * time.Second
)

func (r *Relay) serverOptions() []grpc.ServerOption {
	creds := insecure.NewCredentials()
	if r.o.Server != nil {
		cfg := r.o.Server.Clone()
		cfg.ClientAuth = tls.RequireAndVerifyClientCert
		creds = credentials.NewTLS(cfg)
	}
	return []grpc.ServerOption{
		grpc.Creds(creds), grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage), grpc.MaxConcurrentStreams(4),
		grpc.ConnectionTimeout(dialPatience),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: aliveEvery, Timeout: aliveWithin}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: aliveEvery / 2, PermitWithoutStream: true}),
		grpc.ChainStreamInterceptor(r.guardStream), grpc.ChainUnaryInterceptor(refuseUnary),
	}
}

func (r *Relay) dialOptions() []grpc.DialOption {
	creds := insecure.NewCredentials()
	if r.o.Client != nil {
		creds = credentials.NewTLS(r.o.Client) // the name asked for is the node's
	}
	return []grpc.DialOption{
		grpc.WithTransportCredentials(creds), grpc.WithContextDialer(r.dial), grpc.WithNoProxy(), grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<10), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: dialPatience}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: aliveEvery, Timeout: aliveWithin}),
	}
}

// refuseUnary refuses the diagnostics of proto.actor's remote, which panic when they are asked for.
func refuseUnary(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
	return nil, status.Error(codes.Unimplemented, "there is nothing to call")
}

// guardStream lets a stream end instead of the process, whatever comes over it.
func (r *Relay) guardStream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.o.Metrics.bad.Inc()
			r.o.Logger.Error("relay panicked at a stream", slog.Any("panic", p))
			err = status.Error(codes.Internal, "refused")
		}
	}()
	return handle(srv, &guarded{ServerStream: ss, r: r})
}

// guarded looks at every message before proto.actor does.
type guarded struct {
	grpc.ServerStream

	r    *Relay
	peer string // set by the first message
}

// RecvMsg takes the next message, if it is one that a relay sends.
func (g *guarded) RecvMsg(m any) error {
	if err := g.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	err := g.check(m)
	if err != nil {
		g.r.o.Metrics.bad.Inc()
		g.r.o.Logger.Warn("relay refused a message", slog.String("peer", g.peer), slog.Any("error", err))
		return status.Error(codes.InvalidArgument, "refused")
	}
	return nil
}

func (g *guarded) check(m any) error {
	msg, ok := m.(*remote.RemoteMessage)
	if !ok {
		return fmt.Errorf("message is a %T", m)
	}
	if c := msg.GetConnectRequest(); c != nil {
		return g.introduce(c)
	}
	b := msg.GetMessageBatch()
	if b == nil || g.peer == "" {
		return fmt.Errorf("message %T out of turn", msg.GetMessageType())
	}
	if len(b.TypeNames) != 1 || b.TypeNames[0] != frameType {
		return fmt.Errorf("types are not that of a frame")
	}
	if len(b.Targets) != 1 || b.Targets[0].GetId() != actorName || b.Targets[0].GetAddress() != g.r.o.Name || b.Targets[0].GetRequestId() != 0 {
		return fmt.Errorf("target is not the relay")
	}
	if len(b.Senders) != 1 || b.Senders[0].GetId() != actorName || b.Senders[0].GetAddress() != g.peer || b.Senders[0].GetRequestId() != 0 {
		return fmt.Errorf("sender is not the relay of the peer")
	}
	for _, e := range b.Envelopes {
		if e == nil || e.TypeId != 0 || e.Target != 0 || e.Sender != 1 || e.SerializerId != 0 || e.TargetRequestId != 0 || e.SenderRequestId != 0 || e.MessageHeader != nil {
			return fmt.Errorf("envelope is not that of a frame")
		}
		if len(e.MessageData) > maxFrame+64+8*maxAcks {
			return fmt.Errorf("frame has %d bytes", len(e.MessageData))
		}
	}
	return nil
}

// introduce takes the peer's name, if its certificate has it too.
func (g *guarded) introduce(c *remote.ConnectRequest) error {
	name := c.GetServerConnection().GetAddress()
	switch {
	case g.peer != "":
		return fmt.Errorf("peer introduces itself twice")
	case name == "" || len(name) > math.MaxUint8 || name == g.r.o.Name:
		return fmt.Errorf("peer has no name of its own")
	}
	if g.r.o.Server != nil {
		p, ok := grpcpeer.FromContext(g.Context())
		if !ok {
			return fmt.Errorf("connection has no peer")
		}
		info, ok := p.AuthInfo.(credentials.TLSInfo)
		if !ok || len(info.State.VerifiedChains) == 0 || len(info.State.VerifiedChains[0]) == 0 {
			return fmt.Errorf("connection is not authenticated")
		}
		if err := info.State.VerifiedChains[0][0].VerifyHostname(name); err != nil {
			return fmt.Errorf("peer is not %q: %w", name, err)
		}
	}
	g.peer = name
	return nil
}

// demoted turns what proto.actor says into what only a developer reads; the relay tells what matters itself.
type demoted struct{ slog.Handler }

// Enabled asks for the level the record will have.
func (d demoted) Enabled(ctx context.Context, _ slog.Level) bool {
	return d.Handler.Enabled(ctx, slog.LevelDebug)
}

// Handle writes a record at the lowest level.
func (d demoted) Handle(ctx context.Context, rec slog.Record) error {
	rec.Level = slog.LevelDebug
	return d.Handler.Handle(ctx, rec)
}

// WithAttrs keeps the level down.
func (d demoted) WithAttrs(a []slog.Attr) slog.Handler { return demoted{d.Handler.WithAttrs(a)} }

// WithGroup keeps the level down.
func (d demoted) WithGroup(n string) slog.Handler { return demoted{d.Handler.WithGroup(n)} }
