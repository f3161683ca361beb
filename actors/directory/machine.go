package directory

import (
	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/sequencer"
)

// machine lets a sequencer drive the accounts.
type machine struct{ *account.State }

var _ sequencer.Streamed = (*account.Frozen)(nil)

// Freeze fixes the accounts as they are. The sequencer's goroutine.
func (m machine) Freeze() sequencer.Frozen { return m.State.Freeze() }
