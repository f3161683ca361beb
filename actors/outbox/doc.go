// Package outbox runs a sale's side effects: payments, refunds, mail. They are intents in the replicated state;
// the node that leads the sale runs them, at least once, with a key that never changes for one intent, and the
// outcome goes back to the sale as a command. A leader that dies in between leaves the intent open, and the next
// leader runs it again with the same key.
//
// Payments, questions about payments and letters have hands of their own, so what hangs holds up only its like. An
// outcome that cannot be recorded, or that the sale refuses, is brought again with growing pauses.
//
// The package decides nothing about orders: it carries questions to the provider and answers to the machine. It
// has no queue of its own, the intents are the queue.
package outbox
