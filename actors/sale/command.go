package sale

import "github.com/catraca/catraca/actors/sale/seatmap"

// Op is the kind of a command; it is stored in the log, so a number is never reused.
type Op uint8

const (
	OpTick          Op = 1  // only moves time
	OpJoin          Op = 2  // Account
	OpAway          Op = 3  // Account: its last connection is gone
	OpBack          Op = 4  // Account: it is connected again
	OpLeave         Op = 5  // Account gives its place up
	OpClaim         Op = 6  // Account: "your turn" taken, the lease starts
	OpFinish        Op = 7  // Account ends its lease
	OpRemove        Op = 8  // Account removed from the queue; Text is the reason, Actor who did it
	OpHold          Op = 9  // Account, Lines, or Best when Best.Quantity > 0
	OpHoldChange    Op = 10 // Account, Hold, Lines to add, Drop to give back; atomic
	OpHoldRenew     Op = 11 // Account, Hold
	OpHoldRelease   Op = 12 // Account, Hold
	OpOrderOpen     Op = 13 // Account, Hold, Text language tag
	OpOrderCancel   Op = 14 // Account, Order
	OpPayBegin      Op = 15 // Account, Order, Method
	OpPayStarted    Op = 16 // Order, Attempt, Ref, URL, Text (Pix copy-and-paste code): the provider knows the payment
	OpPayNotice     Op = 17 // Ref and/or Order; Key is derived from the provider's event id: look at this payment
	OpPayState      Op = 18 // Order, Attempt, Ref, Pay, Amount, Currency, Text (decline code): what the provider says
	OpRefund        Op = 19 // Order, Actor, Text reason: give everything back
	OpRefundState   Op = 20 // Intent, Order, Ref, Refund, Text
	OpIntentDone    Op = 21 // Intent: a mail or void has been carried out
	OpIntentFailed  Op = 22 // Intent, Text, At next try (0: give up, the order needs attention)
	OpScan          Op = 23 // Ticket, Version, Gate, Key is the scanner's nonce
	OpOpen          Op = 24 // Actor: open now
	OpPause         Op = 25 // Actor, Text reason
	OpResume        Op = 26 // Actor
	OpRate          Op = 27 // Actor, Amount admissions a minute, Limit active shoppers (0 leaves as is)
	OpClose         Op = 28 // Actor
	OpMessage       Op = 29 // Actor, Text: shown to everyone in the queue
	OpRehearsalJoin Op = 30 // reserved
	OpEpoch         Op = 31 // Actor, Limit (0: the next one): identifiers of a later epoch from here on, after a backup was restored
)

// Command is one request to the machine. It is one flat struct so that decoding allocates nothing; the
// comment on each Op names the fields that count, all others are zero.
type Command struct {
	Op       Op
	Key      Key // deduplication: same key and same body give the stored result
	Account  AccountID
	Actor    AccountID // the organiser or operator who asked
	Hold     HoldID
	Order    OrderID
	Ticket   TicketID
	Intent   uint64
	Attempt  uint8
	Version  uint16
	Method   Method
	Pay      PayState
	Refund   RefundState
	Gate     uint16
	Amount   int64
	Limit    int64
	At       int64
	Currency string
	Ref      string // the provider's id of the payment or refund
	URL      string // where the payer goes
	Text     string
	Lines    []Line
	Drop     []Line
	Best     seatmap.BestQuery
}

// Method of payment.
type Method uint8

const (
	MethodNone Method = iota
	MethodCard        // authorise, commit, capture
	MethodPix         // captured at once by the provider
)

// PayState is the provider's state of a payment; it only moves forward.
type PayState uint8

const (
	PayNone PayState = iota
	PayCreated
	PayAction     // the payer has to do something
	PayProcessing // the provider is working
	PayFailed     // declined; the same payment may be tried again
	PayAuthorized // money reserved, not taken
	PayCaptured   // money taken
	PayCanceled   // voided; no money moved
)

// RefundState is the provider's state of a refund.
type RefundState uint8

const (
	RefundNone RefundState = iota
	RefundPending
	RefundSucceeded
	RefundFailed
)
