package seating

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Bounds of a file.
const (
	maxBytes = 64 << 20
	maxNodes = 6_000_000
	maxDepth = 32
)

type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// node is a JSON value that keeps the order and repetition of properties, so that defects can be told by path.
type node struct {
	kind  kind
	text  string   // string value, number literal, "true" or "false"
	names []string // of an object, beside items
	items []node
}

// get is the property of an object, the last one if it is repeated, or nil. A null counts as absent.
func (n *node) get(name string) *node {
	if n == nil || n.kind != kindObject {
		return nil
	}
	for i := len(n.names) - 1; i >= 0; i-- {
		if n.names[i] == name {
			if n.items[i].kind == kindNull {
				return nil
			}
			return &n.items[i]
		}
	}
	return nil
}

// parse reads one JSON value and nothing behind it.
func parse(data []byte, rep *Report) (*node, error) {
	if len(data) > maxBytes {
		return nil, fmt.Errorf("%d bytes long, at most %d", len(data), maxBytes)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	p := parser{d: d, rep: rep}
	root, err := p.value()
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return &root, nil
		}
		if err == nil {
			err = errors.New("something follows the end")
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("ends too early")
	}
	line, column := position(data, d.InputOffset())
	return nil, fmt.Errorf("line %d, column %d: %w", line, column, err)
}

// position turns a byte offset into line and column, both from 1.
func position(data []byte, offset int64) (line, column int) {
	head := data[:min(int(offset), len(data))]
	return bytes.Count(head, []byte("\n")) + 1, len(head) - bytes.LastIndexByte(head, '\n')
}

type parser struct {
	d     *json.Decoder
	rep   *Report
	nodes int
	trail []step // where the parser stands; paths are only written when there is something to say
}

// step is a property, or an index when name is empty.
type step struct {
	name  string
	index int
}

func (p *parser) path(name string) string {
	s := ""
	for _, t := range p.trail {
		if t.name == "" {
			s = at(s, t.index)
		} else {
			s = join(s, t.name)
		}
	}
	return join(s, name)
}

func (p *parser) value() (node, error) {
	if p.nodes++; p.nodes > maxNodes {
		return node{}, fmt.Errorf("more than %d values", maxNodes)
	}
	t, err := p.d.Token()
	if err != nil {
		return node{}, err
	}
	switch t := t.(type) {
	case bool:
		return node{kind: kindBool, text: strconv.FormatBool(t)}, nil
	case json.Number:
		return node{kind: kindNumber, text: t.String()}, nil
	case string:
		return node{kind: kindString, text: t}, nil
	case json.Delim:
		if len(p.trail) >= maxDepth {
			return node{}, fmt.Errorf("nested deeper than %d", maxDepth)
		}
		if t == '[' {
			return p.list()
		}
		return p.object()
	}
	return node{}, nil
}

func (p *parser) list() (node, error) {
	n := node{kind: kindArray}
	for p.d.More() {
		p.trail = append(p.trail, step{index: len(n.items)})
		v, err := p.value()
		if err != nil {
			return node{}, err
		}
		p.trail = p.trail[:len(p.trail)-1]
		n.items = append(n.items, v)
	}
	_, err := p.d.Token()
	return n, err
}

func (p *parser) object() (node, error) {
	n := node{kind: kindObject}
	for p.d.More() {
		t, err := p.d.Token()
		if err != nil {
			return node{}, err
		}
		name := t.(string)
		if slices.Contains(n.names, name) {
			p.rep.warn(p.path(name), CodeRepeated, "stands twice, the last one counts")
		}
		if len(n.names) >= maxProperties {
			return node{}, fmt.Errorf("an object with more than %d properties", maxProperties)
		}
		p.trail = append(p.trail, step{name: name})
		v, err := p.value()
		if err != nil {
			return node{}, err
		}
		p.trail = p.trail[:len(p.trail)-1]
		n.names, n.items = append(n.names, name), append(n.items, v)
	}
	_, err := p.d.Token()
	return n, err
}

// maxProperties bounds one object, because properties are looked up by walking.
const maxProperties = 1_000

// join appends a property to a path.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// at appends an index to a path.
func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
