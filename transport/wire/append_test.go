package wire

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func anyTime() *rapid.Generator[Time] {
	return rapid.Map(rapid.OneOf(rapid.Int64Range(0, 4_102_444_800_000), rapid.Int64Range(math.MinInt64/2, math.MaxInt64/2), rapid.SampledFrom([]int64{0, 1, -1, 999})),
		func(n int64) Time { return Time(n) })
}

func anyText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringMatching(`[ -~]{0,20}`), rapid.String(), rapid.SampledFrom([]string{"Setor São João", "<&>", "\x00\x7f", "\xff", "a\u2028b", `"\`}))
}

func anyMoney() *rapid.Generator[Money] {
	return rapid.Custom(func(t *rapid.T) Money {
		return Money{Amount: rapid.Int64().Draw(t, "amount"), Currency: anyText().Draw(t, "currency")}
	})
}

func anyLine() *rapid.Generator[Line] {
	return rapid.Custom(func(t *rapid.T) Line {
		return Line{
			Unit: rapid.Uint32().Draw(t, "unit"), Count: rapid.Uint32().Draw(t, "count"), Section: anyText().Draw(t, "section"),
			Row: anyText().Draw(t, "row"), Seat: anyText().Draw(t, "seat"), Area: rapid.Bool().Draw(t, "area"), Category: rapid.Int().Draw(t, "category"),
			CategoryName: anyText().Draw(t, "name"), Price: anyMoney().Draw(t, "price"), Fee: anyMoney().Draw(t, "fee"),
		}
	})
}

func anyHold() *rapid.Generator[*Hold] {
	return rapid.Custom(func(t *rapid.T) *Hold {
		h := &Hold{
			ID: anyText().Draw(t, "id"), Expires: anyTime().Draw(t, "expires"), Cap: anyTime().Draw(t, "cap"), Renewed: rapid.Bool().Draw(t, "renewed"),
			Total: anyMoney().Draw(t, "total"), Adjacent: rapid.Bool().Draw(t, "adjacent"), Order: rapid.Ptr(anyText(), true).Draw(t, "order"),
		}
		if rapid.Bool().Draw(t, "has lines") {
			h.Lines = append([]Line{}, rapid.SliceOfN(anyLine(), 0, 3).Draw(t, "lines")...)
		}
		return h
	})
}

// same fails unless a is written as the standard library would write v.
func same(t *rapid.T, got []byte, v any) {
	t.Helper()
	want, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != "#"+string(want) {
		t.Errorf("written\n%s\nwant\n#%s", got, want)
	}
}

func TestFramesAreWrittenAsTheStandardLibraryWould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := []byte("#")
		hold := rapid.OneOf(anyHold(), rapid.Just((*Hold)(nil))).Draw(t, "hold")
		seq, id := rapid.Uint64().Draw(t, "seq"), rapid.Uint64().Draw(t, "id")
		down := HoldDown{T: "hold", Seq: seq, Hold: hold, Reason: anyText().Draw(t, "reason")}
		same(t, down.AppendJSON(before[:1:1]), down)

		place := PlaceDown{T: "place", Seq: seq, Place: Place{
			Event: anyText().Draw(t, "event"), State: anyText().Draw(t, "state"), Number: rapid.Uint32().Draw(t, "number"),
			Ahead: rapid.Uint32().Draw(t, "ahead"), Chance: anyText().Draw(t, "chance"), Deadline: anyTime().Draw(t, "deadline"),
			Cap: anyTime().Draw(t, "cap"), Phase: anyText().Draw(t, "phase"), Waiting: rapid.Uint32().Draw(t, "waiting"), Now: anyTime().Draw(t, "now"),
		}}
		if rapid.Bool().Draw(t, "has eta") {
			place.ETA = &ETA{
				LoMS: rapid.Int64().Draw(t, "lo"), HiMS: rapid.Int64().Draw(t, "hi"), Why: anyText().Draw(t, "why"), OverHour: rapid.Bool().Draw(t, "over"),
			}
		}
		same(t, place.AppendJSON(before[:1:1]), place)

		status := rapid.IntRange(200, 599).Draw(t, "status")
		reply := ReplyDown{T: "reply", Seq: seq, ID: id, Status: status}
		same(t, AppendReply(before[:1:1], seq, id, status, nil), reply)
		same(t, AppendReply(before[:1:1], seq, id, status, JSON(nil)), reply)
		if hold != nil {
			body, err := json.Marshal(hold)
			if err != nil {
				t.Fatal(err)
			}
			reply.Body = body
			same(t, AppendReply(before[:1:1], seq, id, status, hold), reply)
		}
	})
}
