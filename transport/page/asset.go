package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// asset is one file served under its hashed name, compressed once at start.
type asset struct {
	kind  string // Content-Type
	plain []byte
	gz    []byte // nil when compressing does not pay
}

// compress is gzip at its best, or nil when the result is not smaller.
func compress(plain []byte) []byte {
	z, err := gzip.NewWriterLevel(nil, gzip.BestCompression)
	if err != nil {
		return nil
	}
	return compressWith(z, plain)
}

func compressWith(z *gzip.Writer, plain []byte) []byte {
	var buf bytes.Buffer
	z.Reset(&buf)
	if _, err := z.Write(plain); err != nil || z.Close() != nil || buf.Len() >= len(plain) {
		return nil
	}
	return buf.Bytes()
}

// hashed puts 10 digits of the content's hash before the extension: queue.js -> queue.1f3a….js.
func hashed(name string, content []byte) string {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:5]) + ext
}

func (b *bundle) addAsset(name, kind string, content []byte) {
	to := hashed(name, content)
	b.names[name] = to
	b.assets[to] = &asset{kind: kind, plain: content, gz: compress(content)}
}

// loadAssets takes the style sheets and the icon; scripts follow in loadModules.
func (b *bundle) loadAssets(files fs.FS) error {
	sheets, err := fs.Glob(files, "css/*.css")
	if err != nil {
		return fmt.Errorf("list styles: %w", err)
	}
	for _, f := range sheets {
		raw, err := fs.ReadFile(files, f)
		if err != nil {
			return fmt.Errorf("read style: %w", err)
		}
		b.addAsset(path.Base(f), "text/css; charset=utf-8", slimStyle(raw))
	}
	icon, err := fs.ReadFile(files, "icon.svg")
	if err != nil {
		return fmt.Errorf("read icon: %w", err)
	}
	b.addAsset("icon.svg", "image/svg+xml", icon)
	return nil
}

// slimStyle drops indentation, empty lines and comments that stand on lines of their own.
func slimStyle(raw []byte) []byte {
	var out bytes.Buffer
	comment := false
	for l := range strings.Lines(string(raw)) {
		l = strings.TrimSpace(l)
		if comment || strings.HasPrefix(l, "/*") {
			comment = !strings.HasSuffix(l, "*/")
			continue
		}
		if l != "" {
			out.WriteString(l)
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

// asset serves one hashed file. The name changes with the content, so browsers may keep it for ever.
func (h *Handler) asset(w http.ResponseWriter, r *http.Request) {
	b, err := h.bundle()
	if err != nil {
		h.log.Error("read files", "error", err)
		http.Error(w, "files are broken", http.StatusInternalServerError)
		return
	}
	a := b.assets[r.PathValue("name")]
	if a == nil {
		// An old page may ask for a file of the release before: never cache that answer.
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "no such asset", http.StatusNotFound)
		return
	}
	keep := "public, max-age=31536000, immutable"
	if h.fixed == nil {
		keep = "no-store"
	}
	a.serve(w, r, keep)
}

func (h *Handler) favicon(w http.ResponseWriter, r *http.Request) {
	b, err := h.bundle()
	if err != nil {
		http.Error(w, "files are broken", http.StatusInternalServerError)
		return
	}
	b.assets[b.names["icon.svg"]].serve(w, r, "public, max-age=86400")
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request, keep string) {
	hd := w.Header()
	hd.Set("Content-Type", a.kind)
	hd.Set("Cache-Control", keep)
	hd.Set("X-Content-Type-Options", "nosniff")
	hd.Set("Cross-Origin-Resource-Policy", "same-origin")
	hd.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	hd.Set("Vary", "Accept-Encoding")
	body := a.plain
	if a.gz != nil && takesGzip(r) {
		hd.Set("Content-Encoding", "gzip")
		body = a.gz
	}
	hd.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method != http.MethodHead {
		w.Write(body) //nolint:errcheck // the reader is gone, nobody to tell
	}
}

// takesGzip reads Accept-Encoding; gzip;q=0 is a refusal.
func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == "gzip" {
			q = strings.ReplaceAll(q, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}
