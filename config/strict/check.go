package strict

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// walker compares a file with the type it is to be read into.
type walker struct {
	d    *Document
	root reflect.Type
	errs Errors
}

// check walks the whole file and notes where everything stands.
func (d *Document) check(t reflect.Type) Errors {
	w := &walker{d: d, root: t}
	w.value("", d.body, t)
	return w.errs
}

func (w *walker) fault(t *token.Token, path, format string, args ...any) {
	w.tell(t, path, fmt.Sprintf(format, args...), "")
}

func (w *walker) tell(t *token.Token, path, message, suggestion string) {
	e := w.d.at(t, message)
	e.Path, e.Suggestion = path, suggestion
	if len(w.errs) < maxErrors {
		w.errs = append(w.errs, e)
	}
}

// wrong says that a value is of another kind than allowed.
func (w *walker) wrong(n ast.Node, path string, t reflect.Type) {
	w.fault(n.GetToken(), path, "a %s does not fit here, allowed is a %s", nodeKind(n), kind(t))
}

// value checks one value against the type of its field.
func (w *walker) value(path string, n ast.Node, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if n == nil {
		return
	}
	if path != "" {
		w.d.places[path] = n.GetToken()
	}
	if _, ok := n.(*ast.NullNode); ok {
		if t.Kind() != reflect.Struct && t.Kind() != reflect.Slice && t.Kind() != reflect.Map && t.Kind() != reflect.String {
			w.fault(n.GetToken(), path, "nothing stands here, allowed is a %s", kind(t))
		}
		return
	}
	_, scalar := n.(ast.ScalarNode)
	switch {
	case reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.BytesUnmarshaler]()):
		if !scalar {
			w.wrong(n, path, t)
		}
	case t == reflect.TypeFor[time.Duration]():
		w.duration(path, n, t)
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
		w.mapping(path, n, t)
	case t.Kind() == reflect.Slice:
		w.list(path, n, t)
	default:
		w.scalar(path, n, t)
	}
}

func (w *walker) duration(path string, n ast.Node, t reflect.Type) {
	s, ok := n.(*ast.StringNode)
	if !ok {
		if i, whole := n.(*ast.IntegerNode); !whole || i.GetToken().Value != "0" {
			w.wrong(n, path, t)
		}
		return
	}
	if _, err := time.ParseDuration(s.Value); err != nil {
		w.fault(n.GetToken(), path, "%q does not fit here, allowed is a %s", clip(s.Value), kind(t))
	}
}

func (w *walker) scalar(path string, n ast.Node, t reflect.Type) {
	switch t.Kind() {
	case reflect.Bool:
		if _, ok := n.(*ast.BoolNode); !ok {
			w.wrong(n, path, t)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		i, ok := n.(*ast.IntegerNode)
		if !ok {
			w.wrong(n, path, t)
			return
		}
		if lo, hi := bounds(t); !within(i.Value, lo, hi) {
			w.fault(n.GetToken(), path, "%s does not fit here, allowed are %d to %d", clip(i.GetToken().Value), lo, hi)
		}
	case reflect.String:
		switch n.(type) {
		case *ast.StringNode, *ast.LiteralNode, *ast.IntegerNode, *ast.FloatNode:
		default:
			w.wrong(n, path, t)
		}
	default:
	}
}

func (w *walker) list(path string, n ast.Node, t reflect.Type) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		w.wrong(n, path, t)
		return
	}
	for i, v := range s.Values {
		w.value(path+"["+strconv.Itoa(i)+"]", v, t.Elem())
	}
}

func (w *walker) mapping(path string, n ast.Node, t reflect.Type) {
	var entries []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		entries = m.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{m}
	default:
		w.wrong(n, path, t)
		return
	}
	prefix := path
	if prefix != "" {
		prefix += "."
	}
	fields := fieldsOf(t)
	seen := make(map[string]int, len(entries))
	for _, e := range entries {
		at := e.Key.GetToken()
		key := at.Value
		if line, ok := seen[key]; ok {
			w.fault(at, prefix+key, "%q stands here twice, first in line %d", clip(prefix+key), line)
			continue
		}
		seen[key] = at.Position.Line
		if t.Kind() == reflect.Map {
			w.entry(prefix+key, e, t.Elem())
			continue
		}
		field, ok := fields[key]
		if !ok {
			w.unknown(at, prefix, key, e, fields)
			continue
		}
		w.entry(prefix+key, e, field)
	}
}

// unknown names a key that is none. {price: 60,50} is a price of 60 and a key 50.
func (w *walker) unknown(at *token.Token, prefix, key string, e *ast.MappingValueNode, fields map[string]reflect.Type) {
	if _, empty := e.Value.(*ast.NullNode); empty && strings.Trim(key, "0123456789") == "" {
		w.fault(at, prefix+key, "unknown key %q: within braces a comma begins the next key, so write decimals with a point", clip(prefix+key))
		return
	}
	w.tell(at, prefix+key, fmt.Sprintf("unknown key %q", clip(prefix+key)), suggest(prefix, key, fields, w.root))
}

// entry checks one key's value. What has parts of its own is shown at its key, since it begins only after it.
func (w *walker) entry(path string, e *ast.MappingValueNode, t reflect.Type) {
	w.value(path, e.Value, t)
	if _, scalar := e.Value.(ast.ScalarNode); !scalar {
		w.d.places[path] = e.Key.GetToken()
	}
}

// fieldsOf lists the keys of a struct, those of inlined structs among them.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	if t.Kind() != reflect.Struct {
		return out
	}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			maps.Copy(out, fieldsOf(f.Type))
		case name != "" && name != "-":
			out[name] = f.Type
		}
	}
	return out
}

// bounds of a whole number's type; those of 64 bits are the signed ones, which is all these files need.
func bounds(t reflect.Type) (lo, hi int64) {
	bits := t.Bits()
	if t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64 {
		if bits == 64 {
			return 0, math.MaxInt64
		}
		return 0, 1<<bits - 1
	}
	return -1 << (bits - 1), 1<<(bits-1) - 1
}

func within(v any, lo, hi int64) bool {
	switch n := v.(type) {
	case int64:
		return n >= lo && n <= hi
	case uint64:
		return n <= uint64(hi)
	default:
		return false
	}
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}
