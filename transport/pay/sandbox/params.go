package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Limits of a request.
const (
	maxBody     = 64 << 10
	maxParams   = 500
	maxMetadata = 50
)

// params are the parameters of a request, flat as on the wire: "payment_method_data[card][number]". Each reader
// remembers what it took, so that what is left over can be refused.
type params struct {
	values url.Values
	taken  map[string]bool
	fault  *failure // the first defect
}

func parseParams(query string) (*params, *failure) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, invalid("", "", "The parameters are not form-encoded: %v", err)
	}
	if len(values) > maxParams {
		return nil, invalid("", "", "There are %d parameters, allowed are %d", len(values), maxParams)
	}
	return &params{values: values, taken: map[string]bool{}}, nil
}

func (p *params) fail(f *failure) {
	if p.fault == nil {
		p.fault = f
	}
}

// text returns one value, or "" when it is absent.
func (p *params) text(name string, most int) string {
	v, ok := p.values[name]
	if !ok {
		return ""
	}
	p.taken[name] = true
	if len(v) != 1 {
		p.fail(invalid(name, "parameter_invalid", "Parameter %s is given %d times", name, len(v)))
		return ""
	}
	if len(v[0]) > most {
		p.fail(invalid(name, "parameter_invalid_string_too_long", "Parameter %s has %d characters, allowed are %d", name, len(v[0]), most))
		return ""
	}
	return v[0]
}

func (p *params) has(name string) bool { _, ok := p.values[name]; return ok }

func (p *params) oneOf(name, or string, allowed ...string) string {
	v := p.text(name, 100)
	if v == "" {
		return or
	}
	if !slices.Contains(allowed, v) {
		p.fail(invalid(name, "parameter_invalid", "Invalid %s: must be one of %s", name, strings.Join(allowed, ", ")))
	}
	return v
}

func (p *params) truth(name string) bool { return p.oneOf(name, "false", "true", "false") == "true" }

// integer returns the value and whether there is one.
func (p *params) integer(name string, least, most int64) (int64, bool) {
	v := p.text(name, 32)
	if v == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		p.fail(invalid(name, "parameter_invalid_integer", "Invalid integer: %s", v))
		return 0, false
	}
	if n < least || n > most {
		p.fail(invalid(name, "parameter_invalid_integer", "Invalid %s: must be between %d and %d", name, least, most))
		return 0, false
	}
	return n, true
}

// list reads name[]=a&name[]=b as well as name[0]=a&name[1]=b.
func (p *params) list(name string) []string {
	var out []string
	if v, ok := p.values[name+"[]"]; ok {
		p.taken[name+"[]"] = true
		out = append(out, v...)
	}
	for i := range 100 {
		key := name + "[" + strconv.Itoa(i) + "]"
		if !p.has(key) {
			break
		}
		out = append(out, p.text(key, 500))
	}
	return out
}

// table reads name[key]=value.
func (p *params) table(name string) map[string]string {
	out := map[string]string{}
	for key := range p.values {
		field, ok := strings.CutPrefix(key, name+"[")
		if !ok || !strings.HasSuffix(field, "]") {
			continue
		}
		field = strings.TrimSuffix(field, "]")
		value := p.text(key, 500)
		if field == "" || len(field) > 40 || strings.ContainsAny(field, "[]") {
			p.fail(invalid(key, "parameter_invalid", "Metadata keys have 1 to 40 characters without brackets"))
			continue
		}
		if value != "" {
			out[field] = value
		}
	}
	if len(out) > maxMetadata {
		p.fail(invalid(name, "parameter_invalid", "There are %d metadata keys, allowed are %d", len(out), maxMetadata))
	}
	return out
}

// rest fails when a parameter was not taken by anybody.
func (p *params) rest() *failure {
	if p.fault != nil {
		return p.fault
	}
	var unknown []string
	for key := range p.values {
		if !p.taken[key] {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	sort.Strings(unknown)
	return invalid(unknown[0], "parameter_unknown", "Received unknown parameter: %s", unknown[0])
}

// print is equal for requests that ask for the same.
func (p *params) print(method, path string) string {
	sum := sha256.Sum256([]byte(method + "\n" + path + "\n" + p.values.Encode()))
	return hex.EncodeToString(sum[:])
}
