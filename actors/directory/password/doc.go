// Package password hashes and checks passwords with argon2id, never more at once than the machine can bear.
//
// One hash takes 19 MiB and some twenty milliseconds of a core by design, so a crowd that signs in together is a
// self-made denial of service. A [Pool] runs a fixed number of hashes at a time, queues what amounts to a bounded
// wait, and refuses the rest at once with the time to come back.
//
// It knows no accounts and stores nothing. An account that does not exist takes the same time as a wrong
// password: give [Pool.Verify] an empty hash. There are no composition rules; [Check] asks for length and turns
// away the best-known passwords.
package password
