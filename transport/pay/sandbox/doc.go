// Package sandbox is a payment server that behaves like Stripe without moving money: stateful payments with Stripe's
// states, test cards, hosted pages for the payer, Pix, refunds, idempotency, signed webhooks with retries, and faults
// on request. The production client talks to it over real HTTP.
//
// Promise: what was answered is what is stored; with a state file, payments, refunds, idempotency keys and webhooks
// not yet delivered survive the end of the process at any moment (an operating-system crash may lose the last
// moments: it is a test server). With the same seed and the same calls, ids and faults are the same.
//
// Deliberately absent: real card data (only the last four digits are kept), customers, saved payment methods,
// Checkout, Connect, and every endpoint that Catraca does not call.
//
// Start reading at server.go for the requests, confirm.go for what a card does, courier.go for the webhooks.
package sandbox
