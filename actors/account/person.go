package account

// Account as read by the outside.
type Account struct {
	ID       ID
	Email    string
	Name     string
	Lang     string
	Hash     string // PHC argon2id string; empty: cannot sign in with a password
	Role     Role
	Disabled bool
	Erased   bool    // only the id is left
	Virtual  bool    // made by MintFans; may only act on Event
	Event    EventID // of a virtual fan
	Created  int64   // unix milliseconds
	Changed  int64
	Sessions int
}

// ByEmail finds an account by its address as [NormalizeEmail] gives it.
func (s *State) ByEmail(email string) (Account, bool) {
	n := s.byEmail(email)
	if n == 0 {
		return Account{}, false
	}
	return s.Account(ID(n))
}

// Account reads one; an erased one is found, with nothing in it.
func (s *State) Account(id ID) (Account, bool) {
	if id == 0 || id > ID(s.accounts.n) {
		return Account{}, false
	}
	a := s.accounts.at(uint32(id))
	email, name, hash := s.texts3(a)
	return Account{
		ID: id, Email: string(email), Name: string(name), Hash: string(hash), Lang: langs()[a.lang], Role: a.role,
		Disabled: a.is(flagDisabled), Erased: a.is(flagErased), Virtual: a.is(flagVirtual), Event: a.event,
		Created: a.created, Changed: a.changed, Sessions: int(a.sessions),
	}, true
}

// Accounts is how many accounts were ever made; their ids are 1 to that number.
func (s *State) Accounts() int { return int(s.accounts.n) }

func (s *State) texts3(a *account) (email, name, hash []byte) {
	b := s.texts.bytes(a.text, a.textLen())
	e, n := int(a.emailLen), int(a.nameLen)
	return b[:e:e], b[e : e+n : e+n], b[e+n:]
}

func (s *State) byEmail(email string) uint32 {
	if len(email) > MaxEmail {
		return 0
	}
	return s.emails.find(hashText(email), func(n uint32) bool {
		a := s.accounts.at(n)
		return string(s.texts.bytes(a.text, int(a.emailLen))) == email
	})
}

// setText replaces the texts of an account that is being edited; the bytes of the old ones are wiped.
func (s *State) setText(a *account, email, name, hash string) {
	s.texts.drop(a.text, a.textLen())
	a.text = s.texts.put(email, name, hash)
	a.emailLen, a.nameLen, a.hashLen = uint8(len(email)), uint8(len(name)), uint8(len(hash))
}

func (s *State) create(c *Command) Result {
	if c.Role > RoleFan {
		if r := s.may(c.Actor, RoleOwner); r != Done {
			return refused(r)
		}
	} else if r := s.may(c.Actor, RoleOperator); r != Done {
		return refused(r)
	}
	if s.byEmail(c.Email) != 0 {
		return refused(RefusedEmailTaken)
	}
	if s.accounts.n >= MaxAccounts {
		return refused(RefusedFull)
	}
	lang, _ := langCode(c.Lang)
	id := s.newAccount(c.Email, c.Name, c.Hash)
	a := s.accounts.edit(uint32(id))
	a.lang, a.role = lang, c.Role
	if a.role == RoleOwner {
		s.owners++
	}
	s.touched(id)
	if c.Role > RoleFan || c.Actor != 0 {
		s.book(c, "account.create", id.String(), [32]byte{}, s.digestAccount(id))
	}
	return Result{Account: id}
}

func (s *State) newAccount(email, name, hash string) ID {
	n := s.accounts.add()
	a := s.accounts.edit(n)
	a.created = s.at
	s.setText(a, email, name, hash)
	s.emails.insert(hashText(email), n)
	return ID(n)
}

func (s *State) setPassword(c *Command) Result {
	a := s.find(c.Account)
	if a == nil {
		return refused(RefusedUnknown)
	}
	own := c.Actor == 0 || c.Actor == c.Account
	if r := s.mayTouch(c.Actor, c.Account, a); r != Done {
		return refused(r)
	}
	if own && a.is(flagDisabled) {
		return refused(RefusedDisabled)
	}
	if a.is(flagVirtual) {
		return refused(RefusedState) // a virtual fan can't sign in
	}
	before := s.digestAccount(c.Account)
	a = s.accounts.edit(uint32(c.Account))
	email, name, _ := s.texts3(a)
	s.setText(a, string(email), string(name), c.Hash)
	n := s.dropSessions(uint32(c.Account), &c.TokenHash)
	s.touched(c.Account)
	if !own {
		s.book(c, "account.password", c.Account.String(), before, s.digestAccount(c.Account))
	}
	return Result{Account: c.Account, Number: uint64(n)}
}

