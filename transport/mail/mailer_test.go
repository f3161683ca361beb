package mail

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/emersion/go-sasl"
	smtpd "github.com/emersion/go-smtp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func startSink(t *testing.T, o SinkOptions) *Sink {
	t.Helper()
	s := NewSink(o)
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close sink: %v", err)
		}
	})
	return s
}

func optionsFor(addr string) Options {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		panic(err)
	}
	tcp, err := net.ResolveTCPAddr("tcp", ":"+port)
	if err != nil {
		panic(err)
	}
	return Options{Host: host, Port: tcp.Port, TLS: NoTLS, From: "Catraca Ingressos <ingressos@catraca.example>", Timeout: 5 * time.Second, HELO: "shop.example"}
}

func startMailer(t *testing.T, o Options) *Mailer {
	t.Helper()
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("close mailer: %v", err)
		}
	})
	return m
}

func testMessage() Message {
	return Message{
		To: "maria@example.com", Name: "María José, Conceição", Lang: "pt-BR", MessageID: "tickets.o1-5@catraca.example",
		Subject: "Seus ingressos: Última Noite em São Paulo – ção ção ção ção ção ção",
		HTML:    "<p>Olá, <b>María</b></p>", Text: "Olá, María\n.\nlinha depois de um ponto\n",
		Attachments: []Attachment{{"ingressos-o1-5.pdf", "application/pdf", bytes.Repeat([]byte("\x00\xff%PDF\r\n."), 4000)}},
	}
}

