package api_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/api/apitest"
	"github.com/catraca/catraca/transport/wire"
)

func shopper(t *testing.T, h *apitest.House, cfg *sale.Config) *apitest.Fan {
	t.Helper()
	f := h.Virtual(t, cfg)
	f.Shop(t, cfg)
	return f
}

func TestHold(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := shopper(t, h, cfg)
	ask := wire.HoldRequest{Seats: []uint32{4, 5}, Areas: []wire.AreaCount{{Unit: apitest.Area, Count: 2}}}
	got := apitest.Into[wire.Hold](t, fan.Do(t, "POST", apitest.Path(cfg, "holds"), ask).Want(t, http.StatusCreated))
	want := int64(2*(apitest.FrontPrice+apitest.FrontFee) + 2*(apitest.AreaPrice+apitest.AreaFee))
	if got.Total.Amount != want || len(got.Lines) != 3 || got.Order != nil || got.Renewed || got.Expires == 0 || got.Cap < got.Expires {
		t.Errorf("hold is %+v, want a total of %d", got, want)
	}
	if l := got.Lines[0]; l.Section != "Plateia" || l.Row != "A" || l.Seat != "5" || l.CategoryName != "Frente" || l.Area {
		t.Errorf("line is %+v", l)
	}
	if mine := apitest.Into[wire.Hold](t, fan.Do(t, "GET", apitest.Path(cfg, "holds/me"), nil)); mine.ID != got.ID || mine.Total != got.Total {
		t.Errorf("my hold is %+v", mine)
	}
	p := fan.Do(t, "POST", apitest.Path(cfg, "holds"), wire.HoldRequest{Seats: []uint32{8, 9}}).Problem(t, wire.HoldExists)
	if p.Hold != got.ID {
		t.Errorf("the hold there is: %q, want %q", p.Hold, got.ID)
	}
	// Swapping is one step; what is dropped is free at once.
	swap := wire.HoldChange{Add: &wire.HoldRequest{Seats: []uint32{6}}, Drop: &wire.HoldRequest{Seats: []uint32{4}}}
	changed := apitest.Into[wire.Hold](t, fan.Do(t, "PATCH", apitest.Path(cfg, "holds", got.ID), swap).Want(t, http.StatusOK))
	if units := unitsOf(changed.Lines); !slices.Equal(units, []uint32{5, 6, apitest.Area}) || changed.Total != got.Total {
		t.Errorf("after the swap the hold is %+v", changed)
	}
	renewed := apitest.Into[wire.Hold](t, fan.Do(t, "PATCH", apitest.Path(cfg, "holds", got.ID), wire.HoldChange{Renew: true}).Want(t, http.StatusOK))
	if !renewed.Renewed || renewed.Expires < changed.Expires {
		t.Errorf("renewed: %+v", renewed)
	}
	fan.Do(t, "PATCH", apitest.Path(cfg, "holds", got.ID), wire.HoldChange{Renew: true}).Problem(t, wire.AlreadyRenewed)
	fan.Do(t, "DELETE", apitest.Path(cfg, "holds", got.ID), nil).Want(t, http.StatusNoContent)
	fan.Do(t, "DELETE", apitest.Path(cfg, "holds", got.ID), nil).Problem(t, wire.Expired)
	fan.Do(t, "GET", apitest.Path(cfg, "holds/me"), nil).Problem(t, wire.NotFound)
}

func unitsOf(lines []wire.Line) []uint32 {
	var out []uint32
	for _, l := range lines {
		out = append(out, l.Unit)
	}
	slices.Sort(out)
	return out
}

func TestConflictNamesEveryUnit(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	first, second := shopper(t, h, cfg), shopper(t, h, cfg)
	first.Hold(t, cfg, 12, 13, 14)
	p := second.Do(t, "POST", apitest.Path(cfg, "holds"), wire.HoldRequest{Seats: []uint32{13, 14, 15, 12}}).Problem(t, wire.Conflict)
	slices.Sort(p.Units)
	if !slices.Equal(p.Units, []uint32{12, 13, 14}) {
		t.Errorf("units in conflict are %v", p.Units)
	}
	// All or nothing.
	second.Do(t, "GET", apitest.Path(cfg, "holds/me"), nil).Problem(t, wire.NotFound)
	got := second.Hold(t, cfg, 15, 16)
	p = second.Do(t, "PATCH", apitest.Path(cfg, "holds", got.ID), wire.HoldChange{Add: &wire.HoldRequest{Seats: []uint32{14}}}).Problem(t, wire.Conflict)
	if !slices.Equal(p.Units, []uint32{14}) {
		t.Errorf("units in conflict are %v", p.Units)
	}
}

