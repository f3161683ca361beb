package drive

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// Bounds of a call.
const (
	maxAnswer = 64 << 20
	callTime  = 30 * time.Second
	maxTries  = 20
)

// caller asks one server as its administrator.
type caller struct {
	base, token string
	http        *http.Client
}

func newCaller(base, token string) *caller {
	return &caller{base: base, token: token, http: &http.Client{
		Timeout: callTime, Transport: &http.Transport{MaxIdleConnsPerHost: 16, MaxConnsPerHost: 16, IdleConnTimeout: 30 * time.Second},
	}}
}

func (c *caller) close() { c.http.CloseIdleConnections() }

// refusedError is an answer that says no.
type refusedError struct {
	status  int
	problem wire.Problem
}

func (e *refusedError) Error() string {
	return fmt.Sprintf("the server answered %d %s %s %s", e.status, e.problem.Code, e.problem.Title, e.problem.Detail)
}

// call does one thing. A server that is busy or away is asked again, with the same key, for some time.
func (c *caller) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write request: %w", err)
	}
	kind := "application/json"
	if text, ok := in.(file); ok {
		body, kind = []byte(text), "application/yaml"
	}
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails
	key := hex.EncodeToString(raw)
	for try := 1; ; try++ {
		err := c.once(ctx, method, path, kind, key, body, out)
		var no *refusedError
		again := err != nil && (!errors.As(err, &no) || no.status >= http.StatusInternalServerError || no.status == http.StatusTooManyRequests)
		if !again || try == maxTries || ctx.Err() != nil {
			return err
		}
		wait := 250 * time.Millisecond
		if no != nil && no.problem.RetryAfter > 0 {
			wait = min(time.Duration(no.problem.RetryAfter)*time.Millisecond, 5*time.Second)
		}
		if !pause(ctx, wait) {
			return err
		}
	}
}

// file is a body that is sent as it is.
type file string

func (c *caller) once(ctx context.Context, method, path, kind, key string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	req.Header.Set("Accept-Language", "en")
	if method != http.MethodGet {
		req.Header.Set("Content-Type", kind)
		if key != "" {
			req.Header.Set("Idempotency-Key", key)
		}
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("call the server: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // read to its end or given up
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		e := &refusedError{status: res.StatusCode}
		_ = json.Unmarshal(data, &e.problem) // another server's page has no problem in it
		return e
	}
	if out == nil || len(data) == 0 {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	return nil
}

// pause waits; false: the context has ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
