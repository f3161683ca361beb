// Package event runs the sales of a node: it gives package sale's pure machine to a sequencer on every shard,
// answers commands, and hands what each batch changed to subscribers of this node.
//
// Reads come in two kinds. A [View] is an immutable picture, at most a fifth of a second old, that any number of
// goroutines may look at; [Service.Read] looks at the committed state itself, on the machine's own goroutine.
// There is no lock around a sale's state, and nothing here decides anything about a sale.
package event
