package api_test

import (
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/catraca/catraca/transport/api"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

func TestSpecIsValid(t *testing.T) {
	b, err := api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSpecHasEveryRoute(t *testing.T) {
	h := house(t)
	routes := slices.Clone(h.API.Routes())
	slices.Sort(routes)
	if want := h.Spec.Operations(); !slices.Equal(routes, want) {
		for _, r := range routes {
			if !slices.Contains(want, r) {
				t.Errorf("%s is served and not in openapi.yaml", r)
			}
		}
		for _, r := range want {
			if !slices.Contains(routes, r) {
				t.Errorf("%s is in openapi.yaml and not served", r)
			}
		}
	}
}

// Every problem has a place in the enumeration, and every language a sentence for it.
func TestSpecHasEveryProblem(t *testing.T) {
	spec, err := apitest.NewSpec()
	if err != nil {
		t.Fatal(err)
	}
	codes := spec.Codes()
	if len(codes) != len(wire.Codes()) {
		t.Errorf("openapi.yaml has %d codes, package wire %d", len(codes), len(wire.Codes()))
	}
	for _, c := range wire.Codes() {
		if !slices.Contains(codes, string(c)) {
			t.Errorf("code %s is not in openapi.yaml", c)
		}
	}
}