func header(r Received, name string) string {
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

func TestMessageArrivesAsItWasWritten(t *testing.T) {
	sink := startSink(t, SinkOptions{})
	reg := prometheus.NewPedanticRegistry()
	o := optionsFor(sink.Addr())
	o.ReplyTo = "ajuda@catraca.example"
	o.Metrics = NewMetrics(reg)
	m := startMailer(t, o)
	want := testMessage()
	if err := m.Send(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	list := sink.Messages()
	if len(list) != 1 {
		t.Fatalf("%d messages, want 1", len(list))
	}
	got, ok := sink.Message(list[0].ID)
	if !ok {
		t.Fatal("message is gone")
	}
	if got.Subject != want.Subject || got.MessageID != want.MessageID || got.Sender != "Catraca Ingressos" {
		t.Errorf("subject %q, id %q, sender %q", got.Subject, got.MessageID, got.Sender)
	}
	if len(got.To) != 1 || got.To[0] != want.To || got.From != "ingressos@catraca.example" {
		t.Errorf("envelope from %q to %q", got.From, got.To)
	}
	if strings.ReplaceAll(got.Text, "\r\n", "\n") != want.Text || !strings.Contains(got.HTML, want.HTML) {
		t.Errorf("text %q, html %q", got.Text, got.HTML)
	}
	if len(got.Attachments) != 1 || got.Attachments[0].Name != want.Attachments[0].Name ||
		got.Attachments[0].Type != "application/pdf" || !bytes.Equal(got.Attachments[0].Data, want.Attachments[0].Data) {
		t.Error("the attachment differs")
	}
	for name, value := range map[string]string{
		"Auto-Submitted": "auto-generated", "Content-Language": "pt-BR", "Reply-To": "<ajuda@catraca.example>",
		"To": "María José, Conceição <maria@example.com>", // as decoded: on the wire the comma is encoded
	} {
		if header(got, name) != value {
			t.Errorf("%s: %q, want %q", name, header(got, name), value)
		}
	}
	if n := counted(t, reg, "ok"); n != 1 {
		t.Errorf("counted %v sent, want 1", n)
	}
}

// counted reads catraca_mail_sent_total of a result.
func counted(t *testing.T, reg *prometheus.Registry, result string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "catraca_mail_sent_total" && m.GetLabel()[0].GetValue() == result {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no count of %s", result)
	return 0
}

func TestRepeatedMessageIsTheSame(t *testing.T) {
	sink := startSink(t, SinkOptions{})
	m := startMailer(t, optionsFor(sink.Addr()))
	for range 2 {
		if err := m.Send(t.Context(), testMessage()); err != nil {
			t.Fatal(err)
		}
	}
	list := sink.Messages()
	if len(list) != 2 || list[0].MessageID != list[1].MessageID {
		t.Fatalf("got %+v; want two with one Message-ID", list)
	}
	a, _ := sink.Message(list[0].ID)
	b, _ := sink.Message(list[1].ID)
	if a.Subject != b.Subject || a.Text != b.Text || a.HTML != b.HTML || !bytes.Equal(a.Attachments[0].Data, b.Attachments[0].Data) {
		t.Error("the two differ")
	}
}

func TestFailuresSayWhetherToTryAgain(t *testing.T) {
	for _, c := range []struct {
		name      string
		fault     Fault
		temporary bool
		stage     string
		code      int
		kept      int
	}{
		{"greylisted", Fault{Stage: AtRecipient, Code: 451}, true, "recipient", 451, 0},
		{"no such person", Fault{Stage: AtRecipient, Code: 550}, false, "recipient", 550, 0},
		{"sender refused", Fault{Stage: AtSender, Code: 553}, false, "sender", 553, 0},
		{"log in first", Fault{Stage: AtSender, Code: 530}, true, "sender", 530, 0},
		{"out of room", Fault{Stage: AtData, Code: 452}, true, "data", 452, 0},
		{"taken for spam", Fault{Stage: AtData, Code: 554}, false, "data", 554, 0},
		{"cut off after the message", Fault{Stage: AtData, Drop: true}, true, "data", 0, 1},
		{"cut off before", Fault{Stage: AtSender, Drop: true}, true, "sender", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			sink := startSink(t, SinkOptions{})
			var logged bytes.Buffer
			o := optionsFor(sink.Addr())
			o.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
			m := startMailer(t, o)
			sink.Fail(c.fault)
			err := m.Send(t.Context(), testMessage())
			var f *SendError
			if !errors.As(err, &f) || f.Stage != c.stage || f.Code != c.code {
				t.Fatalf("error %v; want stage %s and code %d", err, c.stage, c.code)
			}
			if IsTemporary(err) != c.temporary {
				t.Errorf("IsTemporary(%v) = %t, want %t", err, !c.temporary, c.temporary)
			}
			for _, secret := range []string{"maria", "example.com", "ingressos@"} {
				if strings.Contains(err.Error(), secret) || strings.Contains(strings.ReplaceAll(logged.String(), "message_id=tickets.o1-5@catraca.example", ""), secret) {
					t.Errorf("%q is told:\n%v\n%s", secret, err, logged.String())
				}
			}
			if n := len(sink.Messages()); n != c.kept {
				t.Errorf("sink has %d messages, want %d", n, c.kept)
			}
			if err := m.Send(t.Context(), testMessage()); err != nil {
				t.Errorf("second attempt: %v", err)
			}
		})
	}
}

func TestSlowRelayIsLeftAtTheTimeout(t *testing.T) {
	sink := startSink(t, SinkOptions{})
	o := optionsFor(sink.Addr())
	o.Timeout = 150 * time.Millisecond
	m := startMailer(t, o)
	sink.Fail(Fault{Stage: AtData, Delay: time.Minute})
	err := m.Send(t.Context(), testMessage())
	// Two clocks run, the context's and the connection's: either may be the one that ends it.
	if err == nil || !IsTemporary(err) || !errorsMention(err, "deadline exceeded") && !errorsMention(err, "did not answer in time") {
		t.Fatalf("got %v; want a temporary time-out", err)
	}
}

func TestCancelledSendReturnsAtOnce(t *testing.T) {
	sink := startSink(t, SinkOptions{})
	o := optionsFor(sink.Addr())
	o.Connections = 1
	m := startMailer(t, o)
	sink.Fail(Fault{Stage: AtData, Delay: time.Minute})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	for range 2 { // the second waits for the connection of the first
		go func() { done <- m.Send(ctx, testMessage()) }()
	}
	time.AfterFunc(50*time.Millisecond, cancel)
	for range 2 {
		if err := <-done; err == nil || !IsTemporary(err) || !errorsMention(err, "context canceled") {
			t.Errorf("got %v; want a temporary cancellation", err)
		}
	}
}

func errorsMention(err error, text string) bool { return strings.Contains(err.Error(), text) }

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	m := startMailer(t, optionsFor(addr))
	if err := m.Send(t.Context(), testMessage()); !IsTemporary(err) || !errorsMention(err, "connection refused") {
		t.Errorf("got %v; want a temporary refusal", err)
	}
}

func TestBrokenMessagesAreRefusedForGood(t *testing.T) {
	sink := startSink(t, SinkOptions{})
	m := startMailer(t, optionsFor(sink.Addr()))
	for name, spoil := range map[string]func(*Message){
		"no address":       func(m *Message) { m.To = "" },
		"two addresses":    func(m *Message) { m.To = "a@x.example, b@x.example" },
		"header injection": func(m *Message) { m.To = "a@x.example\r\nBcc: b@x.example" },
		"name in address":  func(m *Message) { m.To = "A <a@x.example>" },
		"no id":            func(m *Message) { m.MessageID = "" },
		"id with a header": func(m *Message) { m.MessageID = "a@b\r\nX: y" },
		"no subject":       func(m *Message) { m.Subject = "" },
		"no text":          func(m *Message) { m.Text = "" },
		"too many files":   func(m *Message) { m.Attachments = make([]Attachment, maxAttachments+1) },
		"too large":        func(m *Message) { m.Attachments[0].Data = make([]byte, maxMessage+1) },
	} {
		msg := testMessage()
		spoil(&msg)
		if err := m.Send(t.Context(), msg); err == nil || IsTemporary(err) || errorsMention(err, "x.example") {
			t.Errorf("%s: %v; want a permanent error without the address", name, err)
		}
	}
	msg := testMessage()
	msg.Subject, msg.Name = "a\r\nBcc: b@x.example", "n\r\nBcc: b@x.example"
	if err := m.Send(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	got, _ := sink.Message(1)
	if header(got, "Bcc") != "" || got.Subject != "a Bcc: b@x.example" {
		t.Errorf("subject %q, Bcc %q", got.Subject, header(got, "Bcc"))
	}
}

func TestConnectionsAreUsedAgainAndBounded(t *testing.T) {
	sink := startSink(t, SinkOptions{})
	o := optionsFor(sink.Addr())
	o.Connections = 3
	m := startMailer(t, o)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := m.Send(t.Context(), testMessage()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(sink.Messages()); n != 20 {
		t.Errorf("%d messages, want 20", n)
	}
	m.mu.Lock()
	idle := len(m.idle)
	m.mu.Unlock()
	if idle < 1 || idle > 3 {
		t.Errorf("%d idle connections, want 1 to 3", idle)
	}
	// The relay restarts: the kept connections are dead, the next message finds out and dials anew.
	m.mu.Lock()
	for _, c := range m.idle {
		c.cut()
	}
	m.mu.Unlock()
	if err := m.Send(t.Context(), testMessage()); err != nil {
		t.Errorf("over dead connections: %v", err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if err := m.Send(t.Context(), testMessage()); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v, want %v", err, ErrClosed)
	}
}

// relay is a server with TLS and a password.
type relay struct {
	mu  sync.Mutex
	got int
}

type relaySession struct {
	r  *relay
	in bool
}

func (x *relaySession) AuthMechanisms() []string { return []string{sasl.Plain} }
func (x *relaySession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "shop" || password != "s3cret" {
			return smtpd.ErrAuthFailed
		}
		x.in = true
		return nil
	}), nil
}
func (x *relaySession) Reset()        {}
func (x *relaySession) Logout() error { return nil }
func (x *relaySession) Mail(string, *smtpd.MailOptions) error {
	if !x.in {
		return smtpd.ErrAuthRequired
	}
	return nil
}
func (x *relaySession) Rcpt(string, *smtpd.RcptOptions) error { return nil }
func (x *relaySession) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	x.r.mu.Lock()
	x.r.got++
	x.r.mu.Unlock()
	return err
}

// certificate makes one for 127.0.0.1 and returns the path of its PEM.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, path
}

