package account

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// TestResultFieldsAreCarried sets each field alone, by reflection, so that a new one cannot be forgotten.
func TestResultFieldsAreCarried(t *testing.T) {
	carry := func(r Result) {
		t.Helper()
		if got, err := DecodeResult(AppendResult(nil, &r)); err != nil || got != r {
			t.Errorf("%+v arrives as %+v, %v", r, got, err)
		}
	}
	carry(Result{})
	kind := reflect.TypeFor[Result]()
	var full Result
	for i := range kind.NumField() {
		var one Result
		for _, v := range []reflect.Value{reflect.ValueOf(&one).Elem().Field(i), reflect.ValueOf(&full).Elem().Field(i)} {
			switch {
			case v.CanUint():
				v.SetUint(200)
			case v.CanInt():
				v.SetInt(200)
			default:
				v.SetBool(true)
			}
		}
		carry(one)
	}
	carry(full)
}

func TestResultCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Result{
			Refusal: Refusal(rapid.Uint16().Draw(t, "refusal")), Repeated: rapid.Bool().Draw(t, "repeated"),
			Account: ID(rapid.Uint64().Draw(t, "account")), Event: EventID(rapid.Uint32().Draw(t, "event")),
			Shard: rapid.IntRange(0, MaxShards).Draw(t, "shard"), Number: rapid.Uint64().Draw(t, "number"),
		}
		b := AppendResult(nil, &r)
		if got, err := DecodeResult(b); err != nil || got != r {
			t.Fatalf("%+v arrives as %+v, %v", r, got, err)
		}
		for n := range len(b) {
			if _, err := DecodeResult(b[:n]); !errors.Is(err, ErrEncoding) {
				t.Fatalf("the first %d of %d bytes: %v", n, len(b), err)
			}
		}
		if _, err := DecodeResult(append(b, 0)); !errors.Is(err, ErrEncoding) {
			t.Fatalf("a byte too many: %v", err)
		}
	})
}

func FuzzDecodeResult(f *testing.F) {
	f.Add([]byte{})
	f.Add(AppendResult(nil, &Result{Refusal: RefusedFull, Number: 1 << 40}))
	f.Add(AppendResult(nil, &Result{Repeated: true, Account: 1 << 63, Event: 9, Shard: 3}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeResult(b)
		if err != nil {
			return
		}
		if again := AppendResult(nil, &r); !bytes.Equal(again, b) {
			t.Errorf("%x decodes to %+v, which encodes to %x", b, r, again)
		}
	})
}
