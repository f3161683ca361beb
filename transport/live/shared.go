package live

import (
	"slices"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/catraca/catraca/actors/gateway"
	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/wire"
)

// shared keeps the frames that are the same for everyone, encoded once.
type shared struct {
	mu     sync.Mutex
	ticks  map[sale.EventID]*encoded
	stocks map[sale.EventID]*encoded
	seq    uint64
}

// encoded is the newest frame of one kind and event.
type encoded struct {
	of  any
	msg []byte // a whole frame
}

func (s *shared) tick(f *gateway.TickFrame) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.ticks[f.Event]; ok && e.of == f {
		return e.msg
	}
	if s.ticks == nil {
		s.ticks = make(map[sale.EventID]*encoded)
	}
	s.seq++
	down := wire.TickDown{
		T: "tick", Seq: s.seq, Event: f.Config.Slug, Front: uint32(f.Front), Waiting: f.Waiting, Shopping: f.Shopping,
		Rate: f.Rate, Phase: f.Phase.String(), Stock: []wire.StockRow{}, Message: f.Message,
		PauseReason: f.PauseReason, Now: wire.Time(f.Now),
	}
	for i, c := range f.Config.Plan.Categories {
		down.Stock = append(down.Stock, wire.StockRow{Category: i, Free: f.Stock[i].Free})
		total := wire.Money{Amount: c.Price + c.Fee, Currency: f.Config.Currency}
		if i == 0 || total.Amount < down.PriceFrom.Amount {
			down.PriceFrom = total
		}
		if i == 0 || total.Amount > down.PriceTo.Amount {
			down.PriceTo = total
		}
	}
	msg := prepare(down)
	s.ticks[f.Event] = &encoded{of: f, msg: msg}
	return msg
}

func (s *shared) stock(f *gateway.StockFrame) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.stocks[f.Event]; ok && e.of == f {
		return e.msg
	}
	if s.stocks == nil {
		s.stocks = make(map[sale.EventID]*encoded)
	}
	s.seq++
	down := wire.StockDown{T: "stock", Seq: s.seq, Version: f.Version, Changes: []wire.UnitState{}, Areas: []wire.AreaState{}}
	for i, u := range f.Units {
		down.Changes = append(down.Changes, wire.UnitState{Unit: uint32(u), Letter: wire.UnitLetter(f.Status[i])})
	}
	for _, a := range f.Areas {
		down.Areas = append(down.Areas, wire.AreaState{uint32(a.Unit), a.Free})
	}
	msg := prepare(down)
	s.stocks[f.Event] = &encoded{of: f, msg: msg}
	return msg
}

// prepare is a whole frame.
func prepare(v any) []byte {
	b := endFrame(appendAny(beginFrame(nil), v), 0, websocket.TextMessage)
	return slices.Clip(b)
}
