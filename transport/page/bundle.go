package page

import (
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
)

// bundle is everything read from files: texts, hashed assets and one template per language and screen.
// It is immutable once loaded.
type bundle struct {
	tongues map[string]*tongue
	assets  map[string]*asset // by hashed name
	names   map[string]string // plain name -> hashed name
	modules map[string]*module
	screens map[string]*template.Template // tag + "/" + screen
}

func loadBundle(files fs.FS) (*bundle, error) {
	b := &bundle{
		tongues: map[string]*tongue{},
		assets:  map[string]*asset{},
		names:   map[string]string{},
		modules: map[string]*module{},
		screens: map[string]*template.Template{},
	}
	for _, tag := range tags() {
		l, err := loadTongue(files, tag)
		if err != nil {
			return nil, err
		}
		b.tongues[tag] = l
	}
	if err := b.loadAssets(files); err != nil {
		return nil, err
	}
	if err := b.loadModules(files); err != nil {
		return nil, err
	}
	return b, b.loadScreens(files)
}

// loadScreens parses layout.html and part_*.html with each screen's own file, once per language.
func (b *bundle) loadScreens(files fs.FS) error {
	all, err := fs.Glob(files, "html/*.html")
	if err != nil {
		return fmt.Errorf("list templates: %w", err)
	}
	var shared, own []string
	for _, f := range all {
		if name := path.Base(f); name == "layout.html" || strings.HasPrefix(name, "part_") {
			shared = append(shared, f)
		} else {
			own = append(own, f)
		}
	}
	if len(shared) == 0 || len(own) == 0 {
		return fmt.Errorf("list templates: html/layout.html or screens are missing")
	}
	for _, l := range b.tongues {
		base, err := template.New("layout.html").Funcs(b.funcs(l)).ParseFS(files, shared...)
		if err != nil {
			return fmt.Errorf("parse layout: %w", err)
		}
		for _, f := range own {
			t, err := base.Clone()
			if err == nil {
				t, err = t.ParseFS(files, f)
			}
			if err != nil {
				return fmt.Errorf("parse %s: %w", f, err)
			}
			b.screens[l.tag+"/"+strings.TrimSuffix(path.Base(f), ".html")] = t
		}
	}
	return nil
}

// funcs are what templates may call, bound to a language.
func (b *bundle) funcs(l *tongue) template.FuncMap {
	return template.FuncMap{
		"t":         l.T,
		"has":       l.Has,
		"num":       l.Number,
		"money":     l.Money,
		"day":       l.Day,
		"clock":     l.Clock,
		"wait":      l.Wait,
		"left":      func(t, now instant) string { return Clockface(left(t, now)) },
		"span":      func(t, now instant) string { return l.Span(left(t, now)) },
		"faces":     faces,
		"fees":      fees,
		"asset":     func(name string) string { return "/assets/" + b.names[name] },
		"digits":    func(n int64) []string { return strings.Split(l.Number(max(n, 0)), "") },
		"digit":     func(s string) bool { return s >= "0" && s <= "9" },
		"languages": func() []*tongue { return b.ordered() },
		"join":      func(a, b string) string { return a + b },
		"until":     func(n int) []int { return upTo(n) },
		"dict":      dict,
	}
}

func (b *bundle) ordered() []*tongue {
	var ls []*tongue
	for _, tag := range tags() {
		ls = append(ls, b.tongues[tag])
	}
	return ls
}

// Tag and Name are for the language menu.
func (l *tongue) Tag() string { return l.tag }

// Name is the language's own name.
func (l *tongue) Name() string { return l.T("lang.name") }

// upTo is 1..n, for a choice of how many.
func upTo(n int) []int {
	n = min(max(n, 1), 50)
	list := make([]int, n)
	for i := range list {
		list[i] = i + 1
	}
	return list
}

// dict lets a template hand several named values to a part.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict: %d values, want pairs", len(pairs))
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: name %v is not a string", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}
