package event

import (
	"context"

	"github.com/catraca/catraca/actors/relay"
	"github.com/catraca/catraca/actors/sale"
)

// Repeatable is for the tests.
var Repeatable = repeatable

// Follow is what happens after another node has done a command.
func (s *Service) Follow(ctx context.Context, id sale.EventID, index uint64, c *sale.Command) error {
	h, err := s.hub(id)
	if err != nil {
		return err
	}
	return relay.Follow(ctx, 0, &relay.Question[*machine, sale.Result]{Repeatable: repeatable(c), Handle: h.handle}, index)
}

// Applied is the last entry that this node has of a sale.
func (s *Service) Applied(id sale.EventID) uint64 {
	h, err := s.hub(id)
	if err != nil {
		return 0
	}
	return h.handle.Applied()
}
