package page

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// module is one ES module: which ones it imports and which texts it and they need.
type module struct {
	name     string
	source   string
	imports  []string // plain names, direct
	keys     []string // texts named in t("…")
	prefixes []string // text families named in t("…." + x)
}

var (
	importLine = regexp.MustCompile(`(?m)^import .*from "\./([a-z_]+\.js)";$`)
	textKey    = regexp.MustCompile(`\bt\("([a-z0-9_.]+)"(\s*\+)?`)
)

// loadModules reads js/*.js and serves each under a hashed name; an import is rewritten to the hashed name of what it
// imports, so a change anywhere changes the names of all that depend on it.
func (b *bundle) loadModules(files fs.FS) error {
	list, err := fs.Glob(files, "js/*.js")
	if err != nil {
		return fmt.Errorf("list scripts: %w", err)
	}
	for _, f := range list {
		raw, err := fs.ReadFile(files, f)
		if err != nil {
			return fmt.Errorf("read script: %w", err)
		}
		m := &module{name: path.Base(f), source: slimScript(raw)}
		for _, found := range importLine.FindAllStringSubmatch(m.source, -1) {
			m.imports = append(m.imports, found[1])
		}
		for _, found := range textKey.FindAllStringSubmatch(m.source, -1) {
			if found[2] != "" {
				m.prefixes = append(m.prefixes, found[1])
			} else {
				m.keys = append(m.keys, found[1])
			}
		}
		b.modules[m.name] = m
	}
	for _, f := range list {
		if err := b.addModule(path.Base(f), nil); err != nil {
			return err
		}
	}
	return nil
}

// addModule names the imports first. trail is the way here, to refuse a circle.
func (b *bundle) addModule(name string, trail []string) error {
	if b.names[name] != "" {
		return nil
	}
	m := b.modules[name]
	if m == nil {
		return fmt.Errorf("read script: %v imports %s, which is not there", trail, name)
	}
	if slices.Contains(trail, name) {
		return fmt.Errorf("read script: circle of imports %v", append(trail, name))
	}
	source := m.source
	for _, dep := range m.imports {
		if err := b.addModule(dep, append(trail, name)); err != nil {
			return err
		}
		source = strings.ReplaceAll(source, `from "./`+dep+`"`, `from "./`+b.names[dep]+`"`)
	}
	b.addAsset(name, "text/javascript; charset=utf-8", []byte(source))
	return nil
}

// slimScript drops indentation, empty lines and lines that are only a comment. Scripts therefore keep no template
// literal over several lines.
func slimScript(raw []byte) string {
	var out bytes.Buffer
	for l := range strings.Lines(string(raw)) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "//") {
			out.WriteString(l)
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// needs lists name and everything it imports, deepest first and each once.
func (b *bundle) needs(name string) []string {
	var list []string
	var walk func(string)
	walk = func(n string) {
		for _, dep := range b.modules[n].imports {
			walk(dep)
		}
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	if b.modules[name] != nil {
		walk(name)
	}
	return list
}

// scriptTexts are the texts a script and its imports ask for, in one language.
func (b *bundle) scriptTexts(script string, l *tongue) map[string]phrase {
	texts := map[string]phrase{}
	for _, n := range b.needs(script) {
		for _, k := range b.modules[n].keys {
			texts[k] = l.texts[k]
		}
		for _, prefix := range b.modules[n].prefixes {
			for k, p := range l.texts {
				if strings.HasPrefix(k, prefix) {
					texts[k] = p
				}
			}
		}
	}
	return texts
}
