package strict

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds that keep the parser's time and stack in proportion to the file.
const (
	maxTokens = 200_000
	maxDepth  = 32 // of [ and {, and of dashes on one line
)

// Document is a file that was read. It knows where each of its values stands.
type Document struct {
	name   string
	lines  []string
	body   ast.Node // nil when the file is empty
	places map[string]*token.Token
}

// Has tells whether the file says something for a path.
func (d *Document) Has(path string) bool { return d != nil && d.places[path] != nil }

// Errorf makes an error at the value of a path, or at the nearest value around it that the file has. The message
// begins with the path. Without a document it says the same without a place.
func (d *Document) Errorf(path, format string, args ...any) *Error {
	e := &Error{Message: fmt.Sprintf(format, args...)}
	if d == nil {
		e.Path, e.Message = path, path+": "+e.Message
		return e
	}
	e.File = d.name
	for p := path; p != ""; p = parent(p) {
		if t := d.places[p]; t != nil {
			e = d.at(t, e.Message)
			break
		}
	}
	e.Path, e.Message = path, path+": "+e.Message
	return e
}

// parent of a path: queue of queue.rate, areas of areas[1].
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

func (d *Document) line(n int) string {
	if n < 1 || n > len(d.lines) || len(d.lines[n-1]) > 160 {
		return ""
	}
	return strings.TrimRight(d.lines[n-1], "\r")
}

// parse reads the grammar alone.
func parse(name string, data []byte) (*Document, error) {
	d := &Document{name: name, lines: strings.Split(string(data), "\n"), places: map[string]*token.Token{}}
	var tokens token.Tokens
	if err := safely(func() error { tokens = lexer.Tokenize(string(data)); return nil }); err != nil {
		return nil, &Error{File: name, Message: err.Error()}
	}
	if err := d.bound(tokens); err != nil {
		return nil, err
	}
	var file *ast.File
	err := safely(func() (err error) {
		file, err = parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
		return err
	})
	var syntax *yaml.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, d.at(syntax.Token, firstLine(syntax.Message))
	case err != nil:
		return nil, &Error{File: name, Message: firstLine(err.Error())}
	case len(file.Docs) > 1 && file.Docs[1].Body != nil:
		return nil, d.at(file.Docs[1].Body.GetToken(), "a second document begins here, allowed is one in a file")
	case len(file.Docs) > 0:
		d.body = file.Docs[0].Body
	}
	switch d.body.(type) {
	case *ast.NullNode, *ast.CommentGroupNode, *ast.CommentNode:
		d.body = nil
	}
	return d, nil
}

// bound refuses what these files have no use for, and what would cost the parser more than its length.
func (d *Document) bound(tokens token.Tokens) error {
	if len(tokens) > maxTokens {
		return &Error{File: d.name, Message: fmt.Sprintf("the file has %d words and signs, allowed are %d", len(tokens), maxTokens)}
	}
	flow, dashes, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position != nil && t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType:
			dashes++
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return d.at(t, "anchors and aliases are not read; write the value out")
		case token.TagType:
			return d.at(t, "tags are not read; write the value alone")
		default:
		}
		if flow > maxDepth || dashes > maxDepth {
			return d.at(t, fmt.Sprintf("nested more than %d deep", maxDepth))
		}
	}
	return nil
}
