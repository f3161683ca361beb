package sale

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/catraca/catraca/actors/sale/queue"
)

func carried(t testing.TB, r Result) Result {
	t.Helper()
	got, err := DecodeResult(AppendResult(nil, &r))
	if err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	return got
}

// TestResultFieldsAreCarried sets each field alone and all of them, by reflection, so that a new one cannot be
// forgotten.
func TestResultFieldsAreCarried(t *testing.T) {
	var full Result
	fillFields(t, reflect.ValueOf(&full).Elem())
	if diff := cmp.Diff(full, carried(t, full)); diff != "" {
		t.Error(diff)
	}
	kind := reflect.TypeFor[Result]()
	for i := range kind.NumField() {
		var one Result
		fillFields(t, reflect.ValueOf(&one).Elem().Field(i))
		if diff := cmp.Diff(one, carried(t, one)); diff != "" {
			t.Errorf("%s alone: %s", kind.Field(i).Name, diff)
		}
	}
	if diff := cmp.Diff(Result{}, carried(t, Result{})); diff != "" {
		t.Error(diff)
	}
}

func TestResultCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Result{
			Refusal: Refusal(rapid.Uint16().Draw(t, "refusal")), Repeated: rapid.Bool().Draw(t, "repeated"),
			Place: queue.Place(rapid.Uint32().Draw(t, "place")), Hold: HoldID(rapid.Uint32().Draw(t, "hold")),
			Order: OrderID(rapid.Uint32().Draw(t, "order")), Ticket: TicketID(rapid.Uint32().Draw(t, "ticket")),
			At: rapid.Int64().Draw(t, "at"), Cap: rapid.Int64().Draw(t, "cap"), Amount: rapid.Int64().Draw(t, "amount"),
			Number: rapid.Uint32().Draw(t, "number"), Adjacent: rapid.Bool().Draw(t, "adjacent"),
			Units: rapid.SliceOfN(rapid.Map(rapid.Uint32(), func(u uint32) UnitID { return UnitID(u) }), 0, 9).Draw(t, "units"),
		}
		for range rapid.IntRange(0, 5).Draw(t, "lines") {
			r.Lines = append(r.Lines, Line{Unit: UnitID(rapid.Uint32().Draw(t, "unit")), Count: rapid.Uint32().Draw(t, "count")})
		}
		b := AppendResult([]byte("x"), &r)
		got, err := DecodeResult(b[1:])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		for n := range len(b) - 1 {
			if _, err := DecodeResult(b[1 : 1+n]); err == nil {
				t.Fatalf("the first %d of %d bytes are taken for a whole answer", n, len(b)-1)
			}
		}
		if _, err := DecodeResult(append(b[1:], 0)); err == nil {
			t.Fatal("a byte too many is not noticed")
		}
	})
}

func FuzzDecodeResult(f *testing.F) {
	f.Add([]byte{})
	f.Add(AppendResult(nil, &Result{Refusal: RefusedConflict, Units: []UnitID{1, 300}, Lines: []Line{{Unit: 7, Count: 2}}, At: -1}))
	f.Add(AppendResult(nil, &Result{Repeated: true, Adjacent: true, Number: 1 << 31, Hold: 3}))
	f.Add([]byte{1, 0x80, 0x20, 0xff, 0xff, 3})
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
