package sale

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/catraca/catraca/actors/sale/seatmap"
)

// fullCommand has every field set, by reflection, so that a new field cannot be forgotten in the codec.
func fullCommand(t testing.TB) Command {
	var c Command
	fillFields(t, reflect.ValueOf(&c).Elem())
	c.Best.Salt, c.Best.Orphans = 0, 0 // set by the machine, never stored
	return c
}

func fillFields(t testing.TB, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fillFields(t, field)
		}
	case reflect.Array:
		for i := range v.Len() {
			fillFields(t, v.Index(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fillFields(t, v.Index(i))
		}
	case reflect.String:
		v.SetString("BRL")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64, reflect.Int32, reflect.Int:
		v.SetInt(-7)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(200)
	default:
		t.Fatalf("no value for %s", v.Type())
	}
}

func TestCommandCodec(t *testing.T) {
	full := fullCommand(t)
	var d Decoder
	for _, c := range []Command{{Op: OpTick}, {Op: OpJoin, Account: 1 << 63}, full} {
		var got Command
		if err := d.Decode(AppendCommand(nil, &c), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, got, cmp.Transformer("empty", func(l []Line) []Line { return append([]Line{}, l...) })); diff != "" {
			t.Errorf("op %d: %s", c.Op, diff)
		}
	}
}

func TestCommandCodecRefuses(t *testing.T) {
	full := fullCommand(t)
	whole := AppendCommand(nil, &full)
	var d Decoder
	var c Command
	for n := range whole {
		if err := d.Decode(whole[:n], &c); err == nil {
			t.Fatalf("accepted %d of %d bytes", n, len(whole))
		}
	}
	long := Command{Op: OpMessage, Text: strings.Repeat("x", maxURL+1)}
	crowd := Command{Op: OpHold, Lines: make([]Line, MaxPerHold+1)}
	for i := range crowd.Lines {
		crowd.Lines[i].Count = 1
	}
	for _, tt := range []struct {
		name string
		b    []byte
		want string
	}{
		{"nothing", nil, "version: ends too early"},
		{"later version", []byte{9, 1, 0}, "version: 9, this build reads 1"},
		{"rest", append(AppendCommand(nil, &Command{Op: OpTick}), 0), "end: bytes are left over"},
		{"unknown field", []byte{1, 1, 0x80, 0x80, 0x80, 0x08}, "fields: 16777216, allowed are 0 to 8388607"},
		{"zero field", []byte{1, 2, 2, 0}, "a field that is there is zero"},
		{"long number", []byte{1, 2, 2, 0x81, 0x00}, "account: not in its shortest form"},
		{"long text", AppendCommand(nil, &long), "text: 2049, allowed are 0 to 2048"},
		{"many lines", AppendCommand(nil, &crowd), "lines: 101, allowed are 0 to 100"},
		{"huge", make([]byte, MaxCommand+1), "allowed are 16384"},
	} {
		if err := d.Decode(tt.b, &c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestDecodeTakesNoMemory(t *testing.T) {
	c := Command{Op: OpHold, Key: Key{1}, Account: 77, Currency: "BRL", Text: "pt-BR", Lines: []Line{{Unit: 300, Count: 1}, {Unit: 301, Count: 1}}}
	b := AppendCommand(nil, &c)
	var d Decoder
	var got Command
	if n := testing.AllocsPerRun(100, func() {
		if err := d.Decode(b, &got); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("decoding takes %v allocations", n)
	}
}

func TestNumbersAreShortest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64().Draw(t, "n")
		r := reader{b: appendInt(nil, n)}
		if got := r.int("n"); got != n || r.done() != nil {
			t.Fatalf("%d came back as %d: %v", n, got, r.err)
		}
	})
}

func TestConfigCodec(t *testing.T) {
	cfg := storyConfig(storyPlan(5, 3, 100, 10))
	cfg.Rehearsal, cfg.Orphan, cfg.Epoch = true, seatmap.OrphanStrict, MaxEpoch
	for name, part := range map[string]any{"config": cfg, "queue": cfg.Queue, "limits": cfg.Limits, "times": cfg.Times} {
		v := reflect.ValueOf(part)
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s.%s is zero: give it a value here and a place in the codec", name, v.Type().Field(i).Name)
			}
		}
	}
	b := AppendConfig(nil, &cfg)
	got, err := DecodeConfig(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(AppendConfig(nil, got), b) || got.Queue != cfg.Queue || got.Times != cfg.Times || got.Limits != cfg.Limits || got.Epoch != cfg.Epoch {
		t.Errorf("came back as %+v", got)
	}
	for n := range b {
		if _, err := DecodeConfig(b[:n]); err == nil {
			t.Fatalf("accepted %d of %d bytes", n, len(b))
		}
	}
	if _, err := DecodeConfig(append(b, 0)); err == nil {
		t.Error("accepted a byte too many")
	}
}

