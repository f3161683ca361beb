package relay

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
)

// plain carries frames over TCP without proto.actor, whose remote sets a variable of gRPC's at each start: two of them
// in one process are a data race, which hides any of ours from the race detector.
type plain struct {
	r  *Relay
	ln net.Listener

	mu    sync.Mutex
	to    map[string]net.Conn
	from  map[net.Conn]bool
	done  bool
	conns sync.WaitGroup
	one   sync.Mutex
}

func openPlain(r *Relay) (carrier, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &plain{r: r, ln: ln, to: make(map[string]net.Conn), from: make(map[net.Conn]bool)}
	w.conns.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			w.mu.Lock()
			if w.done {
				_ = c.Close()
			} else {
				w.from[c] = true
				w.conns.Go(func() { w.read(c) })
			}
			w.mu.Unlock()
		}
	})
	return w, nil
}

func (w *plain) address() string { return w.ln.Addr().String() }

func (w *plain) read(c net.Conn) {
	defer c.Close()
	var head [5]byte
	for {
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		b := make([]byte, int(head[4])+int(binary.LittleEndian.Uint32(head[:4])))
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		w.one.Lock()
		w.r.receive(string(b[:head[4]]), b[head[4]:])
		w.one.Unlock()
	}
}

func (w *plain) send(p *peer, b []byte) error {
	w.mu.Lock()
	c := w.to[p.name]
	w.mu.Unlock()
	p.mu.Lock()
	fresh := p.dialed != nil
	p.mu.Unlock()
	if c == nil || fresh {
		var err error
		if c, err = w.r.dial(context.Background(), p.name); err != nil {
			return err
		}
		w.mu.Lock()
		if old := w.to[p.name]; old != nil {
			_ = old.Close()
		}
		w.to[p.name] = c
		w.conns.Go(func() { // notices the end of the connection
			_, _ = io.Copy(io.Discard, c)
			w.mu.Lock()
			ours := w.to[p.name] == c
			w.mu.Unlock()
			if ours {
				w.r.lost(p.name, errors.New("connection ended"))
			}
		})
		w.mu.Unlock()
	}
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(b)))
	head = append(head, byte(len(w.r.o.Name)))
	head = append(head, w.r.o.Name...)
	_, err := c.Write(append(head, b...))
	return err
}

func (w *plain) forget(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.to[name]; c != nil {
		_ = c.Close()
		delete(w.to, name)
	}
}

func (w *plain) close() {
	_ = w.ln.Close()
	w.mu.Lock()
	w.done = true
	for _, c := range w.to {
		_ = c.Close()
	}
	for c := range w.from {
		_ = c.Close()
	}
	w.mu.Unlock()
	w.conns.Wait()
}
