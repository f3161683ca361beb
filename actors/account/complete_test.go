package account

import (
	"bytes"
	"reflect"
	"testing"
	"unsafe"
)

// derived lists the fields that no snapshot has, and why.
func derived() map[string]string {
	return map[string]string{
		"State.texts":        "texts are written with their accounts",
		"State.emails":       "index, rebuilt",
		"State.spare":        "which records are free depends on history alone",
		"State.tokens":       "index, rebuilt",
		"State.expiry":       "heap, rebuilt",
		"State.places":       "places in the heap",
		"State.eventsShared": "whether a frozen state has them",
		"State.slugs":        "index, rebuilt",
		"State.owners":       "count, rebuilt",
		"State.minted":       "of the batch under way",
		"State.marks":        "of the batch under way",
		"State.fault":        "a broken state is not kept",
		"State.changes":      "of the batch under way",
		"State.tokenAt":      "scratch",
		"account.text":       "place of the texts",
		"account.oldest":     "sessions are written with their account, in order",
		"account.newest":     "sessions are written with their account, in order",
		"account.emailLen":   "length of a text",
		"account.nameLen":    "length of a text",
		"account.hashLen":    "length of a text",
		"session.account":    "sessions are written with their account",
		"session.older":      "sessions are written in order",
		"session.newer":      "sessions are written in order",
		"Entry.Prev":         "is the hash of the entry before",
		"known.head":         "the ring is written from its head",
		"known.index":        "index, rebuilt",
	}
}

// full is a state with something in everything.
func full(t *testing.T) *State {
	t.Helper()
	s := New(3)
	owner := person(1)
	owner.Role = RoleOwner
	done(t, s, 1000, owner, person(2), rehearsal(),
		Command{Op: OpMintFans, Event: 1, Count: 2, Seed: token(1), Lang: "es", Expires: 70_000},
		Command{Op: OpSessionOpen, Account: 2, TokenHash: token(2), Expires: 90_000},
		Command{Op: OpSessionOpen, Account: 2, TokenHash: token(3), Expires: 99_000},
		Command{Op: OpKeyPut, Slug: "k", Public: []byte("public")},
		Command{Op: OpEventPut, Slug: "show", Name: "Show", Summary: []byte("summary")})
	done(t, s, 70_000, Command{Op: OpAudit, Key: Key{1}, Actor: 1, Action: "sale.open", Target: "event/1", Reason: "r", Detail: "d", Before: token(4), After: token(5)})
	return s
}

// Every field of every record is in the snapshot or in the list above: changing it changes the bytes.
func TestEveryFieldIsInTheSnapshot(t *testing.T) {
	seen := map[string]bool{}
	for _, record := range []struct {
		name string
		of   func(*State) any
	}{
		{"State", func(s *State) any { return s }},
		{"account", func(s *State) any { return s.accounts.at(2) }},
		{"session", func(s *State) any { return s.sessions.at(s.accounts.at(2).oldest) }},
		{"event", func(s *State) any { return &s.events[1] }},
		{"PublicKey", func(s *State) any { return &s.keys[0] }},
		{"Entry", func(s *State) any { return &s.audit[len(s.audit)-1] }},
		{"known", func(s *State) any { return &s.done }},
		{"knownResult", func(s *State) any { return s.done.at(0) }},
	} {
		typ := reflect.TypeOf(record.of(full(t))).Elem()
		for i := range typ.NumField() {
			name := record.name + "." + typ.Field(i).Name
			seen[name] = true
			if derived()[name] != "" {
				continue
			}
			s := full(t)
			before := s.AppendSnapshot(nil)
			field := reflect.ValueOf(record.of(s)).Elem().Field(i)
			alter(t, name, reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem())
			if bytes.Equal(before, s.AppendSnapshot(nil)) {
				t.Errorf("%s is not in the snapshot: write and read it, or say in derived why not", name)
			}
		}
	}
	for name := range derived() {
		if !seen[name] {
			t.Errorf("derived names %s, which there is not", name)
		}
	}
}

// alter gives a field another value. Of a slab or a ring it takes the last record away.
func alter(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if name == "account.sessions" || name == "known.n" {
			v.SetUint(v.Uint() - 1)
			return
		}
		v.SetUint(v.Uint() + 1)
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Array:
		v.Index(0).SetUint(v.Index(0).Uint() ^ 1)
	case reflect.Slice:
		v.Set(v.Slice(0, v.Len()-1))
	case reflect.Struct:
		switch x := v.Addr().Interface().(type) {
		case *slab[account]:
			x.n--
		case *slab[session]:
			for n := uint32(1); n <= x.n; n++ {
				x.at(n).expires++
			}
		case *slab[knownResult]:
			for n := uint32(1); n <= x.n; n++ {
				x.at(n).at++
			}
		case *known:
			x.n--
		default:
			t.Fatalf("%s: no way to alter a %s", name, v.Type())
		}
	default:
		t.Fatalf("%s: no way to alter a %s", name, v.Type())
	}
}

// What a command can say is in its encoding.
func TestEveryFieldOfACommandIsEncoded(t *testing.T) {
	typ := reflect.TypeFor[Command]()
	for i := range typ.NumField() {
		c := Command{Op: OpTick, Summary: []byte("s"), Public: []byte("p")}
		v := reflect.ValueOf(&c).Elem().Field(i)
		alter(t, typ.Field(i).Name, v)
		b := AppendCommand(nil, &c)
		var d Decoder
		got, err := d.Decode(b)
		if err != nil {
			t.Fatalf("%s: %v", typ.Field(i).Name, err)
		}
		if len(c.Summary) == 0 {
			c.Summary = nil
		}
		if len(c.Public) == 0 {
			c.Public = nil
		}
		if !reflect.DeepEqual(*got, c) {
			t.Errorf("%s is lost: %+v", typ.Field(i).Name, got)
		}
	}
}
