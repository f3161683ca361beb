package account

import "strconv"

// ID of an account: dense from 1, never reused; 0 means none.
type ID uint64

// String is the form that audit targets and logs use.
func (id ID) String() string { return "account/" + strconv.FormatUint(uint64(id), 10) }

// EventID of an event in the catalogue: dense from 1, never reused; 0 means none.
type EventID uint32

// String is the form that audit targets and logs use.
func (id EventID) String() string { return "event/" + strconv.FormatUint(uint64(id), 10) }

// Key identifies one command for exactly-once application; the zero Key asks for no deduplication.
type Key [16]byte

// Role says what an account may do. Each role may do what the ones before it may.
type Role uint8

const (
	RoleFan      Role = iota
	RoleGate          // scans tickets
	RoleViewer        // reads the organiser's pages
	RoleOperator      // runs sales
	RoleOwner         // gives roles
)

func roleNames() [5]string { return [...]string{"fan", "gate", "viewer", "operator", "owner"} }

// String is the role's name in files and on the command line.
func (r Role) String() string {
	if names := roleNames(); int(r) < len(names) {
		return names[r]
	}
	return "role(" + strconv.Itoa(int(r)) + ")"
}

// ParseRole is the inverse of [Role.String].
func ParseRole(name string) (Role, bool) {
	for i, n := range roleNames() {
		if n == name {
			return Role(i), true
		}
	}
	return 0, false
}

// EventState is where an event is in the catalogue's life. It only moves forward, but for listed and draft.
type EventState uint8

const (
	EventDraft    EventState = iota // not shown to fans
	EventListed                     // shown; its sale follows its own clock
	EventClosed                     // shown as over
	EventArchived                   // not shown any more
)

func eventStateNames() [4]string { return [...]string{"draft", "listed", "closed", "archived"} }

// String is the state's name in files and on the command line.
func (s EventState) String() string {
	if names := eventStateNames(); int(s) < len(names) {
		return names[s]
	}
	return "state(" + strconv.Itoa(int(s)) + ")"
}

// ParseEventState is the inverse of [EventState.String].
func ParseEventState(name string) (EventState, bool) {
	for i, n := range eventStateNames() {
		if n == name {
			return EventState(i), true
		}
	}
	return 0, false
}

const langCount = 3

// langs are the languages the house speaks; an account stores the index, so the order is part of the snapshot.
func langs() [langCount]string { return [...]string{"pt-BR", "en", "es"} }

// Langs lists the language tags an account may have.
func Langs() []string {
	l := langs()
	return l[:]
}

func langCode(tag string) (uint8, bool) {
	for i, l := range langs() {
		if l == tag {
			return uint8(i), true
		}
	}
	return 0, false
}
