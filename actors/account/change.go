package account

// ChangeKind says what a Change is about.
type ChangeKind uint8

const (
	ChangeSessionOpened  ChangeKind = iota + 1 // TokenHash, Account, Expires
	ChangeSessionRevoked                       // TokenHash, Account: revoked, pushed out or expired
	ChangeAccount                              // Account was made or changed; read it with [State.Account]
	ChangeEvent                                // Event was made or changed
	ChangeKey                                  // a verification key was published
	ChangeAudit                                // Number of the entry
)

// Change is one thing that a batch did, for those who keep a view of their own. Flat, so that a batch's changes
// are one slice.
type Change struct {
	Kind      ChangeKind
	Event     EventID
	Account   ID
	Number    uint64
	Expires   int64
	TokenHash [32]byte
}
