// Package api is the HTTP API for fans, organisers, gates and operators. openapi.yaml beside this file is its
// source: a test holds the routes against it.
//
// The shopping operations are one set of functions with two carriers, HTTP here and the live socket in package
// live, so a fan gets the same checks and answers either way. Handlers hold no state of a sale and take no lock:
// they ask the sale, and say what it said. No personal data goes to the log.
package api
