package network

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

const ms = time.Millisecond

// over runs a test in a time of its own, with both ends of a connection of which the near one is of the class.
func over(t *testing.T, c Class, test func(t *testing.T, near *conn, far net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		a, far := net.Pipe()
		near := wrap(a, c, 7)
		test(t, near, far)
		_ = near.Close()
		_, _ = io.Copy(io.Discard, far) // lets what is under way arrive
		_ = far.Close()
	})
}

// says fails unless the end reads the text after so long.
func says(t *testing.T, end net.Conn, began time.Time, want string, after time.Duration) {
	t.Helper()
	b := make([]byte, len(want))
	_, err := io.ReadFull(end, b)
	if took := time.Since(began); err != nil || string(b) != want || took != after {
		t.Errorf("read %q, %v after %s, want %q after %s", b, err, took, want, after)
	}
}

func send(t *testing.T, end net.Conn, text string) {
	t.Helper()
	if n, err := io.WriteString(end, text); err != nil || n != len(text) {
		t.Errorf("wrote %d of %q: %v", n, text, err)
	}
}

func TestRoundTrip(t *testing.T) {
	over(t, Class{RTT: 80 * ms}, func(t *testing.T, near *conn, far net.Conn) {
		began := time.Now()
		send(t, near, "ping")
		if took := time.Since(began); took != 0 {
			t.Errorf("writing took %s", took)
		}
		says(t, far, began, "ping", 40*ms)
		go send(t, far, "pong")
		says(t, near, began, "pong", 80*ms)
	})
}

// What is on the line at the same time needs half a round trip together, not each.
func TestPiecesTravelTogether(t *testing.T) {
	over(t, Class{RTT: 600 * ms}, func(t *testing.T, near *conn, far net.Conn) {
		began := time.Now()
		go func() {
			for i := range 10 {
				send(t, far, fmt.Sprint(i))
				time.Sleep(10 * ms)
			}
		}()
		for i := range 10 {
			says(t, near, began, fmt.Sprint(i), 300*ms+time.Duration(i)*10*ms)
		}
		began = time.Now()
		go func() {
			for i := range 10 {
				send(t, near, fmt.Sprint(i))
				time.Sleep(10 * ms)
			}
		}()
		for i := range 10 {
			says(t, far, began, fmt.Sprint(i), 300*ms+time.Duration(i)*10*ms)
		}
	})
}

func TestNarrowLine(t *testing.T) {
	text := string(bytes.Repeat([]byte("x"), 40_000))
	over(t, Class{RTT: 100 * ms, Down: 8000, Up: 4000}, func(t *testing.T, near *conn, far net.Conn) {
		began := time.Now()
		go send(t, far, text)
		says(t, near, began, text, 5*time.Second+50*ms)
		began = time.Now()
		go send(t, near, text)
		says(t, far, began, text, 10*time.Second+50*ms)
	})
}

// A line takes no more than it has room for.
func TestRoomIsBounded(t *testing.T) {
	for _, c := range []Class{{RTT: time.Second, Up: 8000, Down: 8000}, {RTT: 10 * time.Second}} {
		over(t, c, func(t *testing.T, near *conn, far net.Conn) {
			if err := near.SetWriteDeadline(time.Now().Add(400 * ms)); err != nil {
				t.Fatal(err)
			}
			n, err := near.Write(make([]byte, 1<<20))
			if !errors.Is(err, os.ErrDeadlineExceeded) || n != near.most {
				t.Errorf("wrote %d bytes and %v, want %d", n, err, near.most)
			}
			if err := far.SetWriteDeadline(time.Now().Add(400 * ms)); err != nil {
				t.Fatal(err)
			}
			go func() { _, _ = near.Read(make([]byte, 1000)) }()
			if n, err := far.Write(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) || n > near.most+1000 {
				t.Errorf("the far end wrote %d bytes and %v, want %d", n, err, near.most)
			}
		})
	}
}

func TestDeadlines(t *testing.T) {
	over(t, Class{RTT: 100 * ms}, func(t *testing.T, near *conn, far net.Conn) {
		began := time.Now()
		b := make([]byte, 100)
		until := func(d time.Duration) {
			t.Helper()
			if _, err := near.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != d {
				t.Errorf("reading ended after %s with %v, want %s", time.Since(began), err, d)
			}
		}
		_ = near.SetReadDeadline(began.Add(30 * ms))
		until(30 * ms)
		until(30 * ms)
		_ = near.SetReadDeadline(time.Time{})
		go func() { time.Sleep(10 * ms); _ = near.SetDeadline(began.Add(45 * ms)) }()
		go func() { time.Sleep(2 * ms); send(t, far, "late") }() // at 32 ms: arrives at 82
		until(45 * ms)
		_ = near.SetReadDeadline(began.Add(time.Second))
		says(t, near, began, "late", 82*ms) // nothing is lost by it
	})
}

