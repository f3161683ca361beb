package pki

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

func FuzzInvitation(f *testing.F) {
	v := Invitation{Name: "n2", Role: RoleVoter, Addresses: []string{"10.0.0.1:7100", "[::1]:7100"}, Expires: time.Unix(1_800_000_000, 0)}
	f.Add(v.String())
	f.Add("catraca1.")
	f.Add("catraca1.e30")
	f.Add("catraca1.bnVsbA")
	f.Add("catraca2." + v.String()[len(prefix):])
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ParseInvitation(text)
		if err != nil {
			return
		}
		again, err := ParseInvitation(v.String())
		if err != nil || !reflect.DeepEqual(v, again) {
			t.Fatalf("%q reads as %+v, and again as %+v, %v", text, v, again, err)
		}
	})
}

func FuzzMessage(f *testing.F) {
	for _, v := range []any{&question{Kind: kindJoin, Name: "n2", Secret: []byte("s"), Request: []byte("r")}, &answer{Refused: "no"}} {
		var b bytes.Buffer
		if err := send(&b, maxAnswer, v); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0, 0, 0, 2, '{', '}'})
	f.Fuzz(func(t *testing.T, b []byte) {
		var q question
		if receive(bytes.NewReader(b), maxQuestion, &q) == nil {
			var out bytes.Buffer
			if err := send(&out, maxAnswer, &q); err != nil {
				t.Fatal(err)
			}
			var again question
			if err := receive(&out, maxAnswer, &again); err != nil {
				t.Fatal(err)
			}
		}
		var a answer
		if receive(bytes.NewReader(b), maxAnswer, &a) == nil && len(a.Welcome) > maxAnswer {
			t.Fatal("a welcome beyond the bound")
		}
	})
}
