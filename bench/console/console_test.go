package console

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/catraca/catraca/bench/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func opened(t *testing.T, o Options) *Console {
	t.Helper()
	c, err := Open(t.Context(), "127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func get(t *testing.T, url, host string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Body.Close() })
	return a
}

// TestEvents: a real recorder's doings come to the viewer, and the end of the run too.
func TestEvents(t *testing.T) {
	began := time.Now().Add(-10 * time.Second)
	r := record.NewRecorder(record.Options{Began: began})
	r.Planned(3)
	r.Active(2)
	r.Mark("fault", "kill node 1")
	at := began.Add(2 * time.Second)
	r.Done("hold", "", at, at, at.Add(30*time.Millisecond), "")
	c := opened(t, Options{Title: "<spike>", Every: 5 * time.Millisecond, Snapshot: func() record.Live { return r.Snapshot(0) },
		Series: func() []record.Series {
			return []record.Series{{Name: "heap", Unit: "bytes", Points: []record.Point{{At: 1, Value: 7}}}}
		}})
	page, err := io.ReadAll(get(t, c.URL(), "").Body)
	if err != nil || !strings.Contains(string(page), "&lt;spike&gt;") || !strings.Contains(string(page), "connect-src") {
		t.Errorf("%v, %.300s", err, page)
	}
	answer := get(t, c.URL()+"events", "")
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("%s, %s", answer.Status, kind)
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	pictures, over := 0, false
	for lines.Scan() {
		data, is := strings.CutPrefix(lines.Text(), "data: {")
		over = over || lines.Text() == "event: over"
		if !is {
			continue
		}
		if pictures++; pictures == 3 {
			go func() { _ = c.Close() }() // and again when the test ends
		}
		var s struct {
			Tiles  []struct{ Value, Label string }
			Charts []struct{ Title string }
			Marks  []struct{ Text string }
		}
		if err := json.Unmarshal([]byte("{"+data), &s); err != nil {
			t.Fatal(err)
		}
		titles := ""
		for _, x := range s.Charts {
			titles += x.Title + ","
		}
		if s.Tiles[1].Value != "2" || len(s.Marks) != 1 || s.Marks[0].Text != "fault: kill node 1" || !strings.Contains(titles, "hold,") || !strings.Contains(titles, "heap,") {
			t.Errorf("%+v, charts %s", s, titles)
		}
	}
	if pictures < 3 || !over || lines.Err() != nil {
		t.Errorf("%d pictures, over %v, %v", pictures, over, lines.Err())
	}
}

// TestViewers: no more than MostViewers look at once.
func TestViewers(t *testing.T) {
	c := opened(t, Options{Snapshot: func() record.Live { return record.Live{} }})
	for range MostViewers {
		if a := get(t, c.URL()+"events", ""); a.StatusCode != http.StatusOK {
			t.Error(a.Status)
		}
	}
	if a := get(t, c.URL()+"events", ""); a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
		t.Error(a.Status)
	}
}

// TestThisMachineAlone: neither an address nor a name of elsewhere.
func TestThisMachineAlone(t *testing.T) {
	for _, address := range []string{"", "nonsense", ":0", "0.0.0.0:0", "[::]:0", "192.0.2.7:0", "example.org:0", "127.0.0.1:99999"} {
		if c, err := Open(t.Context(), address, Options{}); err == nil {
			t.Errorf("%q was opened at %s", address, c.URL())
			_ = c.Close()
		}
	}
	c := opened(t, Options{Title: "spike"})
	for host, want := range map[string]int{"": 200, "localhost:80": 200, "127.0.0.1:7": 200, "[::1]:7": 200, "evil.example:80": 403, "localhost.evil.example:80": 403, "localhost": 403} {
		if a := get(t, c.URL(), host); a.StatusCode != want {
			t.Errorf("host %q: %s", host, a.Status)
		}
	}
}
