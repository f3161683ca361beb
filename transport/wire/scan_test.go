package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

// A call that is scanned is the call that the strict decoder reads.
func FuzzScanCall(f *testing.F) {
	for _, seed := range []string{
		`{"t":"call","id":7,"op":"hold","key":"k","body":{"seats":[1,2]}}`, `{"t":"call","op":"hold.get"}`, `{"t":"call","id":0,"op":"x","key":""}`,
		`{"t":"call","id":18446744073709551615,"op":"hold"}`, `{"t":"call","id":18446744073709551616,"op":"hold"}`, `{"t":"call","id":07,"op":"hold"}`,
		`{"t":"call","op":"hold","body":{"a":"}\"{","b":[{}]}}`, `{"t":"call","op":"hold","body":{"a":1,}}`, `{"t":"call","op":"hold","body":null}`,
		"{\"t\":\"call\",\"op\":\"hold\",\"body\":{\"a\":\"\xff\"}}", `{"t":"call","op":"\u0068old"}`, `{"t":"call","op":"hold"} `, `{"t":"call","op":"hold","body":{]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		u, ok := scanCall(b)
		if !ok || len(b) > MaxUpBytes {
			return
		}
		want, err := decodeUp(b)
		if err != nil || !reflect.DeepEqual(u, want) {
			t.Errorf("%q is scanned as %+v and decoded as %+v, %v", b, u, want, err)
		}
	})
}

// What pages send is scanned: no other test would notice if it were not.
func TestPagesCallsAreScanned(t *testing.T) {
	for _, frame := range []string{
		`{"t":"call","id":7,"op":"hold","key":"0b9c1c5e","body":{"seats":[120,121]}}`, `{"t":"call","id":7,"op":"hold.get","body":{}}`,
		`{"t":"call","id":1,"op":"pay","key":"k","body":{"id":"o1-42","method":"pix"}}`,
	} {
		if _, ok := scanCall([]byte(frame)); !ok {
			t.Errorf("%s is not scanned", frame)
		}
	}
	for _, body := range []string{`{"seats":[1,20]}`, `{"seats":[1],"areas":[]}`, `{"best":{"quantity":4}}`} {
		if _, ok := ScanHold([]byte(body)); !ok {
			t.Errorf("%s is not scanned", body)
		}
	}
	if r, ok := ScanID([]byte(`{"id":"h1-42"}`)); !ok || r.ID != "h1-42" {
		t.Errorf("scanned %+v, %t", r, ok)
	}
}

func FuzzScanBody(f *testing.F) {
	for _, seed := range []string{
		`{"seats":[1,2],"areas":[]}`, `{"seats":[]}`, `{"seats":[4294967295]}`, `{"seats":[4294967296]}`, `{"seats":[1,]}`, `{"seats":[,1]}`, `{"seats":[01]}`,
		`{"best":{"quantity":2}}`, `{"best":{"quantity":-1}}`, `{"best":{}}`, `{"id":"h1-42"}`, `{"id":""}`, `{"id":"\u0068"}`, `{"id":"é"}`, `{}`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, ok := ScanHold(b); ok {
			var want HoldRequest
			err := strictly(b, &want)
			if err != nil || len(r.Seats) != len(want.Seats) || len(r.Seats) > 0 && !reflect.DeepEqual(r.Seats, want.Seats) ||
				len(want.Areas) != 0 || !reflect.DeepEqual(r.Best, want.Best) {
				t.Errorf("%q is scanned as %+v and decoded as %+v, %v", b, r, want, err)
			}
		}
		if r, ok := ScanID(b); ok {
			var want IDRequest
			if err := strictly(b, &want); err != nil || r != want {
				t.Errorf("%q is scanned as %+v and decoded as %+v, %v", b, r, want, err)
			}
		}
	})
}

func strictly(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
