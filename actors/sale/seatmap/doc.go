// Package seatmap keeps the places of one event: the plan they stand in, who has each of them, and which
// free ones are the best for a group.
//
// It promises that a place has at most one owner, that free + held + sold + blocked equals the capacity of
// every category and area at all times ([Inventory.Verify] recounts it), and that the same plan and the same
// calls give the same answers on every machine: there is no clock, no randomness and no floating point here.
//
// Deliberately absent: expiry of holds, limits, prices of orders and who may buy. The caller decides those
// and calls with units it has checked; a call that breaks the rules panics, because the caller's state is
// already wrong. An [Inventory] keeps caches, so even its reading methods belong to one goroutine.
package seatmap
