// Package directory runs the house's own machine on shard 0: accounts, sessions, roles, the catalogue of events
// and the audit of what operators did.
//
// Who a request comes from is asked at every door, so it is answered from an index beside the machine, without
// a mailbox: a session that was revoked is unknown here as soon as the entry is applied. Passwords are hashed
// outside, in package password; this package sees only the result.
package directory
