package api

import (
	"context"
	"encoding/hex"
	"net/http"
	"strconv"

	"github.com/catraca/catraca/actors/account"
	"github.com/catraca/catraca/actors/directory"
	"github.com/catraca/catraca/transport/wire"
)

// findAccount looks an account up by its e-mail, or lists those who are more than fans.
func (s *Server) findAccount(ctx context.Context, r *request) (answer, error) {
	query := r.URL.Query()
	if !query.Has("email") {
		return s.listStaff(ctx, r, query.Get("cursor"))
	}
	email, err := account.NormalizeEmail(query.Get("email"))
	if err != nil {
		return answer{}, invalid(r.lang, "/email", "email", err.Error())
	}
	var found account.Account
	var ok bool
	if err := s.o.Directory.ReadStrict(ctx, func(st *account.State) { found, ok = st.ByEmail(email) }); err != nil {
		return answer{}, err
	}
	list := wire.List[wire.Account]{Items: []wire.Account{}}
	if ok {
		list.Items = append(list.Items, accountOf(found))
	}
	return answer{body: list}, nil
}

func accountOf(a account.Account) wire.Account {
	return renderAccount(directory.Person{Account: a.ID, Email: a.Email, Name: a.Name, Lang: a.Lang, Role: a.Role})
}

// One page looks at so many accounts and shows so many of them.
const (
	staffLooked = 100_000
	staffShown  = 100
)

func (s *Server) listStaff(ctx context.Context, r *request, cursor string) (answer, error) {
	var after uint64
	if cursor != "" {
		var err error
		if after, err = strconv.ParseUint(cursor, 10, 32); err != nil {
			return answer{}, invalid(r.lang, "/cursor", "type", "the next of an earlier page")
		}
	}
	var found []account.Account
	var next account.ID
	err := s.o.Directory.Read(ctx, func(st *account.State) {
		last := account.ID(st.Accounts())
		for id := account.ID(after) + 1; id <= last; id++ {
			if len(found) == staffShown || uint64(id)-after > staffLooked {
				next = id - 1
				return
			}
			if a, ok := st.Account(id); ok && a.Role > account.RoleFan {
				found = append(found, a)
			}
		}
	})
	if err != nil {
		return answer{}, err
	}
	list := wire.List[wire.Account]{Items: []wire.Account{}}
	for _, a := range found {
		list.Items = append(list.Items, accountOf(a))
	}
	if next != 0 {
		n := strconv.FormatUint(uint64(next), 10)
		list.Next = &n
	}
	return answer{body: list}, nil
}

// addAccount makes an account with a role: gate staff, operators.
func (s *Server) addAccount(ctx context.Context, r *request) (answer, error) {
	var in struct {
		Email    string `json:"email"`
		Name     string `json:"name"`
		Password string `json:"password"`
		Role     string `json:"role"`
	}
	if err := s.read(r, &in); err != nil {
		return answer{}, err
	}
	email, err := account.NormalizeEmail(in.Email)
	if err != nil {
		return answer{}, invalid(r.lang, "/email", "email", err.Error())
	}
	role, ok := account.ParseRole(in.Role)
	if !ok {
		return answer{}, invalid(r.lang, "/role", "unknown", "one of fan, gate, viewer, operator, owner")
	}
	if err := weak(in.Password, r.lang); err != nil {
		return answer{}, err
	}
	if err := checkName(in.Name, r.lang); err != nil {
		return answer{}, err
	}
	cmd, err := s.newAccount(ctx, r.person.Account, email, in.Name, in.Password, role)
	if err != nil {
		return answer{}, err
	}
	res, err := s.submitAccount(ctx, r, "accounts.add", cmd)
	if err != nil {
		return answer{}, err
	}
	p, _, err := s.o.Directory.Person(ctx, res.Account)
	return answer{status: http.StatusCreated, body: map[string]any{"account": renderAccount(p)}}, err
}

// AddAccount makes an account with a role. Actor 0 is the house itself.
func (s *Server) AddAccount(ctx context.Context, actor account.ID, email, name, pass string, role account.Role) (account.ID, error) {
	cmd, err := s.newAccount(ctx, actor, email, name, pass, role)
	if err != nil {
		return 0, err
	}
	res, err := s.o.Directory.Submit(ctx, &cmd)
	if err != nil {
		return 0, err
	}
	return res.Account, s.accountRefusal(res.Refusal, "")
}

func (s *Server) newAccount(ctx context.Context, actor account.ID, email, name, pass string, role account.Role) (account.Command, error) {
	hash, err := s.o.Passwords.Hash(ctx, pass)
	return account.Command{
		Op: account.OpCreate, Actor: actor, Email: email, Name: name, Lang: "pt-BR", Hash: hash, Role: role,
	}, err
}

func (s *Server) setRole(ctx context.Context, r *request) (answer, error) {
	var in struct {
		Role string `json:"role"`
	}
	if err := s.read(r, &in); err != nil {
		return answer{}, err
	}
	role, ok := account.ParseRole(in.Role)
	if !ok {
		return answer{}, invalid(r.lang, "/role", "unknown", "one of fan, gate, viewer, operator, owner")
	}
	return s.staff(ctx, r, account.Command{Op: account.OpRoleSet, Role: role})
}

func (s *Server) disableAccount(ctx context.Context, r *request) (answer, error) {
	return s.staff(ctx, r, account.Command{Op: account.OpDisable})
}

func (s *Server) enableAccount(ctx context.Context, r *request) (answer, error) {
	return s.staff(ctx, r, account.Command{Op: account.OpEnable})
}

// staff does something to the account of the path.
func (s *Server) staff(ctx context.Context, r *request, cmd account.Command) (answer, error) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 63)
	if err != nil {
		return answer{}, s.problem(wire.NotFound, r.lang)
	}
	cmd.Actor, cmd.Account = r.person.Account, account.ID(id)
	_, err = s.submitAccount(ctx, r, "accounts.staff", cmd)
	return answer{}, err
}

// auditTail shows the newest entries of the audit, newest last.
func (s *Server) auditTail(ctx context.Context, _ *request) (answer, error) {
	type entry struct {
		Number uint64    `json:"number"`
		At     wire.Time `json:"at"`
		Actor  string    `json:"actor"`
		Action string    `json:"action"`
		Target string    `json:"target"`
		Reason string    `json:"reason"`
		Hash   string    `json:"hash"`
	}
	items := []entry{}
	err := s.o.Directory.Read(ctx, func(st *account.State) {
		for _, e := range st.AuditTail(200) {
			items = append(items, entry{
				Number: e.Number, At: wire.Time(e.At), Actor: e.Actor.String(), Action: e.Action, Target: e.Target,
				Reason: e.Reason, Hash: hex.EncodeToString(e.Hash[:]),
			})
		}
	})
	return answer{body: map[string]any{"items": items}}, err
}
