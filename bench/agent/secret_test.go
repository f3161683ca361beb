package agent

import (
	"net"
	"strings"
	"testing"
)

func TestOnlyWhoKnowsTheSecretIsLetIn(t *testing.T) {
	one, _ := started(t, 0)
	for _, wrong := range []string{"", "of two agents and nobody elsf", secret + "x", secret[:1]} {
		if _, err := Dial(t.Context(), "agent 1", one, []byte(wrong)); err == nil || !strings.Contains(err.Error(), "the secret is not the same on both sides") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	met(t, "agent 1", one)
}

// An agent that does not know the secret is not believed either, even if it lets everybody in.
func TestCoordinatorWantsAProofToo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		cert, err := certificate()
		if err != nil {
			t.Error(err)
			return
		}
		_, err = welcome(t.Context(), conn, cert, []byte("another secret of sixteen bytes"))
		if err == nil {
			t.Error("it let somebody in with another secret")
		}
	}()
	if _, err := Dial(t.Context(), "agent 1", l.Addr().String(), []byte(secret)); err == nil {
		t.Error("the agent was believed")
	}
	<-ended
}

func TestWhereAnAgentMayListen(t *testing.T) {
	for _, tt := range []struct {
		address, secret string
		ok              bool
	}{
		{"127.0.0.1:7000", "", true}, {"[::1]:7000", "", true}, {"127.0.0.1:7000", "short", false}, {"127.0.0.1:7000", secret, true},
		{"0.0.0.0:7000", "", false}, {":7000", "", false}, {"10.0.0.1:7000", "fifteen bytes.", false}, {"10.0.0.1:7000", secret, true},
		{"localhost:7000", "", false}, {"7000", secret, false},
	} {
		if err := Allowed(tt.address, []byte(tt.secret)); (err == nil) != tt.ok {
			t.Errorf("%s with a secret of %d bytes: %v", tt.address, len(tt.secret), err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := Serve(t.Context(), l, Options{Secret: []byte("short")}); err == nil {
		t.Error("an agent with a bad secret served")
	}
}
