package throttle

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"
)

func epoch() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func TestBurstThenRate(t *testing.T) {
	l := New(Rate{Count: 5, Per: time.Minute}, 100)
	now := epoch()
	for i := range 5 {
		if wait, ok := l.Allow("a", now); !ok || wait != 0 {
			t.Fatalf("try %d: %v, %v", i+1, wait, ok)
		}
	}
	for range 3 { // refused tries don't push the time away
		if wait, ok := l.Allow("a", now); ok || wait != 12*time.Second {
			t.Fatalf("sixth try: %v, %v, want to wait 12s", wait, ok)
		}
	}
	if _, ok := l.Allow("b", now); !ok {
		t.Fatal("another key is limited too")
	}
	if wait, ok := l.Allow("a", now.Add(11*time.Second)); ok || wait != time.Second {
		t.Fatalf("after 11s: %v, %v", wait, ok)
	}
	if _, ok := l.Allow("a", now.Add(12*time.Second)); !ok {
		t.Fatal("refused after the wait it was told")
	}
	if _, ok := l.Allow("a", now.Add(12*time.Second)); ok {
		t.Fatal("two tries after one try's wait")
	}
}

func TestClockSetBack(t *testing.T) {
	l := New(Rate{Count: 5, Per: time.Minute}, 100)
	for range 5 {
		l.Allow("a", epoch())
	}
	back := epoch().Add(-24 * time.Hour)
	wait, ok := l.Allow("a", back)
	if ok || wait > time.Minute {
		t.Fatalf("a day back: %v, %v, want a wait of a minute at most", wait, ok)
	}
}

func TestMemoryIsBoundedAndTheOldestGoes(t *testing.T) {
	for _, size := range []int{1, 16, 32, 160} {
		l := New(Rate{Count: 1, Per: time.Hour}, size)
		for i := range 5000 {
			if _, ok := l.Allow(fmt.Sprint("key", i), epoch()); !ok {
				t.Fatalf("size %d: first try of key %d refused", size, i)
			}
		}
		if want := max(size/shardCount, 1) * shardCount; l.Len() != want {
			t.Errorf("size %d: %d keys kept, want %d", size, l.Len(), want)
		}
		if _, ok := l.Allow("key4999", epoch()); ok {
			t.Errorf("size %d: the newest key was forgotten", size)
		}
		if _, ok := l.Allow("key0", epoch()); !ok {
			t.Errorf("size %d: the oldest key was remembered", size)
		}
	}
}

// The limiter of one shard against a plain list of keys in the order they were last asked for.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 6).Draw(t, "count")
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		l := New(Rate{Count: count, Per: time.Minute}, 0)
		for i := range l.shards {
			l.shards[i].limit = limit
		}
		keys := oneShard(l, 8)
		type known struct {
			key   string
			tries []time.Time // allowed ones, newest last
		}
		var model []known
		now := epoch()
		for range rapid.IntRange(1, 200).Draw(t, "tries") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			key := rapid.SampledFrom(keys).Draw(t, "key")
			m := known{key: key}
			for i := range model {
				if model[i].key == key {
					m = model[i]
					model = append(model[:i], model[i+1:]...)
					break
				}
			}
			// Allowed when every run of tries that ends now keeps within count + rate × its time.
			every := time.Minute / time.Duration(count)
			want := true
			for i := range m.tries {
				run := len(m.tries) - i + 1
				if now.Sub(m.tries[i]) < every*time.Duration(run-count) {
					want = false
				}
			}
			wait, ok := l.Allow(key, now)
			if ok != want || ok != (wait == 0) {
				t.Fatalf("%s at %v: %v, %v, want %v", key, now.Sub(epoch()), wait, ok, want)
			}
			if ok {
				m.tries = append(m.tries, now)
			}
			model = append(model, m)
			if len(model) > limit {
				model = model[1:]
			}
		}
	})
}

// oneShard finds keys that live in one shard.
func oneShard(l *Limiter, n int) []string {
	by := map[*shard][]string{}
	for i := 0; ; i++ {
		key := fmt.Sprint("k", i)
		s := &l.shards[l.hash(key)%shardCount]
		if by[s] = append(by[s], key); len(by[s]) == n {
			return by[s]
		}
	}
}

func TestManyGoroutines(t *testing.T) {
	l := New(Rate{Count: 50, Per: time.Hour}, 1000)
	var wg sync.WaitGroup
	var allowed atomic.Int32
	for range 8 {
		wg.Go(func() {
			for i := range 400 {
				if _, ok := l.Allow("shared", epoch()); ok {
					allowed.Add(1)
				}
				l.Allow(fmt.Sprint(i), epoch())
			}
		})
	}
	wg.Wait()
	if n := allowed.Load(); n != 50 {
		t.Errorf("%d tries allowed, want 50", n)
	}
}

func TestSignIn(t *testing.T) {
	reg := prometheus.NewRegistry()
	s := NewSignIn(Limits{}, reg)
	from := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}) }
	for i := range 5 {
		if _, ok := s.Allow("ana@example.org", from(i), epoch()); !ok {
			t.Fatalf("try %d for the account refused", i+1)
		}
	}
	if wait, ok := s.Allow("ana@example.org", from(9), epoch()); ok || wait != 12*time.Second {
		t.Fatalf("sixth try for the account: %v, %v", wait, ok)
	}
	for i := range 20 {
		if _, ok := s.Allow(fmt.Sprint("fan", i), from(77), epoch()); !ok {
			t.Fatalf("try %d from the address refused", i+1)
		}
	}
	if wait, ok := s.Allow("fan99", from(77), epoch()); ok || wait != 3*time.Second {
		t.Fatalf("21st try from the address: %v, %v", wait, ok)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range families[0].GetMetric() {
		if m.GetCounter().GetValue() != 1 {
			t.Errorf("%v is not 1", m)
		}
	}
}

func TestAddressKey(t *testing.T) {
	for _, tt := range []struct{ a, b string }{
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"fe80::1%eth0", "fe80::2"},
	} {
		if x, y := AddressKey(netip.MustParseAddr(tt.a)), AddressKey(netip.MustParseAddr(tt.b)); x != y {
			t.Errorf("%s and %s: %s and %s, want one key", tt.a, tt.b, x, y)
		}
	}
	for _, tt := range []struct{ a, b string }{
		{"2001:db8:1:2::1", "2001:db8:1:3::1"},
		{"192.0.2.1", "192.0.2.2"},
	} {
		if x, y := AddressKey(netip.MustParseAddr(tt.a)), AddressKey(netip.MustParseAddr(tt.b)); x == y {
			t.Errorf("%s and %s share key %s", tt.a, tt.b, x)
		}
	}
	if AddressKey(netip.Addr{}) == "" {
		t.Error("an invalid address has no key")
	}
}

func BenchmarkAllow(b *testing.B) {
	l := New(Rate{Count: 5, Per: time.Minute}, 1<<16)
	keys := make([]string, 1<<17)
	for i := range keys {
		keys[i] = fmt.Sprint("fan", i, "@example.org")
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		l.Allow(keys[i&(len(keys)-1)], epoch())
		i++
	}
}
