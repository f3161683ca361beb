// Package mail writes to buyers and delivers: the letters in three languages, a [Mailer] that hands them to an
// SMTP relay, and a [Sink], a small SMTP server on loopback with an inbox page, so that a demonstration or a
// test has a mailbox without any other program.
//
// The promise: the same order gives the same letter with the same Message-ID and byte-equal attachments, however
// often it is sent; and an error says whether trying again can help. Every connection and every wait is bounded
// by Options.Timeout and by the caller's context.
//
// Deliberately absent: retries and their pace (the outbox has them), a queue on disk, bounces, and signing with
// DKIM (the relay's business). No address of a person is ever logged or put into an error.
package mail
