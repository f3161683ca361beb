// Package strict reads YAML (and JSON, which is YAML) without forgiving: an unknown key, a repeated key or a value
// of the wrong kind is an error that names file, line and column, shows the line with a caret, and suggests the key
// that was probably meant.
package strict

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"
)

// MaxBytes of a file.
const MaxBytes = 1 << 20

// Error says where a file is wrong.
type Error struct {
	File         string
	Line, Column int // from 1; 0 when the whole file is meant
	Message      string
	Suggestion   string // what was probably meant, or empty
	Source       string // the line
}

// Error is one line; Detail adds the source.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": " + e.Message)
	if e.Suggestion != "" {
		fmt.Fprintf(&b, ", did you mean %q?", e.Suggestion)
	}
	return b.String()
}

// Detail is the error with the line and a caret under the place.
func (e *Error) Detail() string {
	if e.Line == 0 || e.Source == "" {
		return e.Error()
	}
	caret := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, e.Source[:min(max(e.Column-1, 0), len(e.Source))])
	return fmt.Sprintf("%s\n  %s\n  %s^", e.Error(), e.Source, caret)
}

// Decode reads data into v, a pointer to a struct with yaml tags. name is the file's, for messages.
func Decode(name string, data []byte, v any) error {
	if len(data) > MaxBytes {
		return &Error{File: name, Message: fmt.Sprintf("the file has %d bytes, allowed are %d", len(data), MaxBytes)}
	}
	err := safely(func() error {
		return yaml.UnmarshalWithOptions(data, v, yaml.Strict())
	})
	if err == nil {
		return nil
	}
	return explain(name, data, v, err)
}

// safely turns a panic of the parser on hostile input into an error.
func safely(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("the file is not valid YAML")
		}
	}()
	return do()
}

func explain(name string, data []byte, v any, err error) error {
	out := &Error{File: name}
	var unknown *yaml.UnknownFieldError
	var duplicate *yaml.DuplicateKeyError
	var wrong *yaml.TypeError
	var syntax *yaml.SyntaxError
	var overflow *yaml.OverflowError
	switch {
	case errors.As(err, &unknown):
		out.at(data, unknown.Token)
		key := ""
		if unknown.Token != nil {
			key = unknown.Token.Value
		}
		out.Message = fmt.Sprintf("unknown key %q", key)
		out.Suggestion = nearest(key, keys(reflect.TypeOf(v), nil))
	case errors.As(err, &duplicate):
		out.at(data, duplicate.Token)
		out.Message = "this key stands here twice"
	case errors.As(err, &wrong):
		out.at(data, wrong.Token)
		out.Message = fmt.Sprintf("a %s does not fit here, allowed is a %s", kind(wrong.SrcType), kind(wrong.DstType))
	case errors.As(err, &overflow):
		out.at(data, overflow.Token)
		out.Message = fmt.Sprintf("%s is too large for a %s", overflow.SrcNum, kind(overflow.DstType))
	case errors.As(err, &syntax):
		out.at(data, syntax.Token)
		out.Message = firstLine(syntax.Message)
	default:
		var field *FieldError
		if errors.As(err, &field) {
			out.find(data, field.Value)
			out.Message = field.Message
		} else {
			out.Message = firstLine(err.Error())
		}
	}
	return out
}

// FieldError is what an UnmarshalYAML of a value returns: Value as written, and what is allowed.
type FieldError struct{ Value, Message string }

func (e *FieldError) Error() string { return e.Message }

func (e *Error) at(data []byte, t *token.Token) {
	if t == nil || t.Position == nil {
		return
	}
	e.Line, e.Column = t.Position.Line, t.Position.Column
	e.source(data)
}

// find looks for a value as written when the parser no longer knows where it stood.
func (e *Error) find(data []byte, value string) {
	if value == "" {
		return
	}
	for i, line := range strings.Split(string(data), "\n") {
		if at := strings.Index(line, value); at >= 0 {
			e.Line, e.Column = i+1, at+1
			e.source(data)
			return
		}
	}
}

func (e *Error) source(data []byte) {
	lines := strings.Split(string(data), "\n")
	if e.Line-1 < len(lines) {
		e.Source = strings.TrimRight(lines[e.Line-1], "\r")
	}
	if len(e.Source) > 160 {
		e.Source = ""
	}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

func kind(t reflect.Type) string {
	if t == nil {
		return "value"
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if t.String() == "time.Duration" {
			return "duration like 10m or 90s"
		}
		return "whole number"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "list"
	case reflect.Map, reflect.Struct:
		return "mapping"
	default:
		return "value"
	}
}

// keys collects every key a type knows, at any depth.
func keys(t reflect.Type, seen []reflect.Type) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || slices.Contains(seen, t) {
		return nil
	}
	seen = append(seen, t)
	var out []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			out = append(out, name)
		}
		out = append(out, keys(t.Field(i).Type, seen)...)
	}
	return out
}

// nearest returns the known key closest to one that is not, if it is close enough to be meant.
func nearest(key string, known []string) string {
	best, bestDistance := "", 1+len(key)/2
	for _, k := range known {
		if d := distance(key, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	if bestDistance > 3 {
		return ""
	}
	return best
}

// distance is the number of letters to insert, drop or change (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
