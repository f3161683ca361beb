package mail

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:embed page/*
var pageFiles embed.FS

// inbox is the page of a sink. It reads only.
type inbox struct {
	box      *letterbox
	prefix   string
	page     *template.Template
	css, js  asset
	mux      *http.ServeMux
	tabNames []tab
}

// asset is an embedded file under a name that changes with its content.
type asset struct {
	path string
	kind string
	data []byte
}

// pagePolicy lets the inbox page load its own style, module and letters, and nothing from anywhere else.
const pagePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; " +
	"img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// letterPolicy shows a stranger's HTML: no script, no form, no picture from outside (it would tell that the letter was
// read), an origin of its own. Links open in a new window.
const letterPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; " +
	"img-src data:; font-src data:; base-uri 'self'; frame-ancestors 'self'"

func newInbox(box *letterbox, prefix string) *inbox {
	in := &inbox{box: box, prefix: strings.TrimSuffix(prefix, "/"), mux: http.NewServeMux()}
	in.page = template.Must(template.New("inbox.html").Funcs(template.FuncMap{
		"clock":  func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"moment": func(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05 UTC") },
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"join":   strings.Join,
		"size":   humanSize,
		"addr":   func() string { return in.prefix },
	}).ParseFS(pageFiles, "page/*.html"))
	in.css = in.asset("inbox.css", "text/css; charset=utf-8")
	in.js = in.asset("inbox.js", "text/javascript; charset=utf-8")
	in.tabNames = []tab{{"", "Letter"}, {"phone", "Phone"}, {"text", "Text"}, {"headers", "Headers"}}
	route := func(path string, h http.HandlerFunc) { in.mux.HandleFunc("GET "+in.prefix+path, h) }
	route("", in.serveList)
	route("/{$}", in.serveList)
	route("/{id}", in.serveMessage)
	route("/{id}/html", in.serveHTML)
	route("/{id}/source", in.serveSource)
	route("/{id}/files/{n}", in.serveFile)
	for _, a := range []asset{in.css, in.js} {
		in.mux.HandleFunc("GET "+a.path, a.serve)
	}
	route("/api/messages", in.serveAPIList)
	route("/api/messages/{id}", in.serveAPIMessage)
	return in
}

func (in *inbox) asset(name, kind string) asset {
	data, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		panic(err) // embedded: cannot be missing in a binary that was built
	}
	sum := sha256.Sum256(data)
	base, ext, _ := strings.Cut(name, ".")
	return asset{path: in.prefix + "/assets/" + base + "." + hex.EncodeToString(sum[:6]) + "." + ext, kind: kind, data: data}
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	in.mux.ServeHTTP(w, r)
}

// view is what the page shows.
type view struct {
	CSS, JS string
	To      string
	Newest  uint64
	List    []Summary
	Open    *Received
	View    string
	Tabs    []tab
	Missing bool
}

type tab struct{ Key, Name string }

func (in *inbox) view(r *http.Request) view {
	v := view{CSS: in.css.path, JS: in.js.path, To: r.FormValue("to"), Tabs: in.tabNames}
	v.List, _ = in.box.list(sentTo(v.To))
	if len(v.List) > 0 {
		v.Newest = v.List[0].ID
	}
	return v
}

// sentTo matches a part of a recipient's address; "" matches all.
func sentTo(part string) func(Summary) bool {
	part = strings.ToLower(strings.TrimSpace(part))
	return func(s Summary) bool {
		for _, to := range s.To {
			if strings.Contains(strings.ToLower(to), part) {
				return true
			}
		}
		return part == ""
	}
}

func (in *inbox) serveList(w http.ResponseWriter, r *http.Request) {
	in.write(w, http.StatusOK, in.view(r))
}

func (in *inbox) serveMessage(w http.ResponseWriter, r *http.Request) {
	v := in.view(r)
	m, ok := in.message(r)
	if !ok {
		v.Missing = true
		in.write(w, http.StatusNotFound, v)
		return
	}
	v.Open, v.View = &m, r.FormValue("view")
	if v.View == "" && m.HTML == "" {
		v.View = "text"
	}
	in.write(w, http.StatusOK, v)
}

func (in *inbox) write(w http.ResponseWriter, status int, v view) {
	var b bytes.Buffer
	if err := in.page.ExecuteTemplate(&b, "inbox.html", v); err != nil {
		http.Error(w, "the page could not be drawn", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", pagePolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the reader is gone, nothing to do
}

func (in *inbox) message(r *http.Request) (Received, bool) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil {
		return Received{}, false
	}
	kept, ok := in.box.get(id)
	if !ok {
		return Received{}, false
	}
	return open(kept), true
}

func (in *inbox) serveHTML(w http.ResponseWriter, r *http.Request) {
	m, ok := in.message(r)
	if !ok || m.HTML == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", letterPolicy)
	send(w, "text/html; charset=utf-8", []byte(newWindows(m.HTML)))
}

// newWindows makes links of a letter leave its frame.
func newWindows(html string) string {
	const base = `<base target="_blank">`
	if i := strings.Index(strings.ToLower(html), "<head>"); i >= 0 {
		i += len("<head>")
		return html[:i] + base + html[i:]
	}
	return base + html
}

func (in *inbox) serveSource(w http.ResponseWriter, r *http.Request) {
	m, ok := in.message(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	send(w, "text/plain; charset=utf-8", m.Raw)
}

func (in *inbox) serveFile(w http.ResponseWriter, r *http.Request) {
	m, ok := in.message(r)
	n, err := strconv.Atoi(r.PathValue("n"))
	if !ok || err != nil || n < 0 || n >= len(m.Attachments) {
		http.NotFound(w, r)
		return
	}
	a := m.Attachments[n]
	// A browser shows a PDF in a viewer that cannot reach this origin; everything else is only saved.
	disposition, kind := "attachment", "application/octet-stream"
	if a.Type == "application/pdf" {
		disposition, kind = "inline", a.Type
		w.Header().Del("Content-Security-Policy") // the viewer does not start under a policy of nothing
	}
	w.Header().Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": oneLine(a.Name)}))
	send(w, kind, a.Data)
}

func (a asset) serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	send(w, a.kind, a.data)
}

func (in *inbox) serveAPIList(w http.ResponseWriter, r *http.Request) {
	list, _ := in.box.list(sentTo(r.FormValue("to")))
	sendJSON(w, map[string]any{"items": list})
}

func (in *inbox) serveAPIMessage(w http.ResponseWriter, r *http.Request) {
	m, ok := in.message(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	type file struct {
		Name string `json:"name"`
		Type string `json:"type"`
		Size int    `json:"size"`
		URL  string `json:"url"`
	}
	files := make([]file, len(m.Attachments))
	for i, a := range m.Attachments {
		files[i] = file{a.Name, a.Type, len(a.Data), fmt.Sprintf("%s/%d/files/%d", in.prefix, m.ID, i)}
	}
	sendJSON(w, struct {
		Summary

		Headers []Header `json:"headers"`
		Text    string   `json:"text"`
		HTML    string   `json:"html"`
		Files   []file   `json:"files"`
	}{m.Summary, m.Headers, m.Text, m.HTML, files})
}

func sendJSON(w http.ResponseWriter, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer could not be written", http.StatusInternalServerError)
		return
	}
	send(w, "application/json", data)
}

func send(w http.ResponseWriter, kind string, data []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data) // the reader is gone, nothing to do
}

// humanSize writes bytes for people.
func humanSize(n int) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1_000_000:
		return fmt.Sprintf("%d KB", (n+500)/1000)
	}
	return fmt.Sprintf("%d.%d MB", n/1_000_000, n/100_000%10)
}
