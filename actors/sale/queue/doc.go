// Package queue is the one fair queue of one event: who came when, how many are ahead, whose turn it is, who is
// shopping, and when each of these runs out.
//
// It promises four things. A place is given in log order and is never reused. An account has at most one live
// place, whatever tabs, devices or nodes it comes from. Nobody overtakes: of those who wait, the smallest place is
// offered first, and the number ahead of somebody in line never rises. Offered and shopping together never exceed
// the cap in force; lowering the cap sends nobody out.
//
// A fan who is away when the turn comes is parked: the line passes, the place stays. Coming back within the grace
// puts the fan at the front again, in the lane of the returned, which is served before the line and is not counted
// in the number ahead of those in line.
//
// The package is pure: no clock, randomness, goroutine, float or map iteration. Time is unix milliseconds UTC and comes
// with each call; a call with an earlier time than a previous one counts as made at the previous one. A Queue belongs
// to one goroutine; a View may be read by any number.
//
// Absent on purpose: lanes and quotas, the draw, the transparency log, and every estimate. The first three give
// places their order before they come here; estimates use floats and live with the edge.
package queue
