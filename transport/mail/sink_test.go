package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

func send3(t *testing.T, sink *Sink, n int) {
	t.Helper()
	m := startMailer(t, optionsFor(sink.Addr()))
	for i := range n {
		msg := testMessage()
		msg.To = fmt.Sprintf("fan%d@example.com", i+1)
		msg.MessageID = fmt.Sprintf("tickets.o1-%d@catraca.example", i+1)
		if err := m.Send(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSinkKeepsTheNewestWithinItsCount(t *testing.T) {
	sink := startSink(t, SinkOptions{Messages: 3})
	send3(t, sink, 5)
	var got []string
	for _, s := range sink.Messages() {
		got = append(got, s.To[0])
	}
	if want := "fan5@example.com fan4@example.com fan3@example.com"; strings.Join(got, " ") != want {
		t.Errorf("kept %v, want %s", got, want)
	}
	if _, ok := sink.Message(1); ok {
		t.Error("message 1 is still there")
	}
}

func TestLetterboxKeepsWithinItsBytes(t *testing.T) {
	b := newLetterbox(100, 1000)
	for range 10 {
		b.put(make([]byte, 300), Summary{}, time.Time{})
	}
	list, _ := b.list(nil)
	if len(list) != 3 || list[0].ID != 10 || b.bytes != 900 {
		t.Errorf("%d messages of %d bytes, newest %d; want 3 of 900, newest 10", len(list), b.bytes, list[0].ID)
	}
	b.put(make([]byte, 1000), Summary{}, time.Time{})
	if list, _ := b.list(nil); len(list) != 1 || b.bytes != 1000 {
		t.Errorf("%d messages of %d bytes, want the large one alone", len(list), b.bytes)
	}
}

func TestSinkListensOnLoopbackOnly(t *testing.T) {
	sink := NewSink(SinkOptions{})
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:25", "nonsense"} {
		if err := sink.Listen(addr); err == nil {
			t.Errorf("listens on %s", addr)
		}
	}
	if sink.Addr() != "" {
		t.Errorf("address %q, want none", sink.Addr())
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sink.Listen("127.0.0.1:0"); err == nil {
		t.Error("listens after Close")
	}
}

func TestSinkRefusesConnectionsBeyondItsSlots(t *testing.T) {
	sink := startSink(t, SinkOptions{Connections: 1})
	first, err := net.Dial("tcp", sink.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Close() }() // closed below, again is harmless
	greeting := make([]byte, 3)
	if _, err := io.ReadFull(first, greeting); err != nil || string(greeting) != "220" {
		t.Fatalf("greeting %q, %v", greeting, err)
	}
	second, err := net.Dial("tcp", sink.Addr())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(second)
	if err != nil || !strings.HasPrefix(string(answer), "421 ") {
		t.Errorf("second connection: %q, %v; want 421", answer, err)
	}
	if err := errors.Join(second.Close(), first.Close()); err != nil {
		t.Fatal(err)
	}
	// The slot is free again once the server has noticed; until then the answer is temporary.
	m := startMailer(t, optionsFor(sink.Addr()))
	for {
		err := m.Send(t.Context(), testMessage())
		if err == nil {
			break
		}
		if !IsTemporary(err) {
			t.Fatal(err)
		}
	}
}

func TestAwait(t *testing.T) {
	sink := startSink(t, SinkOptions{})
	go func() {
		m, err := New(optionsFor(sink.Addr()))
		if err == nil {
			err = errors.Join(m.Send(context.Background(), testMessage()), m.Close())
		}
		if err != nil {
			t.Error(err)
		}
	}()
	got, err := sink.Await(t.Context(), sentTo("MARIA"))
	if err != nil || got.ID != 1 || got.Text == "" {
		t.Errorf("message %d, %v", got.ID, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sink.Await(ctx, sentTo("nobody")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func fetch(t *testing.T, h http.Handler, method, url string) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, url, nil))
	return w.Result(), w.Body.String()
}

func TestInboxPage(t *testing.T) {
	sink := startSink(t, SinkOptions{})
	if _, body := fetch(t, sink, "GET", "/mail"); !strings.Contains(body, "No mail yet") {
		t.Error("the empty page does not say so")
	}
	send3(t, sink, 3)
	for _, c := range []struct {
		url          string
		status       int
		want, absent string
	}{
		{"/mail", 200, "fan1@example.com", ""},
		{"/mail/", 200, "fan3@example.com", ""},
		{"/mail?to=FAN2", 200, "fan2@example.com", "fan1@example.com"},
		{"/mail?to=nobody%22%3E%3Cscript%3E", 200, "Show all messages", "<script>"},
		{"/mail/2", 200, `<iframe class="body" title="The letter" src="/mail/2/html" sandbox="allow-popups allow-popups-to-escape-sandbox"`, "Olá, <b>"},
		{"/mail/2?view=phone", 200, `class="phone"`, ""},
		{"/mail/2?view=text", 200, "Olá, María", "<iframe"},
		{"/mail/2?view=headers", 200, "&lt;tickets.o1-2@catraca.example&gt;", "<iframe"},
		{"/mail/2/html", 200, "<b>María</b>", ""},
		{"/mail/2/source", 200, "Message-ID: <tickets.o1-2@catraca.example>", ""},
		{"/mail/2/files/0", 200, "%PDF", ""},
		{"/mail/2/files/1", 404, "", ""},
		{"/mail/2/files/x", 404, "", ""},
		{"/mail/9", 404, "This message is not here", ""},
		{"/mail/x", 404, "This message is not here", ""},
		{"/mail/9/html", 404, "", ""},
		{"/mail/9/source", 404, "", ""},
		{"/mail/api/messages/9", 404, "", ""},
		{"/mail/assets/inbox.000000.css", 404, "", ""},
		{"/mailbox", 404, "", ""},
	} {
		res, body := fetch(t, sink, "GET", c.url)
		if res.StatusCode != c.status || !strings.Contains(body, c.want) || c.absent != "" && strings.Contains(body, c.absent) {
			t.Errorf("%s: %d, has %q: %t, has %q: %t", c.url, res.StatusCode, c.want, strings.Contains(body, c.want), c.absent, strings.Contains(body, c.absent))
		}
		if res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", c.url, res.Header)
		}
	}
	if res, _ := fetch(t, sink, "POST", "/mail"); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d, want 405", res.StatusCode)
	}
}

func TestInboxPolicies(t *testing.T) {
	sink := startSink(t, SinkOptions{Prefix: "post/"})
	send3(t, sink, 1)
	res, body := fetch(t, sink, "GET", "/post/1")
	if got := res.Header.Get("Content-Security-Policy"); got != pagePolicy || strings.Contains(got, "unsafe") {
		t.Errorf("page policy %q", got)
	}
	if regexp.MustCompile(`(?i)<script>|<style|\sstyle=|\son[a-z]+=`).MatchString(body) {
		t.Error("the page has inline script or style that its policy forbids")
	}
	assets := regexp.MustCompile(`"(/post/assets/[^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(assets) != 2 {
		t.Fatalf("assets %v, want two", assets)
	}
	for _, a := range assets {
		res, body := fetch(t, sink, "GET", a[1])
		if res.StatusCode != 200 || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") || len(body) == 0 {
			t.Errorf("%s: %d, %v", a[1], res.StatusCode, res.Header)
		}
	}
	res, body = fetch(t, sink, "GET", "/post/1/html")
	if got := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "sandbox ") || strings.Contains(got, "allow-scripts") {
		t.Errorf("letter policy %q", got)
	}
	if !strings.Contains(body, `<base target="_blank">`) {
		t.Error("links of the letter stay in its frame")
	}
	res, _ = fetch(t, sink, "GET", "/post/1/source")
	if got := res.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("source is sent as %q", got)
	}
}

func TestInboxAPI(t *testing.T) {
	sink := startSink(t, SinkOptions{})
	_, body := fetch(t, sink, "GET", "/mail/api/messages")
	if body != `{"items":[]}` {
		t.Errorf("empty: %s", body)
	}
	send3(t, sink, 2)
	var list struct{ Items []Summary }
	_, body = fetch(t, sink, "GET", "/mail/api/messages?to=fan1")
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Items) != 1 || list.Items[0].Attachments != 1 {
		t.Fatalf("%v, %s", err, body)
	}
	var one struct {
		Subject, Text, HTML string
		Headers             []Header
		Files               []struct {
			Name, URL string
			Size      int
		}
	}
	_, body = fetch(t, sink, "GET", fmt.Sprintf("/mail/api/messages/%d", list.Items[0].ID))
	if err := json.Unmarshal([]byte(body), &one); err != nil || one.Subject != testMessage().Subject || len(one.Files) != 1 {
		t.Fatalf("%v, %s", err, body)
	}
	_, file := fetch(t, sink, "GET", one.Files[0].URL)
	if file != string(testMessage().Attachments[0].Data) || one.Files[0].Size != len(file) {
		t.Error("the file differs from the one sent")
	}
}

// Mail that is not even MIME is kept and shown with what is wrong.
func TestStrangeMail(t *testing.T) {
	for _, raw := range []string{"", "\r\n", "hello", "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n", "Subject: =?utf-8?q?\xff?=\r\n\r\n\xff\x00<script>",
		"From: a\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>", strings.Repeat("A", 100_000)} {
		sink := NewSink(SinkOptions{})
		s := open(stored{Summary{To: []string{"x"}}, []byte(raw)}).Summary
		sink.box.put([]byte(raw), s, time.Unix(0, 0))
		for _, url := range []string{"/mail", "/mail/1", "/mail/1?view=text", "/mail/1?view=headers", "/mail/1/source", "/mail/api/messages/1"} {
			res, body := fetch(t, sink, "GET", url)
			if res.StatusCode != 200 {
				t.Errorf("%.20q: %s: %d", raw, url, res.StatusCode)
			}
			if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") && strings.Contains(body, "<script>") {
				t.Errorf("%.20q: %s: script got through", raw, url)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("Subject: x\r\n\r\nhello"))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nhi\r\n--x--\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r := open(stored{raw: raw}); len(r.Excerpt) > excerptLength+len("…") {
			t.Fatalf("excerpt of %d bytes", len(r.Excerpt))
		}
	})
}
