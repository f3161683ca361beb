// Package bench holds virtual fans: they do over the public interface what a browser does, from the queue to the
// ticket, and write down what the server acknowledged, so that a test can hold the server to it.
//
// The promise: a fan never gives up because a connection, a request or the server was lost; it asks again, with the
// same idempotency key. What a fan was told is in its [Journal]; [Audit] holds the journals against each other,
// [AuditLedger] against the server's own books, and [AuditMoney] those against the payment provider's.
//
// A virtual fan knows nothing of the server's insides and imports only package wire of it. Deliberately absent:
// arrival models, histograms and reports.
package bench
