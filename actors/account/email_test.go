package account

import (
	"errors"
	"strings"
	"testing"
)

func TestNormalizeEmail(t *testing.T) {
	for in, want := range map[string]string{
		"ana@example.org":              "ana@example.org",
		"  Ana.Lima+Show@Example.ORG ": "ana.lima+show@example.org",
		"josé@exämple.org":             "josé@exämple.org",
		"o'brien@mail-1.example.org":   "o'brien@mail-1.example.org",
		"root@localhost":               "root@localhost",
		strings.Repeat("a", 64) + "@x": strings.Repeat("a", 64) + "@x",
	} {
		if got, err := NormalizeEmail(in); err != nil || got != want {
			t.Errorf("NormalizeEmail(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", " ", "ana", "@", "ana@", "@example.org", "a@b@c", "a b@example.org", "ana@exa mple.org",
		"ana\x00@example.org", "ana\r\nBcc: x@y.org", "ana@example.org\n.", "ana\u200b@example.org", "ana\u202e@example.org",
		"ana\xff@example.org", "<ana@example.org>", "ana@example.org,bob@example.org", "\"ana\"@example.org",
		".ana@example.org", "ana.@example.org", "a..b@example.org", "ana@.org", "ana@example.org.", "ana@a..b",
		"ana@exa_mple.org", "ana@[127.0.0.1]", strings.Repeat("a", 65) + "@example.org",
		"a@" + strings.Repeat("b", 253),
	} {
		got, err := NormalizeEmail(in)
		var field *FieldError
		if !errors.As(err, &field) || field.Field != "email" || field.Problem == "" {
			t.Errorf("NormalizeEmail(%q) = %q, %v; want an error about the email", in, got, err)
		}
	}
}

func FuzzNormalizeEmail(f *testing.F) {
	f.Add("Ana@Example.org")
	f.Add("a@b@c")
	f.Add("\xffÀ@x")
	f.Fuzz(func(t *testing.T, in string) {
		got, err := NormalizeEmail(in)
		if err != nil {
			return
		}
		if again, err := NormalizeEmail(got); err != nil || again != got {
			t.Fatalf("%q normalises to %q and that to %q, %v", in, got, again, err)
		}
		if len(got) > MaxEmail || strings.Count(got, "@") != 1 || strings.ContainsAny(got, " \r\n\x00<>,;") {
			t.Fatalf("%q normalises to %q", in, got)
		}
	})
}

func TestCheckNamesTheField(t *testing.T) {
	long := strings.Repeat("x", 3000)
	with := func(c Command, change func(*Command)) Command { change(&c); return c }
	put := rehearsal()
	for field, c := range map[string]Command{
		"op":         {Op: 99},
		"email":      with(person(1), func(c *Command) { c.Email = "x" }),
		"name":       with(person(1), func(c *Command) { c.Name = long }),
		"lang":       with(person(1), func(c *Command) { c.Lang = "pt" }),
		"hash":       with(person(1), func(c *Command) { c.Hash = "hunter2" }),
		"role":       with(person(1), func(c *Command) { c.Role = 9 }),
		"reason":     with(person(1), func(c *Command) { c.Reason = long }),
		"detail":     with(person(1), func(c *Command) { c.Detail = "a\u2028b" }),
		"account":    {Op: OpErase},
		"token_hash": {Op: OpSessionOpen, Account: 1},
		"slug":       with(put, func(c *Command) { c.Slug = "A" }),
		"state":      with(put, func(c *Command) { c.State = 9 }),
		"summary":    with(put, func(c *Command) { c.Summary = make([]byte, MaxSummary+1) }),
		"count":      {Op: OpMintFans, Lang: "en"},
		"action":     {Op: OpAudit, Action: "Sale!"},
		"target":     {Op: OpAudit, Action: "sale.open", Target: long},
		"public":     {Op: OpKeyPut, Slug: "k"},
	} {
		var fe *FieldError
		if err := c.Check(); !errors.As(err, &fe) || fe.Field != field {
			t.Errorf("%s: %v", field, err)
		}
		s := New(2)
		s.Begin(1, 1)
		if r := s.Do(&c); r.Refusal != RefusedInvalid {
			t.Errorf("%s: the machine says %v, want %v", field, r.Refusal, RefusedInvalid)
		}
	}
}

func TestNamesAreStable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Refusals() {
		if n := r.String(); n == "" || seen[n] || strings.HasPrefix(n, "refusal_") {
			t.Errorf("refusal %d has name %q", r, n)
		}
		seen[r.String()] = true
	}
	if len(Refusals()) != int(RefusedBusy)+1 || Refusal(99).String() != "refusal_99" {
		t.Errorf("%d refusals have names", len(Refusals()))
	}
	for r := RoleFan; r <= RoleOwner; r++ {
		if got, ok := ParseRole(r.String()); !ok || got != r {
			t.Errorf("role %d is named %s, which is role %d", r, r, got)
		}
	}
	for s := EventDraft; s <= EventArchived; s++ {
		if got, ok := ParseEventState(s.String()); !ok || got != s {
			t.Errorf("state %d is named %s, which is state %d", s, s, got)
		}
	}
	if _, ok := ParseRole("king"); ok {
		t.Error("king is a role")
	}
	if _, ok := ParseEventState("king"); ok {
		t.Error("king is a state")
	}
}
