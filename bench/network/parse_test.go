package network

import (
	"strings"
	"testing"
	"time"
)

func TestNamedClasses(t *testing.T) {
	for _, name := range Names() {
		c, ok := Named(name)
		if !ok || c.Name != name || c.Check() != nil || c.plain() {
			t.Errorf("class %s is %+v, %v", name, c, c.Check())
		}
		if parsed, err := ParseClass(name); err != nil || parsed != c {
			t.Errorf("%s is read as %+v, %v", name, parsed, err)
		}
	}
	if _, ok := Named("carrier pigeon"); ok {
		t.Error("a class that is not there was found")
	}
}

func TestParseClass(t *testing.T) {
	for text, want := range map[string]Class{
		"rtt=80ms":                            {RTT: 80 * time.Millisecond},
		"rtt=1s,jitter=20ms,loss=2%":          {RTT: time.Second, Jitter: 20 * time.Millisecond, Loss: 0.02},
		"down=64kbit,up=1mbit":                {Down: 8000, Up: 125_000},
		"down=8000,loss=0.25":                 {Down: 8000, Loss: 0.25},
		"drop-every=1m,drop-for=4s":           {DropEvery: time.Minute, DropFor: 4 * time.Second},
		"fibre,drop-every=5s":                 {RTT: 5 * time.Millisecond, Jitter: time.Millisecond, DropEvery: 5 * time.Second},
		"slow,up=2000,down=0,rtt=0s,jitter=0": {Up: 2000},
	} {
		want.Name = text
		if got, err := ParseClass(text); err != nil || got != want {
			t.Errorf("%s is %+v, %v", text, got, err)
		}
	}
	for text, complaint := range map[string]string{
		"":                                       "no class is called",
		"dsl":                                    "there are fibre, mobile",
		"fibre,":                                 "key=value",
		"rtt=1s,rtt=2s":                          "once",
		"rtt=80":                                 "missing unit",
		"rtt=-1s":                                "rtt is -1s",
		"rtt=11s":                                "rtt is 11s",
		"jitter=1h":                              "jitter",
		"loss=60%":                               "loss is 0.6",
		"loss=NaN":                               "loss is NaN",
		"up=499":                                 "up is 499",
		"down=-1":                                "invalid syntax",
		"down=16777215mbit":                      "down is",
		"drop-for=1s":                            "drop-for",
		"drop-every=1ms":                         "drop-every",
		"speed=1":                                "want rtt",
		"fibre,drop-for=0.1s":                    "drop-for",
		"rtt=" + strings.Repeat("0", 300) + "1s": "at most 200",
	} {
		if c, err := ParseClass(text); err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("%q is %+v and %v, want %q", text, c, err, complaint)
		}
	}
}

func FuzzParseClass(f *testing.F) {
	for _, s := range []string{"mobile", "tunnel,loss=5%", "rtt=80ms,jitter=1ms,down=64kbit,up=1mbit,drop-every=9s,drop-for=1s", "loss=Inf", ",", "=,="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseClass(text)
		if err != nil {
			return
		}
		if err := c.Check(); err != nil || c.Name != text {
			t.Errorf("%q was taken as %+v: %v", text, c, err)
		}
	})
}
