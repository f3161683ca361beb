package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Key is one value of the configuration.
type Key struct {
	Path  string // fan.listen
	value reflect.Value
	owner reflect.Type // the struct it is a field of, and which
	field string
}

// Env is the variable that overrides the key: CATRACA_FAN_LISTEN.
func (k Key) Env() string {
	return "CATRACA_" + strings.ToUpper(strings.ReplaceAll(k.Path, ".", "_"))
}

// keys lists every value of a configuration in the order of its manual.
func keys(c *Config) []Key {
	return appendKeys(nil, "", reflect.ValueOf(c).Elem())
}

func appendKeys(out []Key, prefix string, v reflect.Value) []Key {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			out = appendKeys(out, prefix, v.Field(i))
		case f.Type.Kind() == reflect.Struct:
			out = appendKeys(out, prefix+name+".", v.Field(i))
		default:
			out = append(out, Key{Path: prefix + name, value: v.Field(i), owner: v.Type(), field: f.Name})
		}
	}
	return out
}

// set reads a value as the environment and flags write it. A list or table is separated by commas.
func (k Key) set(text string) error {
	switch k.value.Interface().(type) {
	case time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q does not fit here, allowed is a duration like 10m or 90s", text)
		}
		k.value.SetInt(int64(d))
	case int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q does not fit here, allowed is a whole number", text)
		}
		k.value.SetInt(int64(n))
	case []string:
		var list []string
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		k.value.Set(reflect.ValueOf(list))
	case map[string]string:
		table := map[string]string{}
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			name, value, ok := strings.Cut(part, "=")
			if !ok {
				return fmt.Errorf("%q does not fit here, allowed is name=value, more of them after commas", text)
			}
			table[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
		k.value.Set(reflect.ValueOf(table))
	default:
		k.value.SetString(text)
	}
	return nil
}
