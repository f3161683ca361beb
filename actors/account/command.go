package account

// Op is the kind of a command; it is stored in the log, so a number is never reused.
type Op uint8

const (
	OpTick             Op = 1  // only moves time
	OpCreate           Op = 2  // Email, Name, Lang, Hash, Role; a Role above fan needs an owner as Actor, or the house
	OpSessionOpen      Op = 3  // Account, TokenHash, Expires
	OpSessionRevoke    Op = 4  // TokenHash
	OpSessionRevokeAll Op = 5  // Account; the session of TokenHash, if any, is kept
	OpPasswordSet      Op = 6  // Account, Hash; revokes every session but that of TokenHash
	OpLangSet          Op = 7  // Account, Lang
	OpRoleSet          Op = 8  // Actor, Account, Role
	OpDisable          Op = 9  // Actor, Account; revokes its sessions
	OpEnable           Op = 10 // Actor, Account
	OpErase            Op = 11 // Account; removes e-mail, name, hash and sessions; the id stays
	OpEventPut         Op = 12 // Actor, Slug, Name, Summary, State, Rehearsal, Shard when Pinned; creates or updates
	OpEventState       Op = 13 // Actor, Event, State
	OpMintFans         Op = 14 // Actor, Event, Count, Seed, Lang, Expires
	OpAudit            Op = 15 // Actor, Action, Target, Reason, Detail, Before, After: done elsewhere, booked here
	OpKeyPut           Op = 16 // Actor, Slug names the key, Public; a published key never changes
	OpEpoch            Op = 17 // Count is the epoch to go to, from the house only; for a backup that is restored
)

// Command is one request to the machine. It is one flat struct; the comment on each Op names the fields that
// count, all others are zero. Every command may carry Key and Body; every command with an Actor may carry
// Reason, which goes to the audit.
//
// Actor is the account that asks. Zero is the house itself, a person at the server's own console: it may do
// everything and is booked as account/0. On PasswordSet, LangSet and Erase a zero Actor, or one equal to
// Account, is the account's own holder.
type Command struct {
	Op        Op
	Key       Key      // deduplication: same key and same body give the stored result
	Body      [16]byte // keyed digest of the caller's request, see below
	Account   ID
	Actor     ID
	Event     EventID
	Role      Role
	State     EventState
	Rehearsal bool
	Pinned    bool
	Shard     uint16
	Count     uint32
	Expires   int64 // unix milliseconds
	TokenHash [32]byte
	Seed      [32]byte
	Before    [32]byte
	After     [32]byte
	Email     string // as [NormalizeEmail] gives it
	Name      string
	Lang      string // one of [Langs]
	Hash      string // PHC argon2id string
	Slug      string // [a-z0-9-]{1,64}
	Action    string // [a-z0-9._-]{1,64}
	Target    string
	Reason    string
	Detail    string
	Summary   []byte
	Public    []byte
}

// Two commands with one Key are the same when their encodings are, or, when both have one, when their Body is.
// Body exists because a person's repeated request makes a new salt and so another Hash. It must be keyed (HMAC
// under a key of the servers): a bare digest of a request with a password in it would be a fast hash of the
// password.
