package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestOrdersAreChecked(t *testing.T) {
	can := []Form{{"hold", "Lua"}}
	for line, want := range map[string]string{
		`{"work":"hold","form":"Lua","clients":64,"for_ms":5000}`:     "",
		`{"work":"hold","form":"Lua","clients":0,"for_ms":5000}`:      "0 clients, allowed are 1 to 4096",
		`{"work":"hold","form":"Lua","clients":64,"for_ms":0}`:        "0 ms, allowed are 1 to 600000",
		`{"work":"hold","form":"prayer","clients":64,"for_ms":5000}`:  "hold in the form prayer cannot be done",
		`{"work":"hold","form":"Lua","clients":64,"for_ms":"a while`:  "read order",
		`{"work":"hold","form":"Lua","clients":5000,"for_ms":600001}`: "5000 clients",
	} {
		o, err := parseOrder([]byte(line), can)
		if want == "" && (err != nil || o.Form != can[0] || o.Clients != 64 || o.Millis != 5000) {
			t.Errorf("%s: %+v, %v", line, o, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

func TestWhatIsNotThereIsRefused(t *testing.T) {
	for _, args := range [][]string{{}, {"mysql"}, {"--nodes", "3", "redis"}, {"--nodes", "2", "etcd"}, {"redis", "etcd"}} {
		if err := run(t.Context(), args, strings.NewReader(""), &bytes.Buffer{}); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
	if _, err := find("a-program-nobody-has", "its-package"); !errors.Is(err, errMissing) || !strings.Contains(err.Error(), "apt-get install --no-install-recommends its-package") {
		t.Errorf("a missing program is told as %v", err)
	}
}

func TestSettingsAreDurable(t *testing.T) {
	if args := strings.Join(postgresArgs("/d", "/s", 5), " "); !strings.Contains(args, "-c fsync=on -c synchronous_commit=on") || !strings.Contains(args, "-k /s") {
		t.Errorf("PostgreSQL is started with %s", args)
	}
	if args := strings.Join(redisArgs("/d", 5), " "); !strings.Contains(args, "--appendonly yes --appendfsync always --save  --") {
		t.Errorf("Redis is started with %s", args)
	}
	args := etcdArgs("/d", 1, []int{1, 2, 3, 4})
	if !slices.Contains(args, "e1=http://127.0.0.1:2,e2=http://127.0.0.1:4") || slices.Contains(args, "--unsafe-no-fsync") || args[1] != "e2" {
		t.Errorf("etcd is started with %s", args)
	}
}

// Every form of every peer that is installed here does something.
func TestPeersWork(t *testing.T) {
	for name, forms := range map[string][]Form{
		"postgres": (&postgres{}).Work(), "redis": (&redisPeer{}).Work(), "etcd": (&etcd{}).Work(),
	} {
		t.Run(name, func(t *testing.T) {
			var in, out bytes.Buffer
			for _, f := range forms {
				if err := json.NewEncoder(&in).Encode(Order{f, 4, 200}); err != nil {
					t.Fatal(err)
				}
			}
			err := run(t.Context(), []string{name}, &in, &out)
			if errors.Is(err, errMissing) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			lines := json.NewDecoder(&out)
			var ready Ready
			if err := lines.Decode(&ready); err != nil || ready.Version == "" || !slices.Equal(ready.Work, forms) {
				t.Fatalf("ready is %+v: %v", ready, err)
			}
			for _, f := range forms {
				var d Done
				if err := lines.Decode(&d); err != nil || d.Error != "" || d.Form != f || d.Count == 0 || d.P50 == 0 || d.P99 < d.P50 {
					t.Errorf("%s in the form %s: %+v, %v", f.Work, f.Form, d, err)
				}
			}
		})
	}
}
