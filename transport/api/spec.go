package api

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/goccy/go-yaml"
)

// The descriptions are written by hand and come first; tests hold the server against them.
var (
	//go:embed openapi.yaml
	openapiYAML []byte
	//go:embed asyncapi.yaml
	asyncapiYAML []byte
)

// OpenAPI is the description of the HTTP API as JSON (OpenAPI 3.1).
func OpenAPI() ([]byte, error) {
	b, err := yaml.YAMLToJSON(openapiYAML)
	if err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	return b, nil
}

// AsyncAPI is the description of the live socket as JSON (AsyncAPI 3.0).
func AsyncAPI() ([]byte, error) {
	b, err := yaml.YAMLToJSON(asyncapiYAML)
	if err != nil {
		return nil, fmt.Errorf("read asyncapi.yaml: %w", err)
	}
	return b, nil
}

func (s *Server) openAPI(context.Context, *request) (answer, error) {
	return answer{raw: s.open, kind: "application/json"}, nil
}

func (s *Server) asyncAPI(context.Context, *request) (answer, error) {
	return answer{raw: s.async, kind: "application/json"}, nil
}
