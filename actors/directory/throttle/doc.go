// Package throttle limits how often something may be tried under one key: sign-ins of an account, or from an
// address. It is asked before a password is hashed, so that guessing costs the guesser and not the house.
//
// A limit delays and never locks: the answer is when to come back, and what was refused does not count. Memory is
// bounded; when it is full the key that was not asked for longest is forgotten, which at worst gives somebody a
// few tries more. Nothing is shared between nodes.
package throttle
