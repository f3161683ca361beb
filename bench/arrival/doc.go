// Package arrival says when the fans of a run come.
//
// The promise: a curve is a pure function of its seed. It knows nothing of the server, so arrivals do not wait for
// answers: the model is open. Times never decrease, and the same seed gives the same times on any machine.
//
// Deliberately absent: clocks and goroutines; package drive starts each fan when it is due.
package arrival
