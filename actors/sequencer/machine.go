package sequencer

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Machine is a pure, deterministic state machine. Its one caller is the actor that owns it.
type Machine[R any] interface {
	// Begin opens a batch: time moves to at or stays, whatever is due happens.
	Begin(index uint64, at int64)
	// Command decodes and does one command. What R points to is valid until the next call. An error means the
	// bytes are not a command this binary knows, and the process stops.
	Command(cmd []byte) (R, error)
	// End closes the batch. An error is a violated invariant, and the process stops.
	End() error
	// Index is that of the last entry begun, 0 before the first; Clock the last stamped time; Due the earliest instant
	// at which an empty batch would do something.
	Index() uint64
	Clock() int64
	Due() int64
	// Freeze fixes the state as it is, in an instant: what is large is shared and copied when it is next written to.
	Freeze() Frozen
}

// Foreseer is a Machine that fetches what commands are about to touch. Foresee changes nothing; the commands follow in
// this order, unless one of them ends the process.
type Foreseer interface {
	Foresee(cmds [][]byte)
}

// Frozen is a state that changes no more. Any one goroutine may read it beside the machine.
type Frozen interface {
	AppendSnapshot(dst []byte) []byte
}

// Streamed is a Frozen that need not hold all its bytes at once. EachPart hands them over in order, in pieces that are
// valid during the call, and ends with the first error of fn.
type Streamed interface {
	Frozen
	EachPart(fn func(part []byte) error) error
}

// Proposer puts entries into a shard's log. Package cluster has it.
type Proposer interface {
	// Propose enqueues in call order, and what it took is handed to the shard in the order of the log or its Wait
	// fails. An error means the entry is surely not in the log, unless it wraps [ErrUnknown]. It keeps data.
	Propose(shard int, data []byte, timeout time.Duration) (Pending, error)
}

// Pending is an entry on its way. Wait returns nil once it is committed.
type Pending interface {
	Wait(ctx context.Context) error
}

// Waiter is told the outcome of one command, on the actor's goroutine, and does not block.
type Waiter[R any] interface {
	// Result hands over what the machine answered and the index of the entry; what it keeps it copies. It may not be
	// passed on yet.
	Result(r R, index uint64)
	// Answer ends the wait: nil when the batch is applied and its invariants hold, and then Result came before.
	Answer(err error)
}

// Outcomes of a command that was not answered by the machine.
var (
	// ErrNotLeader means the command was surely not done: ask the leader.
	ErrNotLeader = errors.New("not the leader of this shard")
	// ErrUnknown means the command may or may not be done: send the same command with the same key again.
	ErrUnknown = errors.New("outcome unknown")
	// ErrNoMachine means no such machine lives on the shard.
	ErrNoMachine = errors.New("no such machine")
	// ErrStopped means the process is going down. The command was surely not done.
	ErrStopped = errors.New("stopped")
	// ErrTooLarge means the command does not fit into an entry.
	ErrTooLarge = errors.New("command is too large")
)

// BusyError refuses a command because the intake is full. Nothing was done.
type BusyError struct{ RetryAfter time.Duration }

func (e *BusyError) Error() string {
	return fmt.Sprintf("too many commands are waiting, try again in %v", e.RetryAfter)
}
