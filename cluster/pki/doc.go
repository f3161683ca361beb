// Package pki lets the nodes of a cluster know each other: one authority for the cluster, made when it is founded, and
// a certificate for each node that says its name and nothing else.
//
// The promises. Both ends of every connection between nodes prove which node they are, by TLS 1.3. A node gets its
// certificate by an invitation: good for one node of one name and role, once, for minutes. Neither the invitation's
// secret nor anything that follows from it is on any disk. Certificates renew themselves while the node runs, and
// nothing has to be restarted for it.
//
// Deliberately absent: revocation (a node that shall not come back leaves the cluster, which then ignores it; against a
// stolen key the cluster has to be founded anew from a backup), a second authority, and what a welcome says: to this
// package it is some bytes.
//
// Start reading at Open, then Desk and Join.
package pki
