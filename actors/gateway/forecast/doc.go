// Package forecast says how long a fan will wait and how likely it is that something is left, from what the queue
// itself has measured.
//
// The wait is computed from exposure: turns that ended over the time spent in turns gives how fast a slot comes free, leavers over
// the time spent waiting gives how fast the line thins out. Both are known long before anybody's wait is over, and
// the policy of this very second enters directly, so a changed rate shows at once. It is always a range.
//
// What fans see must not climb without a word: between two publications the pace is held, a publication that makes anybody's
// wait longer carries its reason, and Settle keeps the rest from rising.
//
// Estimates are for people. Nothing here decides who is served, and nothing here is replicated; that is why floats
// are allowed. Exact chances are absent on purpose: three words are what the data can bear.
package forecast
