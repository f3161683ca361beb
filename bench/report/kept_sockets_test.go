package report

import (
	"strings"
	"testing"
	"testing/fstest"
)

// Ratios are to the best that the other has in any setting.
func TestSocketsAreKept(t *testing.T) {
	const result = `{"at":"2026-11-24T23:00:00Z","commit":"c0ffee0","cpu":"some CPU","cores":2,"rows":null,"sockets":10000,"table":[
		{"who":"Catraca","median":{"resident_collected":8192,"handshake_us":100,"push_us":10,"last_ms":250}},
		{"who":"centrifuge, defaults","median":{"resident_collected":32768,"handshake_us":80,"push_us":15}},
		{"who":"centrifuge, tuned","median":{"resident_collected":16384,"handshake_us":90,"push_us":20}}]}`
	all, err := ReadKept(fstest.MapFS{"sockets.json": {Data: []byte(result)}})
	if err != nil || len(all) != 1 || all[0].Group != Peers || all[0].Commit != "c0ffee0" {
		t.Fatalf("%+v: %v", all, err)
	}
	want := []struct {
		what, unit, got string
		value           float64
	}{
		{"memory of a socket, times less", "×", "2.00× (8.0 KB)", 2},
		{"processor time of a handshake, times less", "×", "0.80× (", 0.8},
		{"processor time of a pushed message, times less", "×", "1.50× (", 1.5},
		{"memory of a socket", "bytes", "8.0 KB", 8192},
		{"until the last of 10000", "seconds", "", 0.25},
	}
	if len(all[0].Figures) != len(want) {
		t.Fatalf("the figures are %+v", all[0].Figures)
	}
	for i, f := range all[0].Figures {
		if w := want[i]; !strings.HasPrefix(f.What, w.what) || f.Unit != w.unit || f.Value != w.value || !strings.HasPrefix(f.Got, w.got) {
			t.Errorf("%+v, want %+v", f, w)
		}
	}
	if all, err := ReadKept(fstest.MapFS{"none.json": {Data: []byte(`{"sockets":1,"table":[]}`)}}); err != nil || len(all) != 1 || len(all[0].Figures) != 0 {
		t.Errorf("an empty table is %+v: %v", all, err)
	}
}
