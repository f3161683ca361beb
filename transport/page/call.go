package page

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// maxAnswer bounds what a page takes from the API; the largest is a seating plan.
const maxAnswer = 8 << 20

// problem is a refusal of the API (RFC 9457). As an error it ends a screen and becomes a page in fail.
type problem struct {
	Code         string `json:"code"`
	Title        string `json:"title"`
	Detail       string `json:"detail"`
	Status       int    `json:"status"`
	RetryAfterMs int64  `json:"retry_after_ms"`
	Allowed      int    `json:"allowed"`
	Hold         string `json:"hold"`
	Errors       []struct {
		Pointer string `json:"pointer"`
		Code    string `json:"code"`
		Detail  string `json:"detail"`
	} `json:"errors"`
}

// Error is for the log.
func (p *problem) Error() string {
	return fmt.Sprintf("api answered %d %s: %s", p.Status, p.Code, p.Detail)
}

// is says whether err is the API's refusal with this code.
func is(err error, code string) bool {
	p, ok := errors.AsType[*problem](err)
	return ok && p.Code == code
}

// api calls the JSON API in this process as the visitor: same cookies, origin, address, language and connection.
// path is below /api/v1/. out may be nil. The error is always a *problem.
func (v *visit) api(method, path string, body, out any) error {
	a := v.ask(method, "/api/v1/"+path, body)
	for _, line := range a.header.Values("Set-Cookie") {
		v.w.Header().Add("Set-Cookie", line)
		if c, err := http.ParseSetCookie(line); err == nil {
			v.fresh = append(v.fresh, c)
		}
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if a.status >= 400 || a.full {
		return a.problem()
	}
	if out == nil || a.body.Len() == 0 {
		return nil
	}
	raw, err := a.text()
	if err == nil {
		err = json.Unmarshal(raw, out)
	}
	if err != nil {
		v.h.log.Error("read api answer", "path", path, "error", err)
		return &problem{Code: "unavailable", Status: http.StatusServiceUnavailable, Detail: err.Error()}
	}
	return nil
}

// ask carries one request to the API on this goroutine.
func (v *visit) ask(method, path string, body any) *answer {
	a := &answer{header: http.Header{}}
	var payload io.Reader = http.NoBody
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			a.status = http.StatusInternalServerError
			return a
		}
		payload = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(v.r.Context(), method, path, payload)
	if err != nil {
		a.status = http.StatusBadRequest
		return a
	}
	for _, name := range []string{
		"Cookie", "Accept-Language", "User-Agent", "Origin", "Sec-Fetch-Site",
		"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip",
	} {
		if vs := v.r.Header.Values(name); len(vs) > 0 {
			r.Header[name] = vs
		}
	}
	v.freshen(r)
	if v.lang != nil {
		r.Header.Set("Accept-Language", v.lang.tag)
	}
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if v.key != "" && method != http.MethodGet {
		r.Header.Set("Idempotency-Key", v.key)
	}
	r.Host, r.RemoteAddr, r.TLS = v.r.Host, v.r.RemoteAddr, v.r.TLS
	r.RequestURI = r.URL.RequestURI()
	v.h.opts.API.ServeHTTP(a, r)
	return a
}

// freshen lets a call that follows a sign-in within the same request use the cookie that was just given.
func (v *visit) freshen(r *http.Request) {
	if len(v.fresh) == 0 {
		return
	}
	r.Header.Del("Cookie")
	for _, c := range v.r.Cookies() {
		if !slices.ContainsFunc(v.fresh, func(f *http.Cookie) bool { return f.Name == c.Name }) {
			r.AddCookie(c)
		}
	}
	for _, c := range v.fresh {
		if c.MaxAge >= 0 {
			r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		}
	}
}

// answer keeps what the API wrote. It is used by one goroutine.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
	full   bool // more than maxAnswer came
}

// Header is the answer's header.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader keeps the first final status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
}

// Write keeps up to maxAnswer bytes.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.body.Len()+len(b) > maxAnswer {
		a.full = true
		return 0, fmt.Errorf("keep api answer: more than %d bytes", maxAnswer)
	}
	return a.body.Write(b)
}

// text is the body, uncompressed.
func (a *answer) text() ([]byte, error) {
	if !strings.EqualFold(a.header.Get("Content-Encoding"), "gzip") {
		return a.body.Bytes(), nil
	}
	z, err := gzip.NewReader(&a.body)
	if err != nil {
		return nil, fmt.Errorf("open gzip: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read gzip: %w", err)
	}
	return raw, nil
}

// problem reads the refusal; whatever cannot be read counts as the API being unavailable.
func (a *answer) problem() *problem {
	p := &problem{}
	if err := json.Unmarshal(a.body.Bytes(), p); err != nil || p.Code == "" {
		*p = problem{Code: "unavailable"}
		if a.status == http.StatusNotFound {
			p.Code = "not-found"
		}
	}
	p.Status = a.status
	if a.full || p.Status < 400 {
		p.Status = http.StatusServiceUnavailable
	}
	return p
}
