package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/catraca/catraca/transport/wire"
)

// requestTime bounds one try of a request. The server may wait ten seconds for the payment provider.
const requestTime = 20 * time.Second

// maxAnswer bounds what is read of one answer.
const maxAnswer = 4 << 20

// RefusedError is an answer that says no.
type RefusedError struct{ wire.Problem }

func (r *RefusedError) Error() string { return fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Detail) }

// refusal returns the code of a refusal, or "" when err is none.
func refusal(err error) wire.Code {
	if no, ok := errors.AsType[*RefusedError](err); ok {
		return no.Code
	}
	return ""
}

// final says whether an answer is the last word: everything but a lost connection and a server that asks to come back.
func final(err error) bool {
	var no *RefusedError
	if !errors.As(err, &no) {
		return err == nil
	}
	return no.Status < http.StatusInternalServerError && no.Status != http.StatusTooManyRequests
}

// request is one operation as HTTP has it.
type request struct {
	method, path string
	key          string // idempotency key; empty: none
	body         []byte
}

// retry does something until it is answered for good, as long as patience lasts.
func (v *visit) retry(ctx context.Context, do func() error) error {
	patience := v.s.Patience
	if patience == 0 {
		patience = time.Minute
	}
	until := time.Now().Add(patience)
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := do()
		if final(err) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait := pause
		var no *RefusedError
		if errors.As(err, &no) && no.RetryAfter > 0 {
			wait = time.Duration(no.RetryAfter) * time.Millisecond
		}
		if time.Now().Add(wait).After(until) {
			return err
		}
		v.f.Journal.retried()
		if err := sleep(ctx, wait/2+rand.N(wait)); err != nil {
			return err
		}
	}
}

// send does a request once. A refusal is a *[RefusedError]; any other error means that the outcome is not known.
func (f *Fan) send(ctx context.Context, r request, out any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, f.Base+"/api/v1"+r.path, bytes.NewReader(r.body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+f.Token)
	req.Header.Set("Content-Type", "application/json")
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	res, err := f.Client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // read to the end or given up
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return err
	}
	plain := !strings.Contains(res.Header.Get("Content-Type"), "json") // a balancer's own page
	return answered(res.StatusCode, b, plain, out)
}

// answered decodes an answer of either carrier.
func answered(status int, body []byte, plain bool, out any) error {
	if status >= http.StatusBadRequest {
		no := &RefusedError{}
		if plain || json.Unmarshal(body, &no.Problem) != nil {
			no.Code = wire.Unavailable
		}
		no.Status = status
		return no
	}
	if out == nil || len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return &RefusedError{wire.Problem{Status: status, Code: wire.Internal, Detail: fmt.Sprintf("the answer cannot be read: %v", err)}}
	}
	return nil
}

func newKey() string { return fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()) }

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
