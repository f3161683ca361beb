package sale

import (
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
)

// Bounds of one sale. A command that would pass one is refused with RefusedFull.
const (
	maxAccounts         = 1 << 23 // that ever held something
	maxHolds            = 1 << 20 // live at once
	maxOrders           = 1 << 23
	maxOrdersPerAccount = 64
	maxPayments         = 16      // of one order at the provider
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

	accounts  []account // slab, one per account that ever held something
	accountAt lookup    // account -> slot

	holds     []hold      // slab of live holds, slots are reused
	holdLines []OrderLine // PerHold lines for each slot of holds
	freeHolds []uint32
	holdAt    lookup // hold -> slot
	nextHold  HoldID
	due       deadlines

	orders     []order // OrderID-1
	orderLines []OrderLine
	payments   []payment
	refs       map[string]uint32 // provider's payment id -> index of payments; never iterated
	unmatched  []notice          // oldest first
	tickets    []ticket          // TicketID-1
	intents    intentStore
	book       Book

	fanKeys    answers
	noticeKeys answers

	// Scratch of one batch or command; never part of a snapshot.
	changes []Change
	body    []byte
	units   []UnitID
	picked  []Line
	wanted  []Line
	before  []Line
	hint    []Line
	priced  []OrderLine
}

// New starts a sale with nothing sold. The error names the field of the configuration that is wrong.
func New(cfg Config) (*State, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := newState(cfg)
	s.inventory = seatmap.NewInventory(cfg.Plan)
	s.line = queue.New(cfg.Queue)
	return s, nil
}

// newState is a sale without inventory and queue.
func newState(cfg Config) *State {
	return &State{
		cfg:        cfg,
		nextHold:   1,
		refs:       make(map[string]uint32),
		intents:    intentStore{next: 1},
		fanKeys:    answers{life: fanKeyLife, limit: maxFanKeys},
		noticeKeys: answers{life: noticeKeyLife, limit: maxNoticeKeys},
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

// accountOf finds the record of an account, or nil. The pointer is good until the next account is added.
func (s *State) accountOf(a AccountID) *account {
	slot, ok := s.accountAt.get(uint64(a))
	if !ok {
		return nil
	}
	return &s.accounts[slot]
}

// ensureAccount adds the record if needed; nil when the bound is reached.
func (s *State) ensureAccount(a AccountID) *account {
	if acc := s.accountOf(a); acc != nil {
		return acc
	}
	if len(s.accounts) >= maxAccounts {
		return nil
	}
	s.accountAt.put(uint64(a), uint32(len(s.accounts)))
	s.accounts = append(s.accounts, account{id: a})
	return &s.accounts[len(s.accounts)-1]
}
