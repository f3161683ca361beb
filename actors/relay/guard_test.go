package relay

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/catraca/catraca/actors/sequencer"
)

// overTheWire tests need proto.actor's remote, which the race detector does not allow twice in a process.
func overTheWire(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Skip("each start of proto.actor's remote writes a variable that gRPC reads")
	}
}

// stranger speaks proto.actor's protocol as it likes.
func stranger(t *testing.T, r *Relay, creds credentials.TransportCredentials) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+r.o.Name, grpc.WithTransportCredentials(creds), grpc.WithNoProxy(),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", r.Address())
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func hello(name string) *remote.RemoteMessage {
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
		ConnectionType: &remote.ConnectRequest_ServerConnection{ServerConnection: &remote.ServerConnection{SystemId: "x", Address: name}},
	}}}
}

func batch(change func(*remote.MessageBatch)) *remote.RemoteMessage {
	data, _ := proto.Marshal(&wrapperspb.BytesValue{Value: appendHeader(nil, 1, 0, 1, nil)})
	b := &remote.MessageBatch{
		TypeNames: []string{frameType}, Targets: []*actor.PID{actor.NewPID("n1", "relay")}, Senders: []*actor.PID{actor.NewPID("n9", "relay")},
		Envelopes: []*remote.MessageEnvelope{{MessageData: data, Sender: 1}},
	}
	if change != nil {
		change(b)
	}
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: b}}
}

// say sends messages on a stream of their own and returns how it ends; nil when it is still there.
func say(t *testing.T, conn *grpc.ClientConn, messages ...*remote.RemoteMessage) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	stream, err := remote.NewRemotingClient(conn).Receive(ctx)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if err := stream.Send(m); err != nil {
			break // Recv tells why
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		if _, err := stream.Recv(); err != nil {
			if err.Error() == "EOF" {
				return nil
			}
			return err
		}
	}
}

func TestHostileMessages(t *testing.T) {
	overTheWire(t)
	w := newTown(t, 2, nil)
	r := w.nodes[0].relay
	conn := stranger(t, r, insecure.NewCredentials())
	if err := say(t, conn, hello("n9"), batch(nil)); err != nil {
		t.Fatalf("an honest message: %v", err)
	}
	poison, _ := proto.Marshal(&actor.PoisonPill{})
	for name, messages := range map[string][]*remote.RemoteMessage{
		"no introduction":  {batch(nil)},
		"introduced twice": {hello("n9"), hello("n9")},
		"our own name":     {hello("n1")},
		"no name":          {hello("")},
		"a client":         {{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{}}}},
		"nothing":          {hello("n9"), {}},
		"a disconnect":     {hello("n9"), {MessageType: &remote.RemoteMessage_DisconnectRequest{DisconnectRequest: &remote.DisconnectRequest{}}}},
		"unknown type":     {hello("n9"), batch(func(b *remote.MessageBatch) { b.TypeNames[0] = "catraca.Nothing" })},
		"no type":          {hello("n9"), batch(func(b *remote.MessageBatch) { b.TypeNames = nil })},
		"type index":       {hello("n9"), batch(func(b *remote.MessageBatch) { b.Envelopes[0].TypeId = 7 })},
		"negative index":   {hello("n9"), batch(func(b *remote.MessageBatch) { b.Envelopes[0].Target = -1 })},
		"target index":     {hello("n9"), batch(func(b *remote.MessageBatch) { b.Envelopes[0].Target = 7 })},
		"sender index":     {hello("n9"), batch(func(b *remote.MessageBatch) { b.Envelopes[0].Sender = 7 })},
		"no sender":        {hello("n9"), batch(func(b *remote.MessageBatch) { b.Envelopes[0].Sender = 0 })},
		"another's name":   {hello("n9"), batch(func(b *remote.MessageBatch) { b.Senders[0].Address = "n2" })},
		"the activator":    {hello("n9"), batch(func(b *remote.MessageBatch) { b.Targets[0].Id = "activator" })},
		"another node":     {hello("n9"), batch(func(b *remote.MessageBatch) { b.Targets[0].Address = "n2" })},
		"a future":         {hello("n9"), batch(func(b *remote.MessageBatch) { b.Envelopes[0].TargetRequestId = 3 })},
		"another encoding": {hello("n9"), batch(func(b *remote.MessageBatch) { b.Envelopes[0].SerializerId = 1 })},
		"an unknown one":   {hello("n9"), batch(func(b *remote.MessageBatch) { b.Envelopes[0].SerializerId = 99 })},
		"a header":         {hello("n9"), batch(func(b *remote.MessageBatch) { b.Envelopes[0].MessageHeader = &remote.MessageHeader{} })},
		"too many bytes":   {hello("n9"), batch(func(b *remote.MessageBatch) { b.Envelopes[0].MessageData = make([]byte, maxFrame+1000) })},
		"not protobuf":     {hello("n9"), batch(func(b *remote.MessageBatch) { b.Envelopes[0].MessageData = []byte{0xff} })},
		"a poison pill":    {hello("n9"), batch(func(b *remote.MessageBatch) { b.TypeNames[0], b.Envelopes[0].MessageData = "actor.PoisonPill", poison })},
		"a stop":           {hello("n9"), batch(func(b *remote.MessageBatch) { b.TypeNames[0] = "actor.Stop" })},
		"a watch":          {hello("n9"), batch(func(b *remote.MessageBatch) { b.TypeNames[0] = "actor.Watch" })},
		"many types":       {hello("n9"), batch(func(b *remote.MessageBatch) { b.TypeNames = append(b.TypeNames, frameType) })},
	} {
		if err := say(t, conn, messages...); err == nil {
			t.Errorf("%s: the stream goes on", name)
		}
	}
	// A frame that is none is left out, and the stream goes on.
	before := value(r.o.Metrics.bad)
	for _, content := range [][]byte{nil, {1}, appendHeader(nil, 1, 0, 0, nil)[:9], append(appendHeader(nil, 1, 0, 1, nil), 99)} {
		data, _ := proto.Marshal(&wrapperspb.BytesValue{Value: content})
		if err := say(t, conn, hello("n9"), batch(func(b *remote.MessageBatch) { b.Envelopes[0].MessageData = data })); err != nil {
			t.Errorf("frame %x: %v", content, err)
		}
	}
	until(t, "they are counted", func() bool { return value(r.o.Metrics.bad) == before+4 })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	client := remote.NewRemotingClient(conn)
	if _, err := client.ListProcesses(ctx, &remote.ListProcessesRequest{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("processes are listed: %v", err)
	}
	if _, err := client.GetProcessDiagnostics(ctx, &remote.GetProcessDiagnosticsRequest{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("processes are described: %v", err)
	}
	if n, err := w.nodes[1].do("a"); err != nil || n != 1 {
		t.Errorf("after all that: %d, %v", n, err)
	}
}

// house of certificates.
type notary struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newNotary(t *testing.T) *notary {
	n := &notary{t: t}
	n.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	n.cert = n.sign(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, &n.key.PublicKey)
	return n
}

func (n *notary) sign(c *x509.Certificate, public *ecdsa.PublicKey) *x509.Certificate {
	c.SerialNumber, c.Subject = big.NewInt(1), pkix.Name{CommonName: "test"}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent := n.cert
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, n.key)
	if err != nil {
		n.t.Fatal(err)
	}
	out, _ := x509.ParseCertificate(der)
	return out
}

