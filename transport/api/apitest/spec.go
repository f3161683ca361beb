package apitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/catraca/catraca/transport/api"
)

// base is where the descriptions pretend to be, so that asyncapi.json finds openapi.json beside it.
const base = "https://catraca.example/"

// Spec holds real answers and frames against the descriptions. Any goroutine may use it.
type Spec struct {
	doc      map[string]any
	async    map[string]any
	compiler *jsonschema.Compiler

	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema
	done    map[string]bool // operations that were answered with success, frames that were seen
}

// NewSpec reads the descriptions.
func NewSpec() (*Spec, error) {
	s := &Spec{compiler: jsonschema.NewCompiler(), schemas: make(map[string]*jsonschema.Schema), done: make(map[string]bool)}
	s.compiler.AssertFormat()
	for name, read := range map[string]func() ([]byte, error){"openapi.json": api.OpenAPI, "asyncapi.json": api.AsyncAPI} {
		b, err := read()
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if err := s.compiler.AddResource(base+name, doc); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if name == "openapi.json" {
			s.doc = doc.(map[string]any)
		} else {
			s.async = doc.(map[string]any)
		}
	}
	return s, nil
}

// Operations lists every operation as a pattern of http.ServeMux.
func (s *Spec) Operations() []string {
	var out []string
	for path, item := range object(s.doc, "paths") {
		for method := range item.(map[string]any) {
			if method != "parameters" {
				out = append(out, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(out)
	return out
}

// Operation reads one by its pattern.
func (s *Spec) Operation(pattern string) map[string]any {
	method, path, _ := strings.Cut(pattern, " ")
	return object(s.doc, "paths", path, strings.ToLower(method))
}

// Messages lists the frames of one direction, "up" or "down", by their type.
func (s *Spec) Messages(direction string) []string {
	var out []string
	for name := range object(s.async, "components", "messages") {
		if t, ok := strings.CutPrefix(name, direction+"."); ok {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return out
}

// Missing lists operations that were never answered with success, and frames that were never seen.
func (s *Spec) Missing(of []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(of), func(p string) bool { return s.done[p] })
}

func object(v map[string]any, keys ...string) map[string]any {
	for _, k := range keys {
		v, _ = v[k].(map[string]any)
	}
	return v
}

// match finds the operation of a request: of several that fit the one with the most literal parts.
func (s *Spec) match(method, path string) (pattern string) {
	want := strings.Split(path, "/")
	best := -1
	for p := range object(s.doc, "paths") {
		parts := strings.Split(p, "/")
		if len(parts) != len(want) || object(s.doc, "paths", p)[strings.ToLower(method)] == nil {
			continue
		}
		literal := 0
		for i, part := range parts {
			if part == want[i] {
				literal++
			} else if !strings.HasPrefix(part, "{") {
				literal = -1
				break
			}
		}
		if literal > best {
			best, pattern = literal, method+" "+p
		}
	}
	return pattern
}

// Answer checks one answer, and when it is a success the request too. An address that is no operation must answer 404.
func (s *Spec) Answer(r *http.Request, sent []byte, status int, header http.Header, body []byte) error {
	pattern := s.match(r.Method, r.URL.Path)
	if pattern == "" {
		if status != http.StatusNotFound && status < 300 {
			return fmt.Errorf("%s %s answers %d and is not in openapi.yaml", r.Method, r.URL.Path, status)
		}
		return nil
	}
	op := s.Operation(pattern)
	if status < 300 {
		s.mu.Lock()
		s.done[pattern] = true
		s.mu.Unlock()
		if err := s.request(pattern, op, r, sent); err != nil {
			return fmt.Errorf("%s: request: %w", pattern, err)
		}
	}
	at, response := s.response(pattern, op, status)
	if response == nil {
		return fmt.Errorf("%s: status %d is not described", pattern, status)
	}
	if err := s.content(at, response, header.Get("Content-Type"), body); err != nil {
		return fmt.Errorf("%s: %d: %w: %.300s", pattern, status, err, body)
	}
	if status >= 400 {
		return s.problem(pattern, op, header, body)
	}
	return nil
}

// problem checks that an operation says which problems it has, and that a wait is told in both ways.
func (s *Spec) problem(pattern string, op map[string]any, header http.Header, body []byte) error {
	if !strings.HasPrefix(header.Get("Content-Type"), "application/problem+json") {
		return nil
	}
	var p struct {
		Code  string `json:"code"`
		Retry int64  `json:"retry_after_ms"`
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return err
	}
	for _, list := range []any{s.doc["x-problems"], op["x-problems"]} {
		if l, ok := list.([]any); ok && slices.Contains(l, any(p.Code)) {
			if (p.Retry > 0) != (header.Get("Retry-After") != "") {
				return fmt.Errorf("%s: retry_after_ms %d beside Retry-After %q", pattern, p.Retry, header.Get("Retry-After"))
			}
			return nil
		}
	}
	return fmt.Errorf("%s: problem %q is not in its x-problems", pattern, p.Code)
}

func (s *Spec) request(pattern string, op map[string]any, r *http.Request, sent []byte) error {
	content := object(op, "requestBody", "content")
	if len(sent) == 0 || content == nil {
		return nil
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if content[kind] == nil {
		return fmt.Errorf("%q is not one of %v", kind, slices.Collect(maps.Keys(content)))
	}
	if kind != "application/json" {
		return nil
	}
	return s.validate("openapi.json", operationPath(pattern)+"/requestBody/content/application~1json/schema", sent)
}

func operationPath(pattern string) string {
	method, path, _ := strings.Cut(pattern, " ")
	return "#/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + strings.ToLower(method)
}

// response finds the description of a status, following one reference.
func (s *Spec) response(pattern string, op map[string]any, status int) (at string, r map[string]any) {
	code := strconv.Itoa(status)
	for _, name := range []string{code, code[:1] + "XX"} {
		r = object(op, "responses", name)
		if r == nil {
			continue
		}
		if ref, ok := r["$ref"].(string); ok {
			return ref, object(s.doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
		return operationPath(pattern) + "/responses/" + name, r
	}
	return "", nil
}

func (s *Spec) content(at string, response map[string]any, contentType string, body []byte) error {
	content := object(response, "content")
	if content == nil {
		if len(body) > 0 {
			return fmt.Errorf("a body of %d bytes, none is described", len(body))
		}
		return nil
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("content type %q: %w", contentType, err)
	}
	if content[kind] == nil {
		return fmt.Errorf("content type %s is not described", kind)
	}
	if !strings.HasSuffix(kind, "json") || object(content, kind, "schema") == nil {
		return nil
	}
	return s.validate("openapi.json", at+"/content/"+strings.ReplaceAll(kind, "/", "~1")+"/schema", body)
}

// Frame checks one frame of the live socket; direction is up or down.
func (s *Spec) Frame(direction string, b []byte) error {
	var f struct {
		T string `json:"t"`
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return fmt.Errorf("frame %.200s: %w", b, err)
	}
	name := direction + "." + f.T
	if object(s.async, "components", "messages", name) == nil {
		return fmt.Errorf("frame %s is not in asyncapi.yaml", name)
	}
	s.mu.Lock()
	s.done[f.T] = s.done[f.T] || direction == "down"
	s.mu.Unlock()
	if err := s.validate("asyncapi.json", "#/components/messages/"+name+"/payload", b); err != nil {
		return fmt.Errorf("frame %s: %w: %.300s", name, err, b)
	}
	return nil
}

func (s *Spec) validate(file, pointer string, body []byte) error {
	schema, err := s.schema(base + file + pointer)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

// schema compiles once; the compiler is not safe for several goroutines.
func (s *Spec) schema(at string) (*jsonschema.Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.schemas[at]; ok {
		return c, nil
	}
	c, err := s.compiler.Compile(at)
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", at, err)
	}
	s.schemas[at] = c
	return c, nil
}

// Codes lists the problems of the description.
func (s *Spec) Codes() []string {
	var out []string
	list, _ := object(s.doc, "components", "schemas", "Code")["enum"].([]any)
	for _, c := range list {
		out = append(out, c.(string))
	}
	return out
}
