// Package bench holds virtual fans: they do over the public interface what a browser does, from the queue to the
// ticket, and write down what the server acknowledged, so that a test can hold the server to it.
//
// A virtual fan knows nothing of the server's insides and imports only package wire of it.
package bench
