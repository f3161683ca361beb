package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/catraca/catraca/transport/wire"
)

// decode reads a JSON body strictly into v: unknown fields, wrong types, bytes that are not UTF-8 and trailing values
// are named. An empty body is an empty object.
func decode(b []byte, v any, lang string) error {
	if len(bytes.TrimSpace(b)) == 0 {
		b = []byte("{}")
	}
	if !utf8.Valid(b) {
		return invalid(lang, "", "encoding", "the body is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one JSON value")
		}
	}
	if err == nil {
		return nil
	}
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		return invalid(lang, pathAt(b, wrong.Offset), "type", "want "+kindName(wrong.Type)+", not a JSON "+strings.Fields(wrong.Value)[0])
	case strings.HasPrefix(err.Error(), unknownField):
		name, unquoted := strconv.Unquote(strings.TrimPrefix(err.Error(), unknownField))
		if unquoted != nil {
			name = ""
		}
		return invalid(lang, pathOf(b, name), "unknown", "this field is not known")
	default:
		return invalid(lang, "", "syntax", strings.TrimPrefix(err.Error(), "json: "))
	}
}

// unknownField begins the standard library's error, which has no type of its own.
const unknownField = "json: unknown field "

// kindName says in JSON's words what was wanted.
func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map, reflect.Pointer:
		return "an object"
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		return "a whole number from 0 to " + strconv.FormatUint(1<<t.Bits()-1, 10)
	case reflect.Int64, reflect.Int, reflect.Int32, reflect.Int16, reflect.Int8:
		return "a whole number"
	default:
		return "another type"
	}
}

// pathAt is the pointer to the value that ends at or after an offset of well-formed JSON.
func pathAt(b []byte, offset int64) string {
	var found string
	walk(b, func(path []string, end int64, _ bool) bool {
		found = pointer(path)
		return end < offset
	})
	return found
}

// pathOf is the pointer to the only key of that name; when there are several it names the key alone.
func pathOf(b []byte, name string) string {
	var paths []string
	walk(b, func(path []string, _ int64, key bool) bool {
		if key && path[len(path)-1] == name {
			paths = append(paths, pointer(path))
		}
		return true
	})
	if len(paths) == 1 {
		return paths[0]
	}
	return pointer([]string{name})
}

// walk visits keys and values in their order until visit returns false.
func walk(b []byte, visit func(path []string, end int64, key bool) bool) {
	type level struct {
		array bool
		next  int
		key   bool // the next string is a key
	}
	var stack []level
	var path []string
	d := json.NewDecoder(bytes.NewReader(b))
	for {
		tok, err := d.Token()
		if err != nil {
			return
		}
		if end, ok := tok.(json.Delim); ok && (end == '}' || end == ']') {
			stack, path = stack[:len(stack)-1], path[:len(path)-1]
			if len(stack) == 0 {
				return
			}
			stack[len(stack)-1].key = !stack[len(stack)-1].array
			continue
		}
		if n := len(stack); n > 0 {
			top := &stack[n-1]
			switch {
			case top.key:
				path[n-1] = tok.(string)
				top.key = false
				if !visit(path, d.InputOffset(), true) {
					return
				}
				continue
			case top.array:
				path[n-1] = strconv.Itoa(top.next)
				top.next++
			}
			top.key = !top.array
		}
		if !visit(path, d.InputOffset(), false) {
			return
		}
		if open, ok := tok.(json.Delim); ok {
			stack = append(stack, level{array: open == '[', key: open == '{'})
			path = append(path, "")
		} else if len(stack) == 0 {
			return
		}
	}
}

// pointer writes a path as RFC 6901 has it.
func pointer(path []string) string {
	var b strings.Builder
	for _, p := range path {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(p))
	}
	return b.String()
}

// invalid makes the problem of one wrong field.
func invalid(lang, pointer, code, detail string) *wire.Problem {
	p := wire.NewProblem(wire.InvalidRequest, lang)
	p.Errors = []wire.FieldError{{Pointer: pointer, Code: code, Detail: detail}}
	p.Detail = strings.TrimSpace(strings.TrimPrefix(pointer, "/") + " " + detail)
	return p
}
