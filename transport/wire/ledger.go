package wire

// Ledger is a sale's books, for an audit: what is owned, what was paid, and who stands where. Rows page by cursor;
// everything else is about the moment of the answer.
type Ledger struct {
	Event string `json:"event"`
	Index uint64 `json:"index"` // of the last batch in the books
	At    Time   `json:"at"`    // its time
	Phase string `json:"phase"`
	// Clean says that no defect was found. Recounted says that everything was counted anew from the records, which
	// is done with the first page; otherwise only the totals were compared.
	Clean     bool     `json:"clean"`
	Recounted bool     `json:"recounted"`
	Defects   []string `json:"defects"`

	Categories []LedgerCategory  `json:"categories"`
	Places     LedgerPlaces      `json:"places"`
	Money      LedgerMoney       `json:"money"`
	Orders     map[string]uint32 `json:"orders"` // by state
	Tickets    LedgerTickets     `json:"tickets"`
	Odd        LedgerOdd         `json:"odd"`
	Queue      LedgerQueue       `json:"queue"`

	Rows []LedgerRow `json:"rows"`
	Next *string     `json:"next"`
}

// LedgerPlaces counts places by state; Capacity is their sum.
type LedgerPlaces struct {
	Capacity uint32 `json:"capacity"`
	Free     uint32 `json:"free"`
	Held     uint32 `json:"held"`
	Sold     uint32 `json:"sold"`
	Blocked  uint32 `json:"blocked"`
}

// LedgerCategory is the places of one price category.
type LedgerCategory struct {
	LedgerPlaces

	ID  int    `json:"id"`
	Key string `json:"key"`
}

// LedgerMoney is the book: captured − refunded − refunding = sold_face + sold_fees.
type LedgerMoney struct {
	Captured  Money `json:"captured"`
	Refunded  Money `json:"refunded"`
	Refunding Money `json:"refunding"`
	SoldFace  Money `json:"sold_face"`
	SoldFees  Money `json:"sold_fees"`
}

// LedgerTickets counts tickets.
type LedgerTickets struct {
	Issued  uint32 `json:"issued"`
	Revoked uint32 `json:"revoked"`
	Scanned uint32 `json:"scanned"`
}

// LedgerOdd counts what went another way than usual.
type LedgerOdd struct {
	LateSaved uint32 `json:"late_saved"` // paid late, and got exactly the same units again
	LateGone  uint32 `json:"late_gone"`  // paid late when a unit was gone; given back
	Repaid    uint32 `json:"repaid"`     // second payments, given back
	Attention uint32 `json:"attention"`  // orders a person has to look at
	Foreign   uint32 `json:"foreign"`    // captured in another currency; given back, not in the money above
	Unmatched uint32 `json:"unmatched"`  // provider's notices nobody claimed
}

// LedgerQueue counts places in the queue. Digest is the SHA-256 over every issued place in order, each as big-endian
// number (4 bytes), account (8) and time of joining in unix milliseconds (8): two replicas, or one before and after
// a restart, agree on the order exactly if it is the same.
type LedgerQueue struct {
	Issued   uint32 `json:"issued"`
	Front    uint32 `json:"front"`
	Waiting  uint32 `json:"waiting"`
	Away     uint32 `json:"away"`
	Offered  uint32 `json:"offered"`
	Shopping uint32 `json:"shopping"`
	Parked   uint32 `json:"parked"`
	Done     uint32 `json:"done"`
	Left     uint32 `json:"left"`
	Removed  uint32 `json:"removed"`
	Digest   string `json:"digest"`
}

// LedgerRow is one order with every payment it ever had.
type LedgerRow struct {
	Order     string          `json:"order"`
	Account   string          `json:"account"` // number of the account, no person's data
	State     string          `json:"state"`
	Total     Money           `json:"total"`
	Opened    Time            `json:"opened_at"`
	Paid      Time            `json:"paid_at"`
	Units     []LedgerUnit    `json:"units"`
	Payments  []LedgerPayment `json:"payments"`
	Captured  Money           `json:"captured"` // of all payments in the sale's currency
	Refunded  Money           `json:"refunded"`
	Refunding Money           `json:"refunding"`
	Tickets   []string        `json:"tickets"`
	Mailed    bool            `json:"mailed"`
	Attention bool            `json:"attention"`
	Reason    string          `json:"reason"`
}

// LedgerUnit is a unit of the plan and how many places of it.
type LedgerUnit struct {
	Unit  uint32 `json:"unit"`
	Count uint32 `json:"count"`
}

// LedgerPayment is one payment at the provider. Amounts are minor units of the sale's currency, or of another one
// when Foreign.
type LedgerPayment struct {
	Ref      string `json:"ref"` // the provider's; empty until it has answered
	Method   string `json:"method"`
	State    string `json:"state"`
	Attempt  uint8  `json:"attempt"`
	Captured int64  `json:"captured"`
	Refund   string `json:"refund"` // none, pending, succeeded or failed
	Foreign  bool   `json:"foreign"`
}
