package drive

import (
	"net"
	"testing"
)

// listening counts the connections that come to an address.
func listening(t *testing.T) (address string, came func() int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n++
			_ = c.Close()
		}
	}()
	return l.Addr().String(), func() int {
		_ = l.Close()
		<-ended
		return n
	}
}

func TestFansSpreadOverAllFronts(t *testing.T) {
	one, cameOne := listening(t)
	two, cameTwo := listening(t)
	dead, stop := listening(t)
	stop()
	elsewhere, cameElsewhere := listening(t)
	f := newFronts(&Share{Base: "http://shop.example.com:80", Fronts: []string{one, dead, two}, Number: 1})
	dial := func(address string) {
		c, err := f.dial(t.Context(), "tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = c.Read(make([]byte, 1)) // until the other side has seen it
		_ = c.Close()
	}
	for range 30 {
		dial("shop.example.com:80")
	}
	dial(elsewhere)
	// Those whose turn is the dead one's go to the next.
	if a, b, c := cameOne(), cameTwo(), cameElsewhere(); a != 10 || b != 20 || c != 1 {
		t.Errorf("%d, %d and %d came", a, b, c)
	}
	all := newFronts(&Share{Base: "http://shop.example.com:80", Fronts: []string{one, dead, two}})
	if c, err := all.dial(t.Context(), "tcp", "shop.example.com:80"); err == nil {
		_ = c.Close()
		t.Error("somebody answers although nobody is there")
	}
}
