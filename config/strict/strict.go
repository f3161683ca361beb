// Package strict reads YAML (and JSON, which is YAML) without forgiving: an unknown key, a repeated key or a value
// of the wrong kind is an error that names file, line and column, shows the line with a caret, and suggests the key
// that was probably meant. All errors of a file are told at once, as far as its grammar lets them be found.
//
// Deliberately absent: anchors, aliases, merge keys, tags and several documents in one file. Nobody needs them to
// say what these files say, and they make a small file mean a huge one.
package strict

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"
)

// MaxBytes of a file.
const MaxBytes = 1 << 20

// maxErrors of one file; more would not be read by anybody.
const maxErrors = 50

// Decode reads data into v, a pointer to a struct with yaml tags. name is the file's, for messages. The error is an
// [*Error] or, when there are several, [Errors].
func Decode(name string, data []byte, v any) error {
	_, err := Read(name, data, v)
	return err
}

// Read is Decode, and returns where everything stands, so that what is found out later can be shown in its place.
// The document is there whenever the grammar is right, also beside an error.
func Read(name string, data []byte, v any) (*Document, error) {
	if len(data) > MaxBytes {
		return nil, &Error{File: name, Message: fmt.Sprintf("the file has %d bytes, allowed are %d", len(data), MaxBytes)}
	}
	d, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	if d.body == nil {
		return d, nil // an empty file changes nothing; the decoder would clear v
	}
	if errs := d.check(reflect.TypeOf(v)); len(errs) > 0 {
		return d, errs.or()
	}
	// The check above is ours; this one is the decoder's own, and has the last word.
	err = safely(func() error { return yaml.UnmarshalWithOptions(data, v, yaml.Strict()) })
	if err != nil {
		return d, d.explain(err)
	}
	return d, nil
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

// explain turns an error of the decoder into ours.
func (d *Document) explain(err error) error {
	var wrong *yaml.TypeError
	var syntax *yaml.SyntaxError
	var overflow *yaml.OverflowError
	switch {
	case errors.As(err, &wrong):
		return d.at(wrong.Token, fmt.Sprintf("a %s does not fit here, allowed is a %s", kind(wrong.SrcType), kind(wrong.DstType)))
	case errors.As(err, &overflow):
		return d.at(overflow.Token, fmt.Sprintf("%s is too large for a %s", overflow.SrcNum, kind(overflow.DstType)))
	case errors.As(err, &syntax):
		return d.at(syntax.Token, firstLine(syntax.Message))
	default:
		return &Error{File: d.name, Message: firstLine(err.Error())}
	}
}

// at makes an error at a token.
func (d *Document) at(t *token.Token, message string) *Error {
	e := &Error{File: d.name, Message: message}
	if t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
		e.Source = d.line(e.Line)
	}
	return e
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
