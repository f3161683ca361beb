// Package hall is the map of seats as a fan sees it: the plan, what is free of it, and the places that somebody chooses
// who wants to sit at a certain spot.
//
// The promise: everything that came over the network is checked before it is used, a plan is decoded once for all fans,
// and what all of them are told in the same bytes is decoded once as well. Choosing is pure: the same picture and wish
// give the same places.
//
// Deliberately absent: requests and sockets (package bench), and the server's own rules for seats, which a fan can only
// guess at: what it chooses may be refused.
package hall