func TestCloseSaysEverything(t *testing.T) {
	over(t, Class{RTT: 100 * ms}, func(t *testing.T, near *conn, far net.Conn) {
		began := time.Now()
		send(t, near, "bye")
		ended := make(chan error)
		go func() { _, err := near.Read(make([]byte, 1)); ended <- err }()
		synctest.Wait()
		if err := near.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) || time.Since(began) != 0 {
			t.Errorf("the reader ended with %v after %s", err, time.Since(began))
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("writing after the end: %v", err)
		}
		says(t, far, began, "bye", 50*ms)
		if n, err := far.Read(make([]byte, 1)); err != io.EOF || time.Since(began) != 50*ms { //nolint:errorlint // it is this one
			t.Errorf("the far end read %d, %v after %s", n, err, time.Since(began))
		}
	})
}

func TestFarEndCloses(t *testing.T) {
	over(t, Class{RTT: 100 * ms}, func(t *testing.T, near *conn, far net.Conn) {
		began := time.Now()
		go func() { send(t, far, "bye"); _ = far.Close() }()
		says(t, near, began, "bye", 50*ms)
		for range 2 {
			if n, err := near.Read(make([]byte, 1)); err != io.EOF || time.Since(began) != 50*ms { //nolint:errorlint // it is this one
				t.Errorf("read %d, %v after %s", n, err, time.Since(began))
			}
		}
	})
}

func TestSilence(t *testing.T) {
	c := Class{RTT: 100 * ms, DropEvery: 10 * time.Second, DropFor: 4 * time.Second}
	over(t, c, func(t *testing.T, near *conn, far net.Conn) {
		quiet := near.down.line.drops
		time.Sleep((2*quiet.every - quiet.phase - quiet.silent) % quiet.every) // it begins
		began := time.Now()
		send(t, near, "up")
		go send(t, far, "down")
		heard := make(chan bool)
		go func() { says(t, near, began, "down", 4*time.Second); close(heard) }()
		says(t, far, began, "up", 4*time.Second)
		<-heard
	})
}

func TestCut(t *testing.T) {
	over(t, Class{RTT: 100 * ms, DropEvery: 10 * time.Second}, func(t *testing.T, near *conn, far net.Conn) {
		began, cut := time.Now(), time.Until(near.cut)
		if cut <= 0 || cut > 10*time.Second {
			t.Fatalf("it is cut after %s", cut)
		}
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) || time.Since(began) != cut {
			t.Errorf("reading ended with %v after %s, want %s", err, time.Since(began), cut)
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("writing: %v", err)
		}
		if _, err := far.Read(make([]byte, 1)); err != io.EOF { //nolint:errorlint // it is this one
			t.Errorf("the far end read %v", err)
		}
	})
}

// Many bytes both ways at once, over the worst of lines, are the same bytes.
func TestNothingIsChanged(t *testing.T) {
	c := Class{RTT: 80 * ms, Jitter: 70 * ms, Loss: 0.1, Down: 100_000, Up: 50_000, DropEvery: 3 * time.Second, DropFor: time.Second}
	over(t, c, func(t *testing.T, near *conn, far net.Conn) {
		data := make([]byte, 300_000)
		random := rand.New(rand.NewPCG(1, 2))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		passes := func(from, to net.Conn, done chan<- bool) {
			go func() {
				for rest := data; len(rest) > 0; {
					n := min(len(rest), 1+rand.IntN(5000))
					send(t, from, string(rest[:n]))
					rest = rest[n:]
				}
			}()
			got := make([]byte, len(data))
			_, err := io.ReadFull(to, got)
			done <- err == nil && bytes.Equal(got, data)
		}
		done := make(chan bool)
		go passes(near, far, done)
		go passes(far, near, done)
		if a, b := <-done, <-done; !a || !b {
			t.Error("other bytes came out than went in")
		}
	})
}

// A crowd of idle connections has no goroutines, and keeps nothing of what has passed.
func TestIdleIsCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		var all []*conn
		for i := range 100 {
			a, far := net.Pipe()
			near := wrap(a, Class{RTT: 100 * ms, Jitter: ms, DropEvery: time.Hour, DropFor: time.Second}, uint64(i))
			all = append(all, near)
			send(t, near, "ping")
			if _, err := io.ReadFull(far, make([]byte, 4)); err != nil {
				t.Fatal(err)
			}
			go send(t, far, "pong")
			if _, err := io.ReadFull(near, make([]byte, 4)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d goroutines, there were %d", n, before)
		}
		for _, n := range all {
			if n.up.under.list != nil || n.down.under.list != nil || n.up.timer.Stop() {
				t.Error("an idle connection keeps something")
			}
			_ = n.Close()
		}
	})
}
