package sale

import (
	"github.com/catraca/catraca/actors/sale/due"
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
	"github.com/catraca/catraca/actors/sale/slab"
)

// Bounds of one sale. A command that would pass one is refused with RefusedFull, which asks to try later; the bounds that
// one account or order meets by itself, and for good, have refusals that are final.
const (
	maxAccounts         = 1 << 23 // that ever held something
	maxHolds            = 1 << 20 // live at once
	maxOrders           = 1 << 23
	maxTickets          = idMask  // issued or promised
	maxOrdersPerAccount = 64      // ever opened; RefusedLimit
	maxPayments         = 16      // of one order at the provider; RefusedAttempts for who begins one
	maxUnmatched        = 1 << 10 // notices about payments nobody knows yet
	maxFanKeys          = 1 << 18 // remembered answers to fans and operators
	maxNoticeKeys       = 1 << 18 // remembered notices of the payment provider
)

// Durations in milliseconds that are the machine's own, not the organiser's.
const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour

	fanKeyLife    = 30 * minute
	noticeKeyLife = 30 * day // providers repeat notices for days
	unmatchedLife = 24 * hour
	maxClock      = int64(1) << 52 // later batch times count as this; nothing overflows
	settleTime    = 5 * minute     // how long units are kept while the provider is asked about a payment
)

// State is one sale. The zero value is not usable; New and Restore make one.
type State struct {
	cfg   Config
	clock int64  // unix ms, never goes back
	index uint64 // of the batch in hand or last applied

	phase       Phase
	message     string
	pauseReason string

	inventory   *seatmap.Inventory
	seatVersion uint64 // index of the last batch that changed a seat
	heldPlaces  uint32 // of all live holds; the inventory must agree
	soldPlaces  uint32 // of all orders that own their units; the inventory must agree
	line        *queue.Queue
	epochs      epochsOf // where each epoch but the first began

	accounts  slab.Slab[account] // one per account that ever held something
	accountAt lookup             // account -> slot

	holds     slab.Slab[hold]      // live holds, slots are reused
	holdLines slab.Slab[OrderLine] // a strip of PerHold lines for each slot of holds
	freeHolds []uint32
	holdAt    lookup // hold -> slot
	nextHold  HoldID
	due       due.Heap // of every live hold, by slot

	orders     slab.Slab[order] // in the order of their ids
	orderLines slab.Slab[OrderLine]
	promised   uint32 // places of orders that wait for money, and will be tickets
	payments   slab.Slab[payment]
	refs       map[string]uint32 // provider's payment id -> record of payments + 1; never iterated
	unmatched  []notice          // oldest first
	tickets    slab.Slab[ticket] // in the order of their ids
	intents    intentStore
	book       Book

	fanKeys    answers
	noticeKeys answers

	settled bool // the batch in hand has ended what ran out

	// Scratch of one batch or command; never part of a snapshot.
	changes []Change
	body    []byte
	units   []UnitID
	picked  []Line
	wanted  []Line
	before  []Line
	hint    []Line
	priced  []OrderLine
	seen    uint64 // by Foresee
}

// New starts a sale with nothing sold. The error names the field of the configuration that is wrong.
func New(cfg Config) (*State, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := newState(cfg)
	s.inventory = seatmap.NewInventory(cfg.Plan)
	s.line = queue.New(cfg.Queue)
	if cfg.Epoch > 0 {
		s.enterEpoch(uint32(cfg.Epoch))
	}
	return s, nil
}

// newState is a sale without inventory and queue.
func newState(cfg Config) *State {
	return &State{
		cfg:        cfg,
		accounts:   slab.Make[account](1),
		holds:      slab.Make[hold](1),
		holdLines:  slab.Make[OrderLine](int(cfg.Limits.PerHold)),
		nextHold:   1,
		orders:     slab.Make[order](1),
		orderLines: slab.Make[OrderLine](1),
		payments:   slab.Make[payment](1),
		refs:       make(map[string]uint32),
		tickets:    slab.Make[ticket](1),
		intents:    intentStore{slots: slab.Make[intentSlot](1), next: 1},
		fanKeys:    newAnswers(fanKeyLife, maxFanKeys),
		noticeKeys: newAnswers(noticeKeyLife, maxNoticeKeys),
	}
}

// account is what one account has in this sale.
type account struct {
	id    AccountID
	taken uint32  // held + in payment + sold places
	hold  HoldID  // the live one, 0 if none
	last  OrderID // newest order, 0 if none; older ones follow by order.previous
	count uint32  // orders
}

// accountOf finds the record of an account, or nil. It is only to be read, and before the next change of the account.
func (s *State) accountOf(a AccountID) *account {
	slot, ok := s.accountAt.get(uint64(a))
	if !ok {
		return nil
	}
	return s.accounts.Read(int(slot))
}

// mutAccount is the record of an account that has one, to be written. The pointer is good until the next account is added.
func (s *State) mutAccount(a AccountID) *account {
	slot, _ := s.accountAt.get(uint64(a))
	return s.accounts.Mut(int(slot))
}

// addAccount adds a record for an account that has none and returns its slot.
func (s *State) addAccount(a AccountID) uint32 {
	slot := uint32(s.accounts.Append(account{id: a}))
	s.accountAt.put(uint64(a), slot)
	return slot
}