// TestConfigVersions: a configuration without an epoch keeps the bytes it had before there were any.
func TestConfigVersions(t *testing.T) {
	cfg := storyConfig(storyPlan(5, 3, 100, 10))
	first := AppendConfig(nil, &cfg)
	cfg.Epoch = 7
	later := AppendConfig(nil, &cfg)
	if first[0] != 1 || later[0] != 2 || len(later) != len(first)+1 {
		t.Errorf("versions %d and %d, %d and %d bytes", first[0], later[0], len(first), len(later))
	}
	at := len(later) - len(cfg.Plan.AppendBinary(nil)) - 1
	if later[at] != 7 || !bytes.Equal(slices.Concat(later[1:at], later[at+1:]), first[1:]) {
		t.Errorf("the epoch is not before the plan: %x", later)
	}
	for epoch, want := range map[byte]string{0: "epoch: 0 is stored as version 1", MaxEpoch + 1: "epoch: 64, allowed are 0 to 63"} {
		later[at] = epoch
		if _, err := DecodeConfig(later); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("epoch %d: got %v, want %q", epoch, err, want)
		}
	}
	later[0] = 3
	if _, err := DecodeConfig(later); err == nil || !strings.Contains(err.Error(), "version: 3, this build reads 1 and 2") {
		t.Errorf("version 3: %v", err)
	}
}

func TestConfigRefuses(t *testing.T) {
	for _, tt := range []struct {
		want  string
		spoil func(*Config)
	}{
		{"event:", func(c *Config) { c.Event = 0 }},
		{`slug: "Rock in Rio"`, func(c *Config) { c.Slug = "Rock in Rio" }},
		{"name: has 0 bytes", func(c *Config) { c.Name = "" }},
		{"venue: has 201 bytes", func(c *Config) { c.Venue = strings.Repeat("v", 201) }},
		{"time_zone:", func(c *Config) { c.TimeZone = "" }},
		{`currency: "brl"`, func(c *Config) { c.Currency = "brl" }},
		{"starts_at: -1", func(c *Config) { c.StartsAt = -1 }},
		{"lobby_at:", func(c *Config) { c.LobbyAt = c.OpensAt + 1 }},
		{"closes_at:", func(c *Config) { c.ClosesAt = c.OpensAt }},
		{"times.hold: 999 ms, allowed are 1000 to 86400000", func(c *Config) { c.Times.Hold = 999 }},
		{"times.action_grace:", func(c *Config) { c.Times.ActionGrace = day + 1 }},
		{"times.hold_cap: 599999 ms is less", func(c *Config) { c.Times.HoldCap = c.Times.Hold - 1 }},
		{"limits.per_hold: 101", func(c *Config) { c.Limits.PerHold = 101 }},
		{"limits.per_account: 0", func(c *Config) { c.Limits.PerAccount = 0 }},
		{"limits.attempts: 0", func(c *Config) { c.Limits.Attempts = 0 }},
		{"epoch: 64, allowed are 0 to 63", func(c *Config) { c.Epoch = MaxEpoch + 1 }},
		{"orphan: 9", func(c *Config) { c.Orphan = 9 }},
		{"queue: check queue policy: active_cap", func(c *Config) { c.Queue.ActiveCap = 1 << 30 }},
		{"plan: missing", func(c *Config) { c.Plan = nil }},
		{"plan: ", func(c *Config) { p := *c.Plan; p.Categories = nil; c.Plan = &p }},
		{"plan.categories[0]: price 1000000000000 and fee 1", func(c *Config) {
			p := storyPlan(2, 0, MaxPrice, 1)
			c.Plan = p
		}},
	} {
		cfg := storyConfig(storyPlan(5, 0, 100, 10))
		tt.spoil(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
	}
}

func TestClip(t *testing.T) {
	for _, tt := range []struct {
		text string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"ação", 2, "a"}, {"ação", 3, "aç"}, {"é", 1, ""}} {
		if got := clip(tt.text, tt.n); got != tt.want {
			t.Errorf("clip(%q, %d) = %q, want %q", tt.text, tt.n, got, tt.want)
		}
	}
}
