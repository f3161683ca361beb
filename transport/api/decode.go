package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/catraca/catraca/transport/wire"
)

// decode reads a JSON body strictly into v: unknown fields, wrong types and trailing values are named.
func decode(b []byte, v any, lang string) error {
	if len(bytes.TrimSpace(b)) == 0 {
		b = []byte("{}")
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
		return invalid(lang, pointer(wrong.Field), "type", fmt.Sprintf("a JSON %s is not a %s", wrong.Value, wrong.Type))
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		name := strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`)
		return invalid(lang, pointer(name), "unknown", "this field is not known")
	default:
		return invalid(lang, "", "syntax", err.Error())
	}
}

func pointer(field string) string {
	if field == "" {
		return ""
	}
	return "/" + strings.ReplaceAll(field, ".", "/")
}

// invalid makes the problem of one wrong field.
func invalid(lang, pointer, code, detail string) *wire.Problem {
	p := wire.NewProblem(wire.InvalidRequest, lang)
	p.Errors = []wire.FieldError{{Pointer: pointer, Code: code, Detail: detail}}
	p.Detail = strings.TrimSpace(strings.TrimPrefix(pointer, "/") + " " + detail)
	return p
}
