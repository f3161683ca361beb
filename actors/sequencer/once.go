package sequencer

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// AskOnce is [AskFor] without another try: [ErrNotLeader] and [ErrUnknown] come back as they are, and so does, as
// unknown, an end of patience or of ctx. For those who look for the leader elsewhere then.
func AskOnce[M Machine[R], R any](
	ctx context.Context, patience time.Duration, h *Handle[M, R], cmd []byte, keep func(R) R,
) (R, uint64, error) {
	var none R
	w := h.waiter(keep)
	if err := h.submit(cmd, w, h.until(patience)); err != nil {
		return none, 0, err
	}
	err := w.wait(ctx)
	if err == nil {
		res, index := w.res, w.index
		h.release(w)
		return res, index, nil
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return none, 0, err
}