// tls is the configuration of a node, for both ends.
func (n *notary) tls(name string) *tls.Config {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	leaf := n.sign(&x509.Certificate{
		DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, &key.PublicKey)
	pool := x509.NewCertPool()
	pool.AddCert(n.cert)
	return &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}},
	}
}

func TestNodesAreAuthenticated(t *testing.T) {
	overTheWire(t)
	ca := newNotary(t)
	w := newTown(t, 3, func(o *Options) {
		o.Server = ca.tls(o.Name)
		o.Client = o.Server
	})
	for i, m := range w.nodes {
		if n, err := m.do(m.name); err != nil || n != i+1 {
			t.Fatalf("%s: %d, %v", m.name, n, err)
		}
	}
	r := w.nodes[0].relay
	if err := say(t, stranger(t, r, credentials.NewTLS(ca.tls("n9"))), hello("n9"), batch(nil)); err != nil {
		t.Errorf("an honest node: %v", err)
	}
	bare := ca.tls("n9")
	bare.Certificates = nil
	foreign := newNotary(t).tls("n9")
	foreign.RootCAs = bare.RootCAs
	for name, c := range map[string]credentials.TransportCredentials{
		"no encryption": insecure.NewCredentials(), "no certificate": credentials.NewTLS(bare), "another authority": credentials.NewTLS(foreign),
		"another name": credentials.NewTLS(ca.tls("n8")),
	} {
		if err := say(t, stranger(t, r, c), hello("n9"), batch(nil)); err == nil {
			t.Errorf("%s: let in", name)
		}
	}
	// A connection that ends at another node than the one that was meant carries nothing.
	w.nodes[2].detour.Store(true)
	(*w.nodes[2].relay.wire.Load()).forget("n1")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, _, err := w.nodes[2].relay.Forward(ctx, shard, 7, []byte("x")); !errors.Is(err, sequencer.ErrUnknown) {
		t.Errorf("through another node: %v", err)
	}
	if got := value(w.nodes[1].relay.o.Metrics.serving) + value(w.nodes[1].relay.o.Metrics.bad); got != 0 {
		t.Errorf("the other node was spoken to")
	}
	w.nodes[2].detour.Store(false)
	if _, err := w.nodes[2].do("x"); err != nil {
		t.Errorf("straight again: %v", err)
	}
}
