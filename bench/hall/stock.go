package hall

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"github.com/catraca/catraca/transport/wire"
)

// Stocks decodes what the server tells all who look at a map. Everybody is sent the same bytes, so the last ones are
// decoded once for all fans of a process. Any goroutine; what it returns is shared and must not be changed.
type Stocks struct{ last atomic.Pointer[told] }

type told struct {
	raw  []byte
	down *wire.StockDown
}

// IsStock says whether a frame of the live socket is one of those.
func IsStock(b []byte) bool { return bytes.HasPrefix(b, []byte(`{"t":"stock",`)) }

// Decode reads a frame. It keeps no reference to b.
func (s *Stocks) Decode(b []byte) (*wire.StockDown, error) {
	if t := s.last.Load(); t != nil && bytes.Equal(t.raw, b) {
		return t.down, nil
	}
	down := &wire.StockDown{}
	if err := json.Unmarshal(b, down); err != nil {
		return nil, fmt.Errorf("stock frame: %w", err)
	}
	s.last.Store(&told{bytes.Clone(b), down})
	return down, nil
}