func TestLimits(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := shopper(t, h, cfg)
	p := fan.Do(t, "POST", apitest.Path(cfg, "holds"), wire.HoldRequest{Seats: []uint32{0, 1, 2, 3, 4}}).Problem(t, wire.Limit)
	if p.Allowed == nil || *p.Allowed != 4 {
		t.Errorf("allowed are %v, want 4", p.Allowed)
	}
	area := func(n uint32) wire.HoldRequest {
		return wire.HoldRequest{Areas: []wire.AreaCount{{Unit: apitest.Area, Count: n}}}
	}
	fan.Do(t, "POST", apitest.Path(cfg, "holds"), area(5)).Problem(t, wire.Limit)
	for _, unknown := range []wire.HoldRequest{{Seats: []uint32{4_000_000_000}}, {Areas: []wire.AreaCount{{Unit: 99, Count: 1}}}} {
		fan.Do(t, "POST", apitest.Path(cfg, "holds"), unknown).Problem(t, wire.UnknownUnit)
	}
}

func TestOrphanIsSuggestedAway(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := shopper(t, h, cfg)
	// Seats 1, 2 and 3 would leave seat 0 alone.
	p := fan.Do(t, "POST", apitest.Path(cfg, "holds"), wire.HoldRequest{Seats: []uint32{1, 2, 3}}).Problem(t, wire.Orphan)
	if len(p.Suggest) != 3 {
		t.Fatalf("suggested are %v", p.Suggest)
	}
	fan.Hold(t, cfg, p.Suggest...)
}

func TestBestAvailable(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	best := func(f *apitest.Fan, b wire.BestRequest) *apitest.Answer {
		return f.Do(t, "POST", apitest.Path(cfg, "holds"), wire.HoldRequest{Best: &b})
	}
	one := shopper(t, h, cfg)
	got := apitest.Into[wire.Hold](t, best(one, wire.BestRequest{Quantity: 3, Category: new(uint16(1))}).Want(t, http.StatusCreated))
	if u := unitsOf(got.Lines); !got.Adjacent || len(u) != 3 || u[2]-u[0] != 2 || u[0] < 10 || u[2] >= 20 {
		t.Errorf("best three of the back are %+v", got)
	}
	wheel := shopper(t, h, cfg)
	got = apitest.Into[wire.Hold](t, best(wheel, wire.BestRequest{Quantity: 2, Accessible: 1}).Want(t, http.StatusCreated))
	if u := unitsOf(got.Lines); !slices.Equal(u, []uint32{28, 29}) {
		t.Errorf("wheelchair place and companion are %v", u)
	}
	third := shopper(t, h, cfg)
	best(third, wire.BestRequest{Quantity: 1, Accessible: 1}).Problem(t, wire.SoldOut)
	best(third, wire.BestRequest{Quantity: 1, MaxPrice: new(int64(5))}).Problem(t, wire.SoldOut)
	best(third, wire.BestRequest{Quantity: 5}).Problem(t, wire.Limit)
	cheap := apitest.Into[wire.Hold](t, best(third, wire.BestRequest{Quantity: 2, MaxPrice: new(int64(apitest.AreaPrice + apitest.AreaFee))}).Want(t, http.StatusCreated))
	if u := unitsOf(cheap.Lines); !slices.Equal(u, []uint32{apitest.Area}) || cheap.Lines[0].Count != 2 {
		t.Errorf("best for little money are %+v", cheap.Lines)
	}
}

