package account

// State is the machine. It is not safe for concurrent use: one goroutine gives it commands and reads it.
//
// Fields marked derived are rebuilt by [Restore] and are in no snapshot.
type State struct {
	shards int
	index  uint64 // of the last entry
	at     int64  // last stamped time, unix milliseconds
	swept  int64  // time of the last sweep of expired sessions
	epoch  uint8  // of identifiers

	accounts slab[account]
	texts    text
	emails   table // derived

	sessions slab[session]
	spare    uint32   // derived: free session records, threaded through newer
	tokens   table    // derived
	expiry   []uint32 // derived: sessions as a heap by expiry
	places   []uint32 // derived: of each session in the heap, by its number - 1

	events       []event // by EventID - 1
	eventsShared bool    // with a frozen state
	slugs        table   // derived
	keys         []PublicKey

	audit      []Entry
	auditBase  [32]byte // hash of the entry before the first kept
	auditCount uint64   // entries ever made

	done   known    // results by key
	owners int      // derived: enabled owners
	minted int      // virtual fans in this batch
	marks  []uint32 // accounts touched in this batch, checked at its end
	fault  error    // found while a batch was applied, told at its end

	changes []Change
	tokenAt [][32]byte // scratch of MintFans
}

// account is a record of the slab. E-mail, name and hash lie behind one another in texts.
type account struct {
	text     textRef
	oldest   uint32 // its sessions, in the order they were opened
	newest   uint32
	event    EventID // the rehearsal a virtual fan was made for
	created  int64
	changed  int64
	emailLen uint8
	nameLen  uint8
	hashLen  uint8
	lang     uint8
	role     Role
	flags    uint8
	sessions uint8
}

const (
	flagDisabled = 1 << iota
	flagErased
	flagVirtual
)

func (a *account) is(flag uint8) bool { return a.flags&flag != 0 }

func (a *account) textLen() int { return int(a.emailLen) + int(a.nameLen) + int(a.hashLen) }

// session is a record of the slab.
type session struct {
	token   [32]byte // SHA-256 of what the browser has
	account uint32
	older   uint32
	newer   uint32
	opened  int64
	expires int64
}

// event of the catalogue.
type event struct {
	slug      string
	name      string
	summary   []byte // replaced as a whole, never written to
	state     EventState
	rehearsal bool
	shard     uint16
	fans      uint32 // virtual fans made for it
	created   int64
	changed   int64
}

// New returns an empty machine for a cluster of so many shards, 1 to [MaxShards]; other numbers are moved there.
func New(shards int) *State {
	return &State{shards: min(max(shards, 1), MaxShards)}
}

// Clock is the last stamped time in unix milliseconds, 0 before the first batch.
func (s *State) Clock() int64 { return s.at }

// Index of the last entry, 0 before the first.
func (s *State) Index() uint64 { return s.index }

// Changes lists what the batch did, in order; it is valid until the next Begin.
func (s *State) Changes() []Change { return s.changes }

// find returns the record of an account that exists and was not erased, to read it, or nil.
func (s *State) find(id ID) *account {
	if id == 0 || id > ID(s.accounts.n) {
		return nil
	}
	if a := s.accounts.at(uint32(id)); !a.is(flagErased) {
		return a
	}
	return nil
}

// touched notes that an account was made or changed.
func (s *State) touched(id ID) {
	s.accounts.edit(uint32(id)).changed = s.at
	s.marks = append(s.marks, uint32(id))
	s.changes = append(s.changes, Change{Kind: ChangeAccount, Account: id})
}
