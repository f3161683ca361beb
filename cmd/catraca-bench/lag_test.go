package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	crowd "github.com/catraca/catraca/bench/drive"
)

// A lag makes each round trip longer by at least what it says, and changes nothing else.
func TestLag(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(append([]byte("you said "), b...))
	}))
	defer server.Close()
	const by = 30 * time.Millisecond
	target := crowd.Target{Base: server.URL, Fronts: []string{"somewhere:1"}}
	l, err := before(&target, by)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if target.Base == server.URL || len(target.Fronts) > 0 {
		t.Fatalf("fans reach the servers past the lag: %+v", target)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for range 3 {
		began := time.Now()
		res, err := client.Post(target.Base, "text/plain", strings.NewReader(strings.Repeat("a", 200_000)))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || len(b) != 200_009 {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		if took := time.Since(began); took < by {
			t.Errorf("it took %v, less than the lag", took)
		}
	}
	for _, base := range []string{"https://shop.example.com", "http://shop.example.com", "::"} {
		if _, err := before(&crowd.Target{Base: base}, by); err == nil {
			t.Errorf("a lag was put before %q", base)
		}
	}
	if _, err := before(&target, time.Hour); err == nil {
		t.Error("a lag of an hour was taken")
	}
}
