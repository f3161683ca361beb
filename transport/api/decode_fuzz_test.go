package api

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/catraca/catraca/transport/wire"
)

// What decode refuses it says as one field error whose pointer leads somewhere or nowhere; what it takes is one JSON value.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"seats":[1,2]}`, `{"best":{"quantity":2,"category":null}}`, `{"areas":[{"unit":1,"count":1}]}`, `{"areas":[{"x":{"x":1}}]}`,
		`{"x":1,"best":{"x":2}}`, `[]`, `null`, `{"seats":[1,[2]]}`, `{"seats":{}}`, `{"a/b~":1}`, `{"best":[]}`, `{}{}`, `{"seats":"\ud800"}`, "\xff", `{"":1}`,
		`{"best":{"quantity":-1}}`, `{"best":{"quantity":1e3}}`, `{"areas":[{"unit":true}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var in wire.HoldRequest
		err := decode(b, &in, "en")
		if err == nil {
			if len(strings.TrimSpace(string(b))) > 0 && !json.Valid(b) || !utf8.Valid(b) {
				t.Errorf("took %q", b)
			}
			return
		}
		var p *wire.Problem
		if !errors.As(err, &p) || p.Code != wire.InvalidRequest || len(p.Errors) != 1 || p.Errors[0].Detail == "" || p.Errors[0].Code == "" {
			t.Fatalf("%q: %+v", b, err)
		}
		if at := p.Errors[0].Pointer; at != "" && at[0] != '/' {
			t.Errorf("%q: pointer %q", b, at)
		}
	})
}
