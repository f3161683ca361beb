// Package drive runs a scenario against servers and finds out what came of it: it puts an event on sale by the
// administrator's calls, lets the fans come when they are due, breaks what the scenario wants broken, watches the
// servers' metrics, and at the end holds the fans' journals against the servers' books.
//
// The promise: fans come by the clock, whatever the servers do; one that starts late is counted as late. However a run
// ends, it is audited, and what is told of it is written into its [record.Run].
//
// Deliberately absent: starting and killing servers, which is the caller's ([Servers]), and showing results.
package drive