func startRelay(t *testing.T, cert tls.Certificate, implicit bool) (addr string, r *relay) {
	t.Helper()
	r = new(relay)
	s := smtpd.NewServer(smtpd.BackendFunc(func(*smtpd.Conn) (smtpd.Session, error) { return &relaySession{r: r}, nil }))
	s.ErrorLog = log.New(io.Discard, "", 0)
	s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	if implicit {
		l = tls.NewListener(l, s.TLSConfig)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close relay: %v", err)
		}
		<-done
	})
	return addr, r
}

func TestEncryptedRelayWithPassword(t *testing.T) {
	cert, ca := certificate(t)
	password := filepath.Join(t.TempDir(), "password")
	for _, c := range []struct {
		name, password, ca string
		mode, server       TLSMode
		want               string // in the error; "" is success
	}{
		{"starttls", "s3cret\r\n", ca, StartTLS, StartTLS, ""},
		{"implicit", "s3cret", ca, ImplicitTLS, ImplicitTLS, ""},
		{"wrong password", "guess", ca, StartTLS, StartTLS, "535"},
		{"strange certificate", "s3cret", "", StartTLS, StartTLS, "certificate"},
		{"strange certificate, implicit", "s3cret", "", ImplicitTLS, ImplicitTLS, "certificate"},
		{"not the mode of the relay", "s3cret", ca, ImplicitTLS, StartTLS, "tls:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr, r := startRelay(t, cert, c.server == ImplicitTLS)
			if err := os.WriteFile(password, []byte(c.password), 0o600); err != nil {
				t.Fatal(err)
			}
			o := optionsFor(addr)
			o.TLS, o.User, o.PasswordFile, o.CAFile = c.mode, "shop", password, c.ca
			m := startMailer(t, o)
			err := m.Send(t.Context(), testMessage())
			if c.want == "" {
				if err != nil || r.got != 1 {
					t.Errorf("error %v, relay got %d", err, r.got)
				}
				return
			}
			if err == nil || !IsTemporary(err) || !errorsMention(err, c.want) {
				t.Errorf("got %v; want a temporary error with %q", err, c.want)
			}
		})
	}
}

