package wire

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// What DecodeUp takes is a frame of the protocol and comes back the same; what it refuses it says so.
func FuzzDecodeUp(f *testing.F) {
	for _, seed := range []string{
		`{"t":"hello","lang":"pt-BR"}`, `{"t":"join"}`, `{"t":"leave"}`, `{"t":"claim"}`, `{"t":"stock","on":true}`, `{"t":"pong"}`,
		`{"t":"call","id":7,"op":"hold","key":"k","body":{"seats":[1,2]}}`, `{"t":"call","op":""}`, `{"t":"call","op":"` + strings.Repeat("x", 33) + `"}`,
		`{"t":"join","t":"leave"}`, `{}`, `[]`, `null`, ``, `{"t":"join"} x`, `{"t":"join"}{"t":"join"}`, `{"T":"join"}`, "{\"t\":\"\xff\"}", `{"t":"hello","x":1}`,
		`{"t":"call","id":18446744073709551615,"op":"hold"}`, `{"t":"call","id":-1,"op":"hold"}`, strings.Repeat(" ", MaxUpBytes+1),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		u, err := DecodeUp(b)
		if err != nil {
			if !errors.Is(err, ErrFrame) {
				t.Errorf("%q: %v is not an ErrFrame", b, err)
			}
			return
		}
		if len(b) > MaxUpBytes || !utf8.Valid(b) || u.T == "call" && (u.Op == "" || len(u.Op) > 32 || len(u.Key) > 128) {
			t.Errorf("took %q", b)
		}
		again, err := json.Marshal(u)
		if err != nil {
			t.Fatalf("%+v: %v", u, err)
		}
		if len(again) > MaxUpBytes {
			return // escapes made it longer
		}
		if v, err := DecodeUp(again); err != nil || v.T != u.T || v.ID != u.ID || v.Op != u.Op || v.Key != u.Key || v.On != u.On || v.Lang != u.Lang {
			t.Errorf("%q became %q: %+v, %v", b, again, v, err)
		}
	})
}

func TestUnitStateIsAPair(t *testing.T) {
	b, err := json.Marshal(StockDown{T: "stock", Seq: 1, Changes: []UnitState{{Unit: 120, Letter: 'h'}}, Areas: []AreaState{{8897, 41}}})
	if err != nil || !strings.Contains(string(b), `"changes":[[120,"h"]],"areas":[[8897,41]]`) {
		t.Errorf("%s, %v", b, err)
	}
	var u UnitState
	if err := json.Unmarshal([]byte(`[7,"s"]`), &u); err != nil || u != (UnitState{7, 's'}) {
		t.Errorf("%+v, %v", u, err)
	}
	for _, bad := range []string{`[]`, `[1]`, `[1,"s",2]`, `["1","s"]`, `[1,2]`, `[1,""]`, `[1,"sh"]`, `{}`, `[-1,"s"]`} {
		if err := json.Unmarshal([]byte(bad), &u); err == nil {
			t.Errorf("took %s as %+v", bad, u)
		}
	}
}

func TestTime(t *testing.T) {
	for _, c := range []struct {
		at   Time
		text string
	}{{0, "null"}, {1, `"1970-01-01T00:00:00.001Z"`}, {1_795_392_000_000, `"2026-11-23T00:00:00.000Z"`}} {
		b, err := json.Marshal(c.at)
		if err != nil || string(b) != c.text {
			t.Errorf("%d is %s, %v; want %s", c.at, b, err, c.text)
		}
		var back Time
		if err := json.Unmarshal(b, &back); err != nil || back != c.at {
			t.Errorf("%s is %d, %v; want %d", b, back, err, c.at)
		}
	}
	var at Time
	if err := json.Unmarshal([]byte(`"2026-11-23T03:00:00+03:00"`), &at); err != nil || at != 1_795_392_000_000 {
		t.Errorf("another zone is %d, %v", at, err)
	}
	if err := json.Unmarshal([]byte(`"yesterday"`), &at); err == nil {
		t.Error("took yesterday")
	}
}

func TestBodiesSurviveTheirJSON(t *testing.T) {
	ref, url := "o1-5", "https://pay.example"
	for _, v := range []any{
		&Hold{ID: "h1-3", Expires: 5, Cap: 6, Lines: []Line{{Unit: 1, Count: 2, Price: Money{100, "BRL"}}}, Total: Money{200, "BRL"}, Order: &ref},
		&Order{ID: ref, State: "awaiting", Lines: []Line{}, Tickets: []string{"t1-1"}, Payment: &Payment{Method: "pix", URL: &url, Pix: &Pix{Code: "00", QR: "/x"}}},
		&Place{Event: "aurora", State: "waiting", Number: 3, ETA: &ETA{LoMS: 1, HiMS: 2, Why: "paused", OverHour: true}},
		&Ledger{Event: "aurora", Clean: true, Defects: []string{}, Orders: map[string]uint32{"paid": 1}, Rows: []LedgerRow{}, Categories: []LedgerCategory{{ID: 1, LedgerPlaces: LedgerPlaces{Free: 2}}}},
	} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		back := reflect.New(reflect.TypeOf(v).Elem()).Interface()
		if err := json.Unmarshal(b, back); err != nil || !reflect.DeepEqual(v, back) {
			t.Errorf("%s came back as %+v, %v", b, back, err)
		}
	}
}
