// Package pay takes the money: it implements the outbox's Payer on Stripe's wire and verifies the provider's
// webhooks.
//
// Promise: a repeated call with the same key never moves money twice, also when the provider has long forgotten the
// key; an answer is given only for what the provider said, and everything else is an error that says whether a retry
// can cure it. Cards are authorised when the payer confirms on the hosted page and captured by a call of their own;
// Pix is captured by the provider at once.
//
// Deliberately absent: any decision about orders or seats (actors/sale), retries beyond one short call
// (actors/outbox), card numbers (they only ever reach the hosted page), and global state of the client library.
//
// Start reading at stripe.go; webhook.go is the way back.
package pay
