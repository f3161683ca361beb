package account

import "strconv"

// Refusal is why a command was not done. It is replicated, counted and shown, so it is a number and not an
// error; numbers are never reused.
type Refusal uint16

const (
	Done                Refusal = 0
	RefusedEmailTaken   Refusal = 1
	RefusedUnknown      Refusal = 2  // no such account, session or event, or it was erased
	RefusedDisabled     Refusal = 3  // the account, or the actor, is disabled
	RefusedNotRehearsal Refusal = 4  // virtual fans only come to rehearsals
	RefusedInvalid      Refusal = 5  // malformed; [Command.Check] says what
	RefusedFull         Refusal = 6  // a bound of the machine is reached
	RefusedMismatch     Refusal = 7  // the key was used with another body
	RefusedRole         Refusal = 8  // the actor's role does not allow it
	RefusedState        Refusal = 9  // not from this state, or it can't be changed once set
	RefusedLastOwner    Refusal = 10 // somebody must be able to give roles
	RefusedTokenTaken   Refusal = 11 // the token belongs to another session
	RefusedExpired      Refusal = 12 // it would end before it begins
	RefusedBusy         Refusal = 13 // enough for this entry: send the same command again
)

const refusals = 14

func refusalNames() [refusals]string {
	return [...]string{
		"done", "email_taken", "unknown", "disabled", "not_rehearsal", "invalid", "full", "mismatch", "role", "state",
		"last_owner", "token_taken", "expired", "busy",
	}
}

// String is the refusal's stable name for metrics and answers.
func (r Refusal) String() string {
	if names := refusalNames(); int(r) < len(names) {
		return names[r]
	}
	return "refusal_" + strconv.Itoa(int(r))
}

// Refusals lists every refusal, Done included, in order.
func Refusals() []Refusal {
	all := make([]Refusal, refusals)
	for i := range all {
		all[i] = Refusal(i)
	}
	return all
}

// Result answers one command.
type Result struct {
	Refusal  Refusal
	Repeated bool    // this is the stored result of an earlier command with the same key
	Account  ID      // made or changed; for MintFans the first of Count in a row
	Event    EventID // made or changed
	Shard    int     // where the event lives
	Number   uint64  // sessions revoked; first fan's number for MintFans; entry's number for Audit; the epoch for Epoch
}