// A relay that does not offer STARTTLS gets nothing in the clear.
func TestNoDowngrade(t *testing.T) {
	sink := startSink(t, SinkOptions{})
	o := optionsFor(sink.Addr())
	o.TLS = StartTLS
	m := startMailer(t, o)
	if err := m.Send(t.Context(), testMessage()); err == nil || !IsTemporary(err) || len(sink.Messages()) != 0 {
		t.Errorf("got %v and %d messages; want a temporary error and none", err, len(sink.Messages()))
	}
}

func TestOptions(t *testing.T) {
	good := Options{Host: "smtp.example.com", From: "a@b.example"}
	for _, c := range []struct {
		name  string
		spoil func(*Options)
		want  string
	}{
		{"defaults", func(*Options) {}, ""},
		{"host", func(o *Options) { o.Host = "" }, "mail.host: is missing"},
		{"port", func(o *Options) { o.Port = 70000 }, "mail.port: 70000"},
		{"mode", func(o *Options) { o.TLS = "ssl" }, `mail.tls: "ssl"; want starttls, implicit or none`},
		{"plain to the world", func(o *Options) { o.TLS = NoTLS }, "mail.tls: none is allowed only to this machine"},
		{"plain to here", func(o *Options) { o.TLS, o.Host = NoTLS, "::1" }, ""},
		{"from", func(o *Options) { o.From = "shop" }, "mail.from: want"},
		{"reply to", func(o *Options) { o.ReplyTo = "shop" }, "mail.reply_to: want"},
		{"timeout", func(o *Options) { o.Timeout = time.Hour }, "mail.timeout: 1h0m0s"},
		{"connections", func(o *Options) { o.Connections = -1 }, "mail.connections: -1; want 1 to 256"},
		{"password", func(o *Options) { o.User = "u" }, "mail.password_file: is missing"},
		{"password file", func(o *Options) { o.User, o.PasswordFile = "u", "/nowhere" }, "mail.password_file: open /nowhere"},
		{"ca file", func(o *Options) { o.CAFile = os.DevNull }, "has no PEM certificate"},
	} {
		o := good
		c.spoil(&o)
		err := o.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !errorsMention(err, c.want)) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
	s, err := good.settle()
	if err != nil || s.Port != 587 || s.TLS != StartTLS || s.Timeout != defaultTimeout || s.Connections != defaultConnections {
		t.Errorf("defaults %+v, %v", s, err)
	}
}
