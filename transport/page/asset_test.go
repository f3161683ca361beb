package page

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func TestAssetsAreHashedAndCompressed(t *testing.T) {
	h, err := newHandler(Options{API: newWorld()})
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`^[a-z_]+\.[0-9a-f]{10}\.(js|css|svg)$`)
	for plain, to := range h.fixed.names {
		if !name.MatchString(to) {
			t.Errorf("%s is served as %s", plain, to)
		}
		r := fetch(t, h, "/assets/"+to, false, "en")
		if r.StatusCode != 200 || r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || r.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %d %v", to, r.StatusCode, r.Header)
		}
		if r.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s is not compressed", to)
			continue
		}
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(z)
		if err != nil || string(raw) != plainBody(t, h, "/assets/"+to, false, "en") {
			t.Errorf("%s: compressed and plain differ (%v)", to, err)
		}
	}
	gone := fetch(t, h, "/assets/queue.0000000000.js", false, "en")
	if gone.StatusCode != http.StatusNotFound || gone.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("an unknown asset: %d, %s", gone.StatusCode, gone.Header.Get("Cache-Control"))
	}
}

// TestModulesImportHashedNames: whatever a module imports is served, so a page of any release fits together.
func TestModulesImportHashedNames(t *testing.T) {
	b := loaded(t)
	imports := regexp.MustCompile(`from "\./([^"]+)"`)
	for _, m := range b.modules {
		source := string(b.assets[b.names[m.name]].plain)
		found := imports.FindAllStringSubmatch(source, -1)
		if len(found) != len(m.imports) {
			t.Errorf("%s imports %d modules, %d were understood", m.name, len(found), len(m.imports))
		}
		for _, f := range found {
			if b.assets[f[1]] == nil {
				t.Errorf("%s imports %s, which is not served", m.name, f[1])
			}
		}
	}
	if got, want := strings.Join(b.needs("queue.js"), " "), "say.js clock.js live.js place.js queue.js"; got != want {
		t.Errorf("queue.js needs %s, want %s", got, want)
	}
}

// TestScriptsSurviveSlimming: indentation and whole comment lines are dropped, so no template literal spans lines.
func TestScriptsSurviveSlimming(t *testing.T) {
	for file, text := range sources(t, "files/js") {
		for i, l := range strings.Split(text, "\n") {
			if strings.Count(l, "`")%2 != 0 {
				t.Errorf("%s:%d: a template literal over several lines", file, i+1)
			}
			if strings.Contains(l, "/*") {
				t.Errorf("%s:%d: a block comment; only // comments are dropped", file, i+1)
			}
		}
	}
}

// files is the embedded folder with some files replaced.
func files(t *testing.T, change map[string]string) fs.FS {
	t.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS("files"), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(os.DirFS("files"), p)
		out[p] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for p, s := range change {
		out[p] = &fstest.MapFile{Data: []byte(s)}
	}
	return out
}

func TestBrokenFilesAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ file, content, want string }{
		"template":       {"html/queue.html", `{{define "main"}}{{if}}`, "html/queue.html"},
		"text":           {"text/es.json", `{"a": 1}`, "texts of es"},
		"plural":         {"text/en.json", `{"a": {"few": "x", "other": "y"}}`, `plural form "few"`},
		"plural other":   {"text/en.json", `{"a": {"one": "x"}}`, "other is missing"},
		"missing import": {"js/place.js", `import { x } from "./nothing.js";`, "nothing.js"},
		"circle":         {"js/place.js", `import { x } from "./queue.js";`, "circle"},
	} {
		_, err := New(Options{API: newWorld(), Files: files(t, map[string]string{c.file: c.content})})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, c.want)
		}
	}
}

func TestLiveEditing(t *testing.T) {
	live := files(t, nil).(fstest.MapFS)
	h, err := New(Options{API: newWorld(), Files: live})
	if err != nil {
		t.Fatal(err)
	}
	live["html/help.html"] = &fstest.MapFile{Data: []byte(`{{define "main"}}<h1>edited</h1>{{end}}`)}
	r := fetch(t, h, "/help", false, "en")
	if r.Header.Get("Cache-Control") != "no-store" || !strings.Contains(plainBody(t, h, "/help", false, "en"), "<h1>edited</h1>") {
		t.Error("an edited file is not shown at once")
	}
}
