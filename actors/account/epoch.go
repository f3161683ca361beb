package account

import (
	"crypto/sha256"
	"fmt"
)

// MaxEpoch is the last epoch of a house. It is the one of a sale, which has 6 bits for it in its identifiers.
const MaxEpoch = 63

// Epoch in which sales that are made from now on begin their identifiers. Restoring a backup raises it, and that of
// every sale in the backup: an event that was made after the backup is lost with its number, and the next event gets that
// number again, but no identifier of the lost sale.
func (s *State) Epoch() uint8 { return s.epoch }

// raiseEpoch is the house's own: nobody restores a backup over the network.
func (s *State) raiseEpoch(c *Command) Result {
	if c.Actor != 0 {
		return refused(RefusedRole)
	}
	if c.Count <= uint32(s.epoch) {
		return Result{Refusal: RefusedState, Number: uint64(s.epoch)}
	}
	before := digestEpoch(s.epoch)
	s.epoch = uint8(c.Count)
	s.book(c, "epoch.raise", fmt.Sprintf("epoch/%d", s.epoch), before, digestEpoch(s.epoch))
	return Result{Number: uint64(s.epoch)}
}

func digestEpoch(epoch uint8) [32]byte {
	return sha256.Sum256(append([]byte("catraca epoch 1\n"), epoch))
}
