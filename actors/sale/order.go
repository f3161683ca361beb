package sale

// OrderState of a purchase.
type OrderState uint8

const (
	OrderAwaiting  OrderState = iota + 1 // units held, waiting for the money
	OrderCommitted                       // units sold, money authorised but not captured
	OrderPaid                            // captured
	OrderFulfilled                       // tickets issued, mail intended
	OrderExpired
	OrderCanceled
	OrderRefunding // money is on its way back
	OrderRefunded
)

// Order as read by the outside. Slices are copies.
type Order struct {
	ID        OrderID
	Account   AccountID
	State     OrderState
	Hold      HoldID
	Lines     []OrderLine
	Total     int64 // minor units, fees included
	Expires   int64 // while awaiting payment
	OpenedAt  int64
	PaidAt    int64
	Lang      string
	Mailed    bool
	Attention bool // a person has to look
	Reason    string
	Settling  bool // run out, but the provider is still asked about a payment: the units are kept a little longer

	Payment Payment
	Tickets []TicketID
}

// OrderLine is one priced unit of an order.
type OrderLine struct {
	Unit       UnitID
	Count      uint32
	Price, Fee int64 // of one place
}

// Payment of an order: one at the provider per order and method, retried in place. The payment shown is the one
// that paid, else the one begun last.
type Payment struct {
	Attempt  uint8 // the number of this payment within the order
	Method   Method
	State    PayState
	Ref      string
	URL      string
	Code     string // Pix copy-and-paste code
	Decline  string
	Captured int64       // minor units taken from the payer
	Foreign  bool        // taken in another currency: given back, and not in the book
	Refund   RefundState // of this payment; RefundPending says that money is on its way back
	Refunded int64       // minor units
}

// Ticket opens the gate.
type Ticket struct {
	ID        TicketID
	Order     OrderID
	Account   AccountID
	Unit      UnitID
	Number    uint32 // within the line: 1..Count for general admission
	Version   uint16 // raised when re-issued
	Price     int64
	Fee       int64
	IssuedAt  int64
	Revoked   bool
	ScannedAt int64
	Gate      uint16
}
