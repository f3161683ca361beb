package account

import (
	"fmt"
	"strings"
)

// FieldError says what is wrong with one field of a command. Field is its name in snake case.
type FieldError struct{ Field, Problem string }

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

func bad(field, format string, args ...any) error {
	return &FieldError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// Check says what is malformed about the command by itself, as a [*FieldError], before it meets any state. The
// machine refuses a command that fails it with [RefusedInvalid]; callers check first, to answer with the reason.
func (c *Command) Check() error {
	var err error
	switch c.Op {
	case OpTick, OpSessionRevoke:
	case OpEventState:
		err = checkState(c.State)
	case OpCreate:
		err = c.checkCreate()
	case OpSessionOpen:
		err = c.checkSession()
	case OpSessionRevokeAll, OpDisable, OpEnable, OpErase:
		err = checkAccount(c.Account)
	case OpPasswordSet:
		err = first(checkAccount(c.Account), CheckHash(c.Hash))
	case OpLangSet:
		err = first(checkAccount(c.Account), checkLang(c.Lang))
	case OpRoleSet:
		err = first(checkAccount(c.Account), checkRole(c.Role))
	case OpEventPut:
		err = c.checkEventPut()
	case OpMintFans:
		err = c.checkMint()
	case OpAudit:
		err = first(CheckAction(c.Action), checkLine("target", c.Target, MaxTarget))
	case OpKeyPut:
		err = c.checkKey()
	case OpEpoch:
		err = c.checkEpoch()
	default:
		err = bad("op", "%d is not known", c.Op)
	}
	return first(err, checkLine("reason", c.Reason, MaxReason), checkLine("detail", c.Detail, MaxDetail))
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Command) checkCreate() error {
	if err := first(checkEmail(c.Email), CheckName(c.Name), checkLang(c.Lang), CheckHash(c.Hash), checkRole(c.Role)); err != nil {
		return err
	}
	if strings.HasSuffix(c.Email, "@"+rehearsalDomain) {
		return bad("email", "%s is kept for virtual fans", rehearsalDomain)
	}
	return nil
}

func (c *Command) checkSession() error {
	if err := checkAccount(c.Account); err != nil {
		return err
	}
	if c.TokenHash == [32]byte{} {
		return bad("token_hash", "is empty")
	}
	return nil
}

func (c *Command) checkEventPut() error {
	if err := first(CheckSlug(c.Slug), CheckName(c.Name), checkState(c.State)); err != nil {
		return err
	}
	if len(c.Summary) > MaxSummary {
		return bad("summary", "has %d bytes, at most %d are allowed", len(c.Summary), MaxSummary)
	}
	return nil
}

func (c *Command) checkMint() error {
	if c.Count < 1 || c.Count > MaxMint {
		return bad("count", "is %d, 1 to %d are allowed", c.Count, MaxMint)
	}
	return checkLang(c.Lang)
}

func (c *Command) checkKey() error {
	if err := CheckSlug(c.Slug); err != nil {
		return err
	}
	if n := len(c.Public); n < 1 || n > MaxPublicKey {
		return bad("public", "has %d bytes, 1 to %d are allowed", n, MaxPublicKey)
	}
	return nil
}

func (c *Command) checkEpoch() error {
	if c.Count > MaxEpoch {
		return bad("count", "is %d, at most %d is allowed", c.Count, MaxEpoch)
	}
	return nil
}

func checkAccount(id ID) error {
	if id == 0 {
		return bad("account", "is missing")
	}
	return nil
}

func checkRole(r Role) error {
	if r > RoleOwner {
		return bad("role", "%d is not known", r)
	}
	return nil
}

func checkState(s EventState) error {
	if s > EventArchived {
		return bad("state", "%d is not known", s)
	}
	return nil
}

func checkLang(tag string) error {
	if _, ok := langCode(tag); !ok {
		return bad("lang", "%q is not spoken here, use one of %s", tag, strings.Join(Langs(), ", "))
	}
	return nil
}

// CheckName checks a person's or an event's name: 1 to 200 bytes of UTF-8 without control characters, not
// beginning or ending with a space.
func CheckName(s string) error {
	if s == "" {
		return bad("name", "is empty")
	}
	if s[0] == ' ' || s[len(s)-1] == ' ' {
		return bad("name", "begins or ends with a space")
	}
	return checkLine("name", s, MaxName)
}

// CheckSlug checks the part of an address that names an event, or the name of a key.
func CheckSlug(s string) error {
	if n := len(s); n < 1 || n > MaxSlug {
		return bad("slug", "has %d bytes, 1 to %d are allowed", n, MaxSlug)
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return bad("slug", "%q is not allowed, use a-z, 0-9 and -", s)
		}
	}
	return nil
}

// CheckAction checks the verb of an audit entry.
func CheckAction(s string) error {
	if n := len(s); n < 1 || n > MaxAction {
		return bad("action", "has %d bytes, 1 to %d are allowed", n, MaxAction)
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return bad("action", "%q is not allowed, use a-z, 0-9, dot, - and _", s)
		}
	}
	return nil
}

// CheckHash checks the shape of a password hash, so that no password in the clear can be stored by mistake.
func CheckHash(s string) error {
	const prefix = "$argon2id$"
	if !strings.HasPrefix(s, prefix) || len(s) > MaxHash {
		return bad("hash", "must be an argon2id PHC string of at most %d bytes", MaxHash)
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return bad("hash", "must be printable ASCII")
		}
	}
	return nil
}

// checkLine checks free text that may be empty.
func checkLine(field, s string, most int) error {
	if len(s) > most {
		return bad(field, "has %d bytes, at most %d are allowed", len(s), most)
	}
	return checkText(field, s)
}
