package password

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestHashAndVerify(t *testing.T) {
	p := NewPool(2, 0, prometheus.NewRegistry())
	phc, err := p.Hash(t.Context(), "xk7 qv2z é")
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.Hash(t.Context(), "xk7 qv2z é")
	if err != nil {
		t.Fatal(err)
	}
	if phc == again {
		t.Error("two hashes of one password are equal: no salt")
	}
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") || len(phc) != 97 {
		t.Errorf("hash has another form: %s", phc)
	}
	for _, tt := range []struct {
		name, phc, password string
		ok                  bool
	}{
		{"right", phc, "xk7 qv2z é", true},
		{"composed otherwise", phc, "xk7 qv2z e\u0301", true},
		{"wrong", phc, "xk7 qv2z e", false},
		{"empty", phc, "", false},
		{"far too long", phc, strings.Repeat("x", 1<<16), false},
		{"nobody", "", "xk7 qv2z é", false},
		{"nobody, nothing", "", "", false},
	} {
		ok, rehash, err := p.Verify(t.Context(), tt.phc, tt.password)
		if err != nil || ok != tt.ok || rehash {
			t.Errorf("%s: ok %v, rehash %v, err %v", tt.name, ok, rehash, err)
		}
	}
}

func TestVerifyAsksToRehash(t *testing.T) {
	p := NewPool(1, 0, nil)
	weak := stored{params: params{memory: 64, time: 1, threads: 1}, salt: []byte("saltsalt")}
	weak.key = p.derive([]byte("old password"), weak.salt, weak.params, 32)
	ok, rehash, err := p.Verify(t.Context(), weak.String(), "old password")
	if err != nil || !ok || !rehash {
		t.Fatalf("ok %v, rehash %v, err %v; want a yes that asks for a new hash", ok, rehash, err)
	}
	ok, rehash, err = p.Verify(t.Context(), weak.String(), "other password")
	if err != nil || ok || rehash {
		t.Fatalf("wrong password: ok %v, rehash %v, err %v", ok, rehash, err)
	}
	if _, _, err = p.Verify(t.Context(), "$argon2id$broken", "old password"); !errors.Is(err, ErrHash) {
		t.Fatalf("broken hash: %v, want %v", err, ErrHash)
	}
}

// The vector is of the reference implementation: other programs' hashes can be brought along.
func TestVerifyReferenceVector(t *testing.T) {
	p := NewPool(1, 0, nil)
	const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	ok, rehash, err := p.Verify(t.Context(), phc, "password")
	if err != nil || !ok || !rehash {
		t.Fatalf("ok %v, rehash %v, err %v", ok, rehash, err)
	}
}

func TestHashRefusesWhatVerifyCouldNotTake(t *testing.T) {
	p := NewPool(1, 0, nil)
	for _, pw := range []string{"", "short", strings.Repeat("x", 129), "abc\xffdefghij"} {
		if phc, err := p.Hash(t.Context(), pw); err == nil {
			t.Errorf("Hash(%.20q) = %s", pw, phc)
		}
	}
}

// slow makes each hash take so long of the bubble's time and counts how many run together.
func slow(p *Pool, took time.Duration) (most *atomic.Int32) {
	var now atomic.Int32
	most = new(atomic.Int32)
	p.derive = func(_, _ []byte, _ params, size uint32) []byte {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		time.Sleep(took)
		return make([]byte, size)
	}
	return most
}

// value of a metric without labels: of a counter or a gauge, or a histogram's count.
func value(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func TestPoolBoundsWorkersAndWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers, maxWait, each = 2, time.Second, firstGuess
		reg := prometheus.NewRegistry()
		p := NewPool(workers, maxWait, reg)
		most := slow(p, each)
		var wg sync.WaitGroup
		var done, busy atomic.Int32
		start := time.Now()
		for range 1000 {
			wg.Go(func() {
				_, err := p.Hash(t.Context(), "xk7 qv2z")
				var b *BusyError
				switch {
				case err == nil:
					done.Add(1)
					if d := time.Since(start); d > maxWait+2*each {
						t.Errorf("a hash ended after %v", d)
					}
				case errors.As(err, &b):
					busy.Add(1)
					if d := time.Since(start); d != 0 {
						t.Errorf("refused after %v, want at once", d)
					}
					if b.RetryAfter <= 0 || b.RetryAfter > 3*maxWait {
						t.Errorf("retry after %v", b.RetryAfter)
					}
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := most.Load(); n != workers {
			t.Errorf("%d hashes ran together, want %d", n, workers)
		}
		// A second of work for two workers at 30 ms each, and one running on each.
		if n := done.Load(); n < 66 || n > 70 || n+busy.Load() != 1000 {
			t.Errorf("%d done and %d refused of 1000", n, busy.Load())
		}
		if n := value(t, reg, "catraca_auth_hash_refused_total"); n != float64(busy.Load()) {
			t.Errorf("%v counted as refused, %d were", n, busy.Load())
		}
		if n := value(t, reg, "catraca_auth_hash_seconds"); n != float64(done.Load()) {
			t.Errorf("%v hashes measured, %d done", n, done.Load())
		}
		if w, r := value(t, reg, "catraca_auth_hash_waiting"), value(t, reg, "catraca_auth_hash_running"); w != 0 || r != 0 {
			t.Errorf("%v waiting and %v running at the end", w, r)
		}
	})
}

func TestPoolLearnsHowLongAHashTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1, time.Second, nil)
		slow(p, 400*time.Millisecond)
		for range 40 {
			if _, err := p.Hash(t.Context(), "xk7 qv2z"); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		var busy atomic.Int32
		for range 10 {
			wg.Go(func() {
				if _, err := p.Hash(t.Context(), "xk7 qv2z"); err != nil {
					busy.Add(1)
				}
			})
		}
		wg.Wait()
		if n := busy.Load(); n < 6 || n > 8 {
			t.Errorf("%d of 10 refused; a hash takes 0.4 s, so 2 or 3 fit into a second", n)
		}
	})
}

func TestGivingUpFreesThePlaceInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1, time.Second, nil)
		slow(p, 100*time.Millisecond)
		gone, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := p.Hash(t.Context(), "xk7 qv2z"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		for range 5 {
			wg.Go(func() {
				if _, err := p.Hash(gone, "xk7 qv2z"); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, want %v", err, context.Canceled)
				}
			})
		}
		synctest.Wait()
		cancel()
		wg.Wait()
		if p.waiting != 0 || p.running != 0 {
			t.Errorf("%d waiting, %d running", p.waiting, p.running)
		}
		if _, err := p.Hash(gone, "xk7 qv2z"); !errors.Is(err, context.Canceled) {
			t.Errorf("came with a dead context: %v", err)
		}
	})
}

func TestDefaults(t *testing.T) {
	p := NewPool(0, 0, nil)
	if p.workers < 1 || cap(p.slots) != p.workers || p.maxWait != 2*time.Second {
		t.Errorf("%d workers, %d slots, %v wait", p.workers, cap(p.slots), p.maxWait)
	}
}

func BenchmarkHash(b *testing.B) {
	p := NewPool(1, time.Hour, nil)
	for b.Loop() {
		if _, err := p.Hash(b.Context(), "xk7 qv2z"); err != nil {
			b.Fatal(err)
		}
	}
}
