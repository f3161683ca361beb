// Package pass turns an issued ticket into what a person carries: a signed code, its QR symbol, a PDF
// page, and a calendar entry. It also says money and dates in the three languages of the house.
//
// The promise: a code verifies with the published key alone, without a network and without the
// database, and no change to a code, however small, verifies. The same input gives the same bytes,
// so a mail that is sent twice carries the same attachments twice.
//
// Deliberately absent: whether a ticket is still valid. Revocation, re-issue and double entry are
// facts of the sale and are decided by the gate scan; a code only proves who issued it. There is no
// holder's name in a code either: what a stranger photographs names nobody.
//
// Everything here is safe for concurrent use. Nothing is logged and nothing but [Open] touches the disk.
package pass
