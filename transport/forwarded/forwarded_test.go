package forwarded

import (
	"net/http"
	"testing"
)

func TestAddr(t *testing.T) {
	tests := []struct {
		name    string
		trusted []string
		peer    string
		header  []string
		want    string
	}{
		{"nobody is trusted, the header is a lie", nil, "203.0.113.9:1", []string{"1.2.3.4"}, "203.0.113.9"},
		{"behind one proxy", []string{"127.0.0.1"}, "127.0.0.1:5", []string{"198.51.100.7"}, "198.51.100.7"},
		{"a forged first hop does not count", []string{"127.0.0.1"}, "127.0.0.1:5", []string{"6.6.6.6, 198.51.100.7"}, "198.51.100.7"},
		{"two proxies", []string{"10.0.0.0/8"}, "10.0.0.1:5", []string{"198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		{"header in two lines", []string{"10.0.0.0/8"}, "10.0.0.1:5", []string{"198.51.100.7", "10.0.0.2"}, "198.51.100.7"},
		{"garbage ends the chain", []string{"10.0.0.0/8"}, "10.0.0.1:5", []string{"198.51.100.7, nonsense, 10.0.0.2"}, "10.0.0.2"},
		{"no header", []string{"10.0.0.0/8"}, "10.0.0.1:5", nil, "10.0.0.1"},
		{"mapped addresses are the same address", []string{"127.0.0.1"}, "[::ffff:127.0.0.1]:5", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		{"no peer", nil, "@", nil, "invalid IP"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := New(tt.trusted)
			if err != nil {
				t.Fatal(err)
			}
			req := &http.Request{RemoteAddr: tt.peer, Header: http.Header{"X-Forwarded-For": tt.header}}
			if got := r.Addr(req).String(); got != tt.want {
				t.Errorf("Addr() = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestNewNamesTheBadEntry(t *testing.T) {
	_, err := New([]string{"10.0.0.0/8", "10.0.0.0/99"})
	if err == nil || err.Error() != `trusted_proxies[1]: "10.0.0.0/99" is neither an address nor a prefix like 10.0.0.0/8` {
		t.Errorf("error = %v", err)
	}
}
