package page

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
)

// policy is the Content-Security-Policy: only this host, nothing inline. The live socket's address is named because
// older browsers do not count ws: as 'self'; a host that is not a plain one is left out.
func (h *Handler) policy(host string) string {
	connect := "'self'"
	if plainHost(host) {
		connect += " ws://" + host + " wss://" + host
	}
	form := strings.Join(append([]string{"'self'"}, h.opts.PaymentOrigins...), " ")
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src " + connect +
		"; form-action " + form + "; frame-ancestors 'none'; base-uri 'none'"
}

// protect sets the headers every page has.
func (v *visit) protect() {
	hd := v.w.Header()
	hd.Set("Content-Security-Policy", v.h.policy(v.r.Host))
	hd.Set("X-Content-Type-Options", "nosniff")
	hd.Set("X-Frame-Options", "DENY")
	hd.Set("Referrer-Policy", "same-origin")
	hd.Set("Cross-Origin-Opener-Policy", "same-origin")
	hd.Set("Cross-Origin-Resource-Policy", "same-origin")
	hd.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	if v.h.opts.Secure {
		hd.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// send writes the page. A public page of a signed-out visitor carries an ETag; all others are never stored, so that
// going back after signing out, or on a shared phone, shows nothing of anybody.
func (v *visit) send(p page, body []byte) {
	hd := v.w.Header()
	hd.Set("Content-Type", "text/html; charset=utf-8")
	hd.Set("Content-Language", v.lang.tag)
	hd.Set("Cache-Control", "no-store")
	hd.Set("Vary", "Cookie, Accept-Language, Accept-Encoding")
	if p.public && v.who == nil && p.alert.Title == "" && p.status == 0 && v.h.fixed != nil {
		sum := sha256.Sum256(body)
		tag := `W/"` + hex.EncodeToString(sum[:10]) + `"`
		hd.Set("Cache-Control", "private, no-cache")
		hd.Set("ETag", tag)
		if strings.Contains(v.r.Header.Get("If-None-Match"), tag) {
			v.w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if len(body) > 1400 && takesGzip(v.r) {
		if gz := v.h.compressPage(body); gz != nil {
			hd.Set("Content-Encoding", "gzip")
			body = gz
		}
	}
	hd.Set("Content-Length", fmt.Sprint(len(body)))
	if p.status != 0 {
		v.w.WriteHeader(p.status)
	}
	if v.r.Method != http.MethodHead {
		v.w.Write(body) //nolint:errcheck // the reader is gone, nobody to tell
	}
}

// compressPage compresses with a pooled writer: a new one for each page of a stampede would cost 800 KB a time.
func (h *Handler) compressPage(body []byte) []byte {
	z, ok := h.gzips.Get().(*gzip.Writer)
	if !ok {
		z, _ = gzip.NewWriterLevel(nil, 5) // 5 is a level
	}
	gz := compressWith(z, body)
	h.gzips.Put(z)
	return gz
}
