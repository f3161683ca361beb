// Package page serves the fan's pages: the event, sign-in, the queue, the seats, the payment and the ticket, in
// Portuguese, English and Spanish, phone first.
//
// It promises that every screen is an address that works after a reload and, up to paying, without scripts; that a
// page loads nothing from anybody else, runs nothing inline and says so in its Content-Security-Policy; and that the
// queue page with its style and scripts stays under 14 KB compressed.
//
// The package knows nothing of the sale. Pages are filled by calling the JSON API in this process with the visitor's
// own cookies, language and address, so a page can never show more than the API would answer, and every form ends in
// the same call a program would make. Scripts (files/js) make the pages live; the texts they need travel with the page.
//
// Deliberately absent: a build step, a framework, fonts, images of other hosts, a service worker, and any state of a
// visitor kept here.
//
// Start with page.go (options and routes), then screen_queue.go and files/js/queue.js.
package page
