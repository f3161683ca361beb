package queue

import "testing"

func TestIssuedFindsEveryPlaceByItsNumber(t *testing.T) {
	q := New(Policy{}.WithDefaults())
	q.Join(7, 100)
	q.Join(8, 200)
	q.Leave(7, 300)
	q.Join(7, 400)
	for _, want := range []Info{
		{Place: 1, Account: 7, State: Left, JoinedAt: 100},
		{Place: 2, Account: 8, State: Waiting, JoinedAt: 200},
		{Place: 3, Account: 7, State: Waiting, JoinedAt: 400},
	} {
		if got, ok := q.Issued(want.Place); !ok || got != want {
			t.Errorf("Issued(%d) = %+v, %t; want %+v", want.Place, got, ok, want)
		}
	}
	for _, p := range []Place{0, 4} {
		if got, ok := q.Issued(p); ok {
			t.Errorf("Issued(%d) = %+v, want nothing", p, got)
		}
	}
}
