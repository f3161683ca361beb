package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/catraca/catraca/config/strict"
)

// Override is a value from the command line.
type Override struct{ Path, Value string }

// Loaded is a configuration that knows where its values come from.
type Loaded struct {
	Config Config
	File   string // empty: none
	doc    *strict.Document
	above  map[string]string // path: the variable or flag that set it
}

// Load reads the file at path over the defaults, the environment over the file and the flags over both, and validates
// the whole. An empty path is an empty file. The error names as many mistakes as can be found at once; with a method
// Detail it shows them in the file's lines.
func Load(path string, lookup func(string) (string, bool), flags ...Override) (Config, error) {
	l, err := Read(path, lookup, flags...)
	if err != nil {
		return Default(), err
	}
	return l.Config, l.Validate()
}

// Read is Load without the validation: only the values themselves have to fit.
func Read(path string, lookup func(string) (string, bool), flags ...Override) (*Loaded, error) {
	l := &Loaded{Config: Default(), File: path, above: map[string]string{}}
	var errs []error
	if path != "" {
		data, err := readFile(path)
		if err != nil {
			return nil, err
		}
		if l.doc, err = strict.Read(path, data, &l.Config); err != nil {
			errs = append(errs, err)
		}
	}
	all := keys(&l.Config)
	for _, k := range all {
		text, ok := lookup(k.Env())
		if !ok {
			continue
		}
		if err := k.set(text); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", k.Env(), err))
		}
		l.above[k.Path] = k.Env()
	}
	for _, f := range flags {
		i := slices.IndexFunc(all, func(k Key) bool { return k.Path == f.Path })
		if i < 0 {
			errs = append(errs, unknownFlag(f.Path, all))
			continue
		}
		if err := all[i].set(f.Value); err != nil {
			errs = append(errs, fmt.Errorf("--set %s: %w", f.Path, err))
		}
		l.above[f.Path] = "--set"
	}
	if len(errs) > 0 {
		return nil, &InvalidError{errs}
	}
	return l, nil
}

func unknownFlag(path string, all []Key) error {
	known := make([]string, len(all))
	for i := range all {
		known[i] = all[i].Path
	}
	return &strict.Error{File: "--set", Message: fmt.Sprintf("unknown key %q", path), Suggestion: strict.Nearest(path, known)}
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, strict.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return data, nil
}

// Origin says where the value of a path comes from: a flag, a variable, the file, or the default.
func (l *Loaded) Origin(path string) string {
	switch {
	case l.above[path] != "":
		return l.above[path]
	case l.doc.Has(path):
		return l.File
	default:
		return "default"
	}
}

// Validate checks the whole configuration and shows each mistake where it was made.
func (l *Loaded) Validate() error {
	var problems FieldErrors
	if !errors.As(l.Config.Validate(), &problems) {
		return nil
	}
	errs := make([]error, len(problems))
	for i, p := range problems {
		from := l.above[p.Path]
		switch {
		case from == "--set":
			errs[i] = fmt.Errorf("--set %s: %s", p.Path, p.Message)
		case from != "":
			errs[i] = fmt.Errorf("%s: %s", from, p.Message)
		default:
			errs[i] = l.doc.Errorf(p.Path, "%s", p.Message)
		}
	}
	return &InvalidError{errs}
}

// Digest tells configurations apart: nodes of a cluster with the same one differ in nothing.
func (l *Loaded) Digest() string {
	h := sha256.New()
	for _, k := range keys(&l.Config) {
		_, _ = fmt.Fprintf(h, "%s=%v\n", k.Path, k.value.Interface()) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}
