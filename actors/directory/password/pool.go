package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	mathrand "math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// BusyError refuses a hash because those that wait already take too long. Nothing was done.
type BusyError struct{ RetryAfter time.Duration }

func (e *BusyError) Error() string {
	return fmt.Sprintf("too many passwords are being checked, try again in %v", e.RetryAfter)
}

// firstGuess is the time of one hash until one was measured.
const firstGuess = 30 * time.Millisecond

// Pool bounds how many hashes run and how long they wait. Its methods may be called from any goroutine; a hash
// runs on its caller's goroutine, so there is nothing to close.
type Pool struct {
	workers int
	maxWait time.Duration
	slots   chan struct{}
	metrics *metrics

	mu      sync.Mutex
	waiting int           // callers in line for a slot
	running int           // callers that have one
	average time.Duration // moving average of one hash

	derive func(password, salt []byte, p params, keySize uint32) []byte
}

// NewPool returns a pool of so many workers; 0 means one fewer than there are processors, and at least 1, so that
// hashing never takes the last one. What would wait longer than maxWait is refused; 0 means 2 s. The collectors
// are registered on reg unless it is nil.
func NewPool(workers int, maxWait time.Duration, reg prometheus.Registerer) *Pool {
	if workers <= 0 {
		workers = max(runtime.GOMAXPROCS(0)-1, 1)
	}
	if maxWait <= 0 {
		maxWait = 2 * time.Second
	}
	return &Pool{
		workers: workers, maxWait: maxWait, slots: make(chan struct{}, workers), metrics: newMetrics(reg),
		average: firstGuess,
		derive: func(password, salt []byte, p params, size uint32) []byte {
			return argon2.IDKey(password, salt, p.time, p.memory, p.threads, size)
		},
	}
}

// Hash makes the PHC string of a password with a fresh salt. Errors are [*BusyError], the context's, or what
// [Check] says of the password's length.
func (p *Pool) Hash(ctx context.Context, password string) (string, error) {
	if err := checkLength(password); err != nil {
		return "", err
	}
	s := stored{params: current(), salt: make([]byte, saltSize)}
	_, _ = rand.Read(s.salt) // never fails
	key, err := p.run(ctx, "hash", password, &s, keySize)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	s.key = key
	return s.String(), nil
}

// Verify tells whether the password is the one of that PHC string, and if so whether it should be hashed anew
// because the string was made with other parameters than today's. An empty phc stands for an account that does
// not exist: the answer is no, after the same work. Errors are [*BusyError], the context's, or wrap [ErrHash].
func (p *Pool) Verify(ctx context.Context, phc, password string) (ok, rehash bool, err error) {
	s := stranger()
	exists := phc != ""
	if exists {
		if s, err = parsePHC(phc); err != nil {
			return false, false, fmt.Errorf("verify password: %w", err)
		}
	}
	if checkLength(password) != nil {
		password, exists = "", false // can't be anybody's; hash something short all the same
	}
	key, err := p.run(ctx, "verify", password, &s, uint32(len(s.key)))
	if err != nil {
		return false, false, fmt.Errorf("verify password: %w", err)
	}
	ok = subtle.ConstantTimeCompare(key, s.key) == 1 && exists
	rehash = ok && (s.params != current() || len(s.salt) != saltSize || len(s.key) != keySize)
	return ok, rehash, nil
}

// stranger is the hash that nobody has.
func stranger() stored {
	return stored{params: current(), salt: make([]byte, saltSize), key: make([]byte, keySize)}
}

// run waits for a slot and derives the key.
func (p *Pool) run(ctx context.Context, purpose, password string, s *stored, size uint32) ([]byte, error) {
	if err := p.enter(ctx); err != nil {
		return nil, err
	}
	defer func() { <-p.slots }()
	start := time.Now()
	defer func() { p.leave(purpose, time.Since(start)) }()
	return p.derive(norm.NFC.Bytes([]byte(password)), s.salt, s.params, size), nil
}

// enter takes a slot, in the order of coming, or gives up with the context.
func (p *Pool) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := p.queue(); err != nil {
		p.metrics.refused.Inc()
		return err
	}
	came := time.Now()
	var err error
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.mu.Lock()
	p.waiting--
	if err == nil {
		p.running++
	}
	p.gauge()
	p.mu.Unlock()
	if err == nil {
		p.metrics.waited.Observe(time.Since(came).Seconds())
	}
	return err
}

// queue puts the caller in line unless the line is as long as the pool works off in maxWait.
func (p *Pool) queue() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	ahead := p.waiting + p.running - p.workers + 1 // hashes to end before this one begins
	if wait := time.Duration(max(ahead, 0)) * p.average / time.Duration(p.workers); wait > p.maxWait {
		// Spread over the same time again, so that those who were refused don't come back together.
		return &BusyError{RetryAfter: wait - p.maxWait/2 + mathrand.N(p.maxWait)}
	}
	p.waiting++
	p.gauge()
	return nil
}

func (p *Pool) leave(purpose string, took time.Duration) {
	p.metrics.seconds.WithLabelValues(purpose).Observe(took.Seconds())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
	p.average += (took - p.average) / 8
	p.gauge()
}

func (p *Pool) gauge() {
	p.metrics.waiting.Set(float64(p.waiting))
	p.metrics.running.Set(float64(p.running))
}
