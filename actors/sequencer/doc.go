// Package sequencer is the shell around a pure machine: one proto.actor on every replica owns the machine's
// committed state, and on the leader the same actor puts commands into their order.
//
// Commands gather while a batch is being committed, so the disk sets the batch size and there is no linger
// timer. They gather beside the mailbox, which gets one message when the actor has run dry and none for each
// command. The intake is bounded and refuses with a retry-after. Time is stamped once, by the leader, into the
// entry. A panic or an invariant violation while applying stops the process: the state is half changed, and
// every replica would fail at the same entry.
//
// A machine freezes in an instant; what becomes of the frozen state, a snapshot or the hash by which replicas are
// compared at a checkpoint, is done beside the actor. A replica that does not lead tells how far it has come, so
// that whoever was answered by the leader can wait for it here.
//
// The package knows neither seats nor accounts; package event and package directory give it their machines.
// It does not route between nodes: a command reaches the leader's sequencer or is answered [ErrNotLeader].
package sequencer
