package config

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
)

//go:embed config.go
var source string

// manual is what the comments of config.go say about each type and field.
type manual struct {
	types  map[string]string // Fan
	fields map[string]string // Fan.PublicURL
}

// readManual reads the comments from the source that this binary was built of, so that they are written once.
func readManual() (*manual, error) {
	f, err := parser.ParseFile(token.NewFileSet(), "config.go", source, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("read manual: %w", err)
	}
	m := &manual{types: map[string]string{}, fields: map[string]string{}}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, s := range g.Specs {
			t := s.(*ast.TypeSpec) // what a type declaration holds
			m.types[t.Name.Name] = text(g.Doc)
			fields, ok := t.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, f := range fields.Fields.List {
				for _, n := range f.Names {
					m.fields[t.Name.Name+"."+n.Name] = text(f.Comment)
				}
			}
		}
	}
	return m, nil
}

func text(c *ast.CommentGroup) string {
	return strings.TrimSpace(strings.ReplaceAll(c.Text(), "\n", " "))
}

func (m *manual) key(k Key) string { return m.fields[k.owner.Name()+"."+k.field] }

// section is what stands above a part of the tree: what its field says, or else its type.
func (m *manual) section(name string) string {
	t := reflect.TypeFor[Config]()
	for f := range t.Fields() {
		if f.Tag.Get("yaml") != name {
			continue
		}
		if s := m.fields["Config."+f.Name]; s != "" {
			return s
		}
		return m.types[f.Type.Name()]
	}
	return ""
}
