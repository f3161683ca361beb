// Package account is the house's own books as a pure, deterministic machine: accounts, sessions, roles, the
// catalogue of events, published verification keys, the epoch of identifiers and the audit of what administrators
// did. It lives on shard 0.
//
// There is no goroutine, clock, random source, I/O, logger, metric, float or map in it: the same commands give
// the same state on every replica, whenever they are applied. Time (unix milliseconds) arrives with each batch;
// password hashes, session tokens and seeds are made outside and arrive inside commands. The caller is one
// goroutine, for commands and reads alike; concurrent readers keep an index of their own from [State.Changes].
//
// No password and no session token is ever in it: of a password it has the argon2id string, of a token the
// SHA-256. It does not know what an event sells; an event's summary is opaque bytes. Erasing an account removes
// every personal field from the state, and nothing personal is in the audit.
//
// A batch is Begin, Do for each command, End. Start reading at apply.go.
package account