func (s *State) setLang(c *Command) Result {
	a := s.find(c.Account)
	if a == nil {
		return refused(RefusedUnknown)
	}
	if a.is(flagDisabled) {
		return refused(RefusedDisabled)
	}
	a = s.accounts.edit(uint32(c.Account))
	a.lang, _ = langCode(c.Lang)
	s.touched(c.Account)
	return Result{Account: c.Account}
}

func (s *State) setRole(c *Command) Result {
	a := s.find(c.Account)
	if a == nil {
		return refused(RefusedUnknown)
	}
	if r := s.may(c.Actor, RoleOwner); r != Done {
		return refused(r)
	}
	if a.is(flagVirtual) {
		return refused(RefusedState)
	}
	if c.Role != RoleOwner && s.isLastOwner(a) {
		return refused(RefusedLastOwner)
	}
	before := s.digestAccount(c.Account)
	a = s.accounts.edit(uint32(c.Account))
	s.countOwner(a, -1)
	a.role = c.Role
	s.countOwner(a, 1)
	s.touched(c.Account)
	s.book(c, "account.role", c.Account.String(), before, s.digestAccount(c.Account))
	return Result{Account: c.Account}
}

func (s *State) disable(c *Command) Result {
	a := s.find(c.Account)
	if a == nil {
		return refused(RefusedUnknown)
	}
	if r := s.mayTouch(c.Actor, c.Account, a); r != Done {
		return refused(r)
	}
	if s.isLastOwner(a) {
		return refused(RefusedLastOwner)
	}
	before := s.digestAccount(c.Account)
	a = s.accounts.edit(uint32(c.Account))
	s.countOwner(a, -1)
	a.flags |= flagDisabled
	n := s.dropSessions(uint32(c.Account), nil)
	s.touched(c.Account)
	s.book(c, "account.disable", c.Account.String(), before, s.digestAccount(c.Account))
	return Result{Account: c.Account, Number: uint64(n)}
}

func (s *State) enable(c *Command) Result {
	a := s.find(c.Account)
	if a == nil {
		return refused(RefusedUnknown)
	}
	if c.Actor == c.Account {
		return refused(RefusedDisabled) // nobody lets themselves back in
	}
	if r := s.mayTouch(c.Actor, c.Account, a); r != Done {
		return refused(r)
	}
	before := s.digestAccount(c.Account)
	a = s.accounts.edit(uint32(c.Account))
	s.countOwner(a, -1)
	a.flags &^= flagDisabled
	s.countOwner(a, 1)
	s.touched(c.Account)
	s.book(c, "account.enable", c.Account.String(), before, s.digestAccount(c.Account))
	return Result{Account: c.Account}
}

// erase keeps the id, because orders and tickets name it, and nothing else. A disabled account stays disabled in
// name only: there is no address left to sign in with.
func (s *State) erase(c *Command) Result {
	a := s.find(c.Account)
	if a == nil {
		return refused(RefusedUnknown)
	}
	if r := s.mayTouch(c.Actor, c.Account, a); r != Done {
		return refused(r)
	}
	if s.isLastOwner(a) {
		return refused(RefusedLastOwner)
	}
	before := s.digestAccount(c.Account)
	a = s.accounts.edit(uint32(c.Account))
	n := s.dropSessions(uint32(c.Account), nil)
	email, _, _ := s.texts3(a)
	s.emails.remove(hashText(string(email)), uint32(c.Account))
	s.setText(a, "", "", "")
	s.countOwner(a, -1)
	a.role, a.lang, a.flags = RoleFan, 0, a.flags|flagErased
	s.touched(c.Account)
	if c.Actor != 0 && c.Actor != c.Account {
		s.book(c, "account.erase", c.Account.String(), before, s.digestAccount(c.Account))
	}
	return Result{Account: c.Account, Number: uint64(n)}
}

func (s *State) countOwner(a *account, by int) {
	if a.role == RoleOwner && !a.is(flagDisabled) {
		s.owners += by
	}
}

func (s *State) isLastOwner(a *account) bool {
	return s.owners == 1 && a.role == RoleOwner && !a.is(flagDisabled)
}
