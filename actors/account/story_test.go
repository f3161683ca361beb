package account

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// The stories in testdata are batches and what they did. In a value _ stands for a space, token=x for the
// SHA-256 of x, and hash=x for a well-formed argon2id string. Rewrite them with -rewrite and read the diff.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/story", func(t *testing.T, path string) {
		s := New(3)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			switch d.Cmd {
			case "batch":
				var at int64
				d.ScanArgs(t, "at", &at)
				tellBatch(t, &out, s, at, d.Input)
			case "restore":
				s = reborn(t, s)
			case "accounts":
				tellAccounts(&out, s)
			case "events":
				for _, e := range s.Events() {
					fmt.Fprintf(&out, "%d %s %q %v shard %d fans %d rehearsal %v summary %q\n", e.ID, e.Slug, e.Name, e.State, e.Shard, e.Fans, e.Rehearsal, e.Summary)
				}
			case "audit":
				for _, e := range s.AuditTail(1000) {
					changed := "same"
					if e.Before != e.After {
						changed = "changed"
					}
					fmt.Fprintf(&out, "%d at %d by %d: %s %s %s reason %q detail %q\n", e.Number, e.At, e.Actor, e.Action, e.Target, changed, e.Reason, e.Detail)
				}
			case "keys":
				for _, k := range s.Keys() {
					fmt.Fprintf(&out, "%s %q at %d\n", k.Name, k.Public, k.At)
				}
			default:
				d.Fatalf(t, "no such command")
			}
			verified(t, s)
			return out.String()
		})
	})
}

func tellBatch(t *testing.T, out *strings.Builder, s *State, at int64, input string) {
	t.Helper()
	var cmds []Command
	lines := strings.FieldsFunc(input, func(r rune) bool { return r == '\n' })
	for _, l := range lines {
		cmds = append(cmds, parseCommand(t, l))
	}
	for i, r := range apply(t, s, at, cmds...) {
		op, _, _ := strings.Cut(lines[i], " ")
		fmt.Fprintf(out, "%s: %v", op, r.Refusal)
		for _, f := range []struct {
			name string
			v    uint64
		}{{"account", uint64(r.Account)}, {"event", uint64(r.Event)}, {"shard", uint64(r.Shard)}, {"number", r.Number}} {
			if f.v != 0 {
				fmt.Fprintf(out, " %s %d", f.name, f.v)
			}
		}
		if r.Repeated {
			out.WriteString(" repeated")
		}
		out.WriteString("\n")
	}
	for _, c := range s.Changes() {
		switch c.Kind {
		case ChangeSessionOpened:
			fmt.Fprintf(out, "  session opened: account %d until %d\n", c.Account, c.Expires)
		case ChangeSessionRevoked:
			fmt.Fprintf(out, "  session revoked: account %d\n", c.Account)
		case ChangeAccount:
			fmt.Fprintf(out, "  account %d\n", c.Account)
		case ChangeEvent:
			fmt.Fprintf(out, "  event %d\n", c.Event)
		case ChangeKey:
			fmt.Fprintf(out, "  key %d\n", c.Number)
		case ChangeAudit:
			fmt.Fprintf(out, "  audit %d\n", c.Number)
		}
	}
	if due := s.Due(); due != Never {
		fmt.Fprintf(out, "due %d\n", due)
	}
}

func tellAccounts(out *strings.Builder, s *State) {
	for id := ID(1); id <= ID(s.Accounts()); id++ {
		a, _ := s.Account(id)
		fmt.Fprintf(out, "%d %q %q %s %v sessions %d", a.ID, a.Email, a.Name, a.Lang, a.Role, a.Sessions)
		for _, f := range []struct {
			name string
			on   bool
		}{{"disabled", a.Disabled}, {"erased", a.Erased}, {"virtual", a.Virtual}, {"password", a.Hash != ""}} {
			if f.on {
				out.WriteString(" " + f.name)
			}
		}
		out.WriteString("\n")
	}
}

func storyOps() map[string]Op {
	return map[string]Op{
		"tick": OpTick, "create": OpCreate, "open": OpSessionOpen, "revoke": OpSessionRevoke, "revoke-all": OpSessionRevokeAll,
		"password": OpPasswordSet, "lang": OpLangSet, "role": OpRoleSet, "disable": OpDisable, "enable": OpEnable,
		"erase": OpErase, "event": OpEventPut, "event-state": OpEventState, "mint": OpMintFans, "audit": OpAudit, "key": OpKeyPut,
		"epoch": OpEpoch,
	}
}

func parseCommand(t *testing.T, line string) Command {
	t.Helper()
	words := strings.Fields(line)
	var c Command
	var ok bool
	if c.Op, ok = storyOps()[words[0]]; !ok {
		t.Fatalf("no such op: %s", words[0])
	}
	for _, w := range words[1:] {
		name, value, _ := strings.Cut(w, "=")
		if !setField(&c, name, strings.ReplaceAll(value, "_", " ")) {
			t.Fatalf("%q in %q means nothing", w, line)
		}
	}
	return c
}

func setField(c *Command, name, value string) bool {
	n, _ := strconv.ParseInt(value, 10, 64)
	ok := true
	switch name {
	case "key":
		copy(c.Key[:], value)
	case "body":
		copy(c.Body[:], value)
	case "account":
		c.Account = ID(n)
	case "actor":
		c.Actor = ID(n)
	case "event":
		c.Event = EventID(n)
	case "role":
		c.Role, ok = ParseRole(value)
	case "state":
		c.State, ok = ParseEventState(value)
	case "rehearsal":
		c.Rehearsal = true
	case "shard":
		c.Pinned, c.Shard = true, uint16(n)
	case "count":
		c.Count = uint32(n)
	case "expires":
		c.Expires = n
	case "token":
		c.TokenHash = sha256.Sum256([]byte(value))
	case "seed":
		copy(c.Seed[:], value)
	case "email":
		c.Email = value
	case "name":
		c.Name = value
	case "lang":
		c.Lang = value
	case "hash":
		c.Hash = "$argon2id$" + value
	case "slug":
		c.Slug = value
	case "action":
		c.Action = value
	case "target":
		c.Target = value
	case "reason":
		c.Reason = value
	case "detail":
		c.Detail = value
	case "summary":
		c.Summary = []byte(value)
	case "public":
		c.Public = []byte(value)
	default:
		ok = false
	}
	return ok
}
