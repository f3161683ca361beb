package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// Bounds of a call.
const (
	maxAnswer = 64 << 20 // bytes
	maxTries  = 4        // while the server is busy
	maxWait   = 5 * time.Second
)

// client calls one server's API.
type client struct {
	base  string
	token string
	http  *http.Client

	providerKey string // the payment provider's key file by the node's configuration, if that was read
}

func (c *client) trust(t *tls.Config) { c.http.Transport = &http.Transport{TLSClientConfig: t} }

// get reads an answer into v, if v is not nil, and returns it as it came.
func (c *client) get(ctx context.Context, path string, v any) ([]byte, error) {
	return c.call(ctx, http.MethodGet, path, "", nil, v)
}

// post sends v as JSON. A server that is busy is asked again; the key sees to it that the work is done once.
func (c *client) post(ctx context.Context, path string, body, v any) ([]byte, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	return c.call(ctx, http.MethodPost, path, "application/json", data, v)
}

func (c *client) call(ctx context.Context, method, path, kind string, body []byte, v any) ([]byte, error) {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails
	key := hex.EncodeToString(raw)
	for try := 1; ; try++ {
		answer, wait, err := c.once(ctx, method, path, kind, key, body)
		if err != nil && wait > 0 && try < maxTries {
			if !pause(ctx, min(wait, maxWait)) {
				return nil, ctx.Err()
			}
			continue
		}
		if err != nil || v == nil {
			return answer, err
		}
		if err := json.Unmarshal(answer, v); err != nil {
			return nil, fmt.Errorf("%s %s: the answer is not what was expected: %w", method, path, err)
		}
		return answer, nil
	}
}

// once sends a request. A wait says that it may be sent again after it.
func (c *client) once(ctx context.Context, method, path, kind, key string, body []byte) (answer []byte, wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, 0, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Accept-Language", "en")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if method != http.MethodGet {
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, 0, fmt.Errorf("call the server: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // read to its end or given up
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, 0, fmt.Errorf("read the server's answer: %w", err)
	}
	if len(data) > maxAnswer {
		return nil, 0, fmt.Errorf("read the server's answer: more than %d bytes", maxAnswer)
	}
	if res.StatusCode < 300 {
		return data, 0, nil
	}
	if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
		wait = max(time.Duration(s)*time.Second, time.Millisecond)
	}
	return nil, wait, refusal(res.StatusCode, data)
}

// refusedError is a problem that the server answered with.
type refusedError struct{ problem wire.Problem }

// refusal reads a problem; what is none keeps its status.
func refusal(status int, data []byte) error {
	e := &refusedError{}
	if err := json.Unmarshal(data, &e.problem); err != nil || e.problem.Code == "" {
		return fmt.Errorf("the server answered %d %s, and not as Catraca does: is this its address?", status, http.StatusText(status))
	}
	return e
}

// Error is one line.
func (e *refusedError) Error() string {
	text := fmt.Sprintf("the server refused: %s (%s)", e.problem.Title, e.problem.Code)
	if e.problem.Detail != "" {
		text += ": " + e.problem.Detail
	}
	return text
}

// Detail lists every field that is wrong.
func (e *refusedError) Detail() string {
	if len(e.problem.Errors) == 0 {
		return e.Error() + e.hint()
	}
	lines := []string{fmt.Sprintf("the server refused: %s (%s)", e.problem.Title, e.problem.Code)}
	for _, f := range e.problem.Errors {
		line := f.Detail
		if f.Pointer != "" && !strings.HasPrefix(f.Pointer, "/plan/") { // a plan's detail begins with its path
			line = strings.TrimPrefix(f.Pointer, "/") + ": " + line
		}
		lines = append(lines, "  "+line)
	}
	return strings.Join(lines, "\n")
}

func (e *refusedError) hint() string {
	switch e.problem.Code {
	case wire.Unauthenticated:
		return "\nIs the token right? Give --token-file, or --config on the server's machine"
	default:
		return ""
	}
}

// isRefused tells whether the server answered with a code.
func isRefused(err error, code wire.Code) bool {
	var e *refusedError
	return errors.As(err, &e) && e.problem.Code == code
}
