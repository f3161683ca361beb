package sale

import "github.com/catraca/catraca/actors/sale/queue"

// Result answers one command. Units and Lines point into the machine and are valid until the next command:
// who keeps a Result copies them.
type Result struct {
	Refusal  Refusal
	Repeated bool // this is the stored result of an earlier command with the same key
	Place    queue.Place
	Hold     HoldID
	Order    OrderID
	Ticket   TicketID
	At       int64 // expiry of the hold, lease or order; time of the first scan
	Cap      int64 // absolute cap of the hold
	Amount   int64 // total of the hold or order in minor units, fees included
	Number   uint32
	Adjacent bool
	Units    []UnitID // conflicts, or a suggestion
	Lines    []Line   // what the hold holds now
}