func TestHoldRequestsAreChecked(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan := shopper(t, h, cfg)
	for _, c := range []struct{ body, pointer string }{
		{``, "/seats"},
		{`{}`, "/seats"},
		{`{"seats":[1,2,1]}`, "/seats/2"},
		{`{"seats":[1,-2]}`, "/seats/1"},
		{`{"seats":[1.5]}`, "/seats/0"},
		{`{"seats":["1"]}`, "/seats/0"},
		{`{"seats":[4294967296]}`, "/seats/0"},
		{`{"seats":7}`, "/seats"},
		{`{"areas":[{"unit":30,"count":0}]}`, "/areas/0/count"},
		{`{"areas":[{"unit":30,"count":1},{"unit":30,"count":1}]}`, "/areas/1/unit"},
		{`{"areas":[{"unit":30,"count":1,"row":2}]}`, "/areas/0/row"},
		{`{"best":{"quantity":0}}`, "/best/quantity"},
		{`{"best":{"quantity":1},"seats":[1]}`, "/best"},
		{`{"best":{"quantity":1,"category":"front"}}`, "/best/category"},
		{`{"best":{"quantity":1,"scatter":1}}`, "/best/scatter"},
		{`{"chairs":[1]}`, "/chairs"},
		{`{"a/b~c":1}`, "/a~1b~0c"},
		{`[1]`, ""},
		{`{"seats":[1]} {}`, ""},
		{`{"seats":[1]`, ""},
		{"{\"seats\":[1],\"x\xff\":1}", ""},
	} {
		p := fan.Do(t, "POST", apitest.Path(cfg, "holds"), c.body).Problem(t, wire.InvalidRequest)
		if len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointer || p.Errors[0].Detail == "" {
			t.Errorf("%s: errors are %+v, want one at %q", c.body, p.Errors, c.pointer)
		}
	}
	hold := fan.Hold(t, cfg, 0, 1)
	for _, c := range []struct{ body, pointer string }{
		{`{}`, "/add"}, {`{"add":{}}`, "/add"}, {`{"renew":true,"add":{"seats":[3]}}`, "/renew"}, {`{"drop":{"seats":[1,1]}}`, "/drop/seats/1"},
		{`{"add":{"best":{"quantity":1}}}`, "/add/best"}, {`{"add":{"areas":[{"unit":30}]}}`, "/add/areas/0/count"},
	} {
		p := fan.Do(t, "PATCH", apitest.Path(cfg, "holds", hold.ID), c.body).Problem(t, wire.InvalidRequest)
		if len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointer {
			t.Errorf("%s: errors are %+v, want one at %q", c.body, p.Errors, c.pointer)
		}
	}
}

func TestSeatMap(t *testing.T) {
	h := house(t)
	cfg := h.Event(t, nil)
	fan, other := shopper(t, h, cfg), shopper(t, h, cfg)
	type seats struct {
		Version uint64
		Status  string
		Changes []wire.UnitState
		Areas   []struct{ Unit, Free uint32 }
	}
	read := func(f *apitest.Fan, query string) seats {
		return apitest.Into[seats](t, f.Do(t, "GET", apitest.Path(cfg, "seats"+query), nil).Want(t, http.StatusOK))
	}
	all := read(fan, "")
	if len(all.Status) != apitest.Seats || all.Status[0] != 'f' || len(all.Areas) != 1 || all.Areas[0].Free != apitest.AreaSize {
		t.Fatalf("seat map is %+v", all)
	}
	hold := fan.Hold(t, cfg, 4, 5)
	fan.Do(t, "PATCH", apitest.Path(cfg, "holds", hold.ID), wire.HoldChange{Add: &wire.HoldRequest{Areas: []wire.AreaCount{{Unit: apitest.Area, Count: 2}}}}).Want(t, http.StatusOK)
	since := "?since=" + itoa(all.Version)
	changes := func(f *apitest.Fan, letter byte) bool {
		got := read(f, since)
		want := []wire.UnitState{{Unit: 4, Letter: letter}, {Unit: 5, Letter: letter}}
		return got.Status == "" && slices.Equal(got.Changes, want) && got.Areas[0].Free == apitest.AreaSize-2 && got.Version > all.Version
	}
	if !changes(fan, 'm') || !changes(other, 'h') {
		t.Errorf("changes since %d are %+v for me and %+v for others", all.Version, read(fan, since), read(other, since))
	}
	apitest.Eventually(t, "the whole map to follow", func() bool {
		return read(fan, "").Status[3:7] == "fmmf" && read(other, "").Status[3:7] == "fhhf"
	})
	if now := read(fan, "?since="+itoa(read(fan, "").Version)); len(now.Changes) != 0 || now.Status != "" {
		t.Errorf("nothing happened, and the changes are %+v", now)
	}
	fan.Do(t, "GET", apitest.Path(cfg, "seats?since=x"), nil).Problem(t, wire.InvalidRequest)
	h.Nobody().Do(t, "GET", apitest.Path(cfg, "seats"), nil).Problem(t, wire.Unauthenticated)
}
