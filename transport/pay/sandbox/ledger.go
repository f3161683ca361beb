package sandbox

import "strings"

// LedgerLine of the ledger: what one payment did with money. All sums are minor units.
type LedgerLine struct {
	Payment    string            `json:"payment"`
	Status     string            `json:"status"`
	Method     string            `json:"method"` // card or pix: what it accepts
	Currency   string            `json:"currency"`
	Amount     int64             `json:"amount"`     // asked for
	Authorized int64             `json:"authorized"` // reserved and not taken
	Captured   int64             `json:"captured"`   // taken
	Refunded   int64             `json:"refunded"`   // given back
	Pending    int64             `json:"pending"`    // refunds on their way
	Refunds    int               `json:"refunds"`    // that succeeded or are on their way
	Disputed   bool              `json:"disputed"`
	Created    int64             `json:"created"` // unix seconds
	Metadata   map[string]string `json:"metadata"`
}

// LedgerTotal of one currency.
type LedgerTotal struct {
	Payments   int   `json:"payments"`
	Authorized int64 `json:"authorized"`
	Captured   int64 `json:"captured"`
	Refunded   int64 `json:"refunded"`
	Pending    int64 `json:"pending"`
	Net        int64 `json:"net"` // captured - refunded - pending
}

// Ledger is every payment there ever was, oldest first, and the sums by currency (ISO 4217, upper case).
type Ledger struct {
	Payments []LedgerLine           `json:"payments"`
	Totals   map[string]LedgerTotal `json:"totals"`
}

// Ledger tells where the money is: for an audit, captures must equal tickets plus refunds.
func (s *Server) Ledger() Ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Ledger{Payments: make([]LedgerLine, 0, len(s.ordered)), Totals: map[string]LedgerTotal{}}
	for _, id := range s.ordered {
		e := s.ledgerEntry(s.intents[id])
		out.Payments = append(out.Payments, e)
		t := out.Totals[e.Currency]
		t.Payments++
		t.Authorized += e.Authorized
		t.Captured += e.Captured
		t.Refunded += e.Refunded
		t.Pending += e.Pending
		t.Net = t.Captured - t.Refunded - t.Pending
		out.Totals[e.Currency] = t
	}
	return out
}

func (s *Server) ledgerEntry(in *intent) LedgerLine {
	e := LedgerLine{
		Payment: in.ID, Status: in.Status, Method: strings.Join(in.Types, "+"), Currency: strings.ToUpper(in.Currency),
		Amount: in.Amount, Authorized: in.Capturable, Captured: in.Received, Disputed: in.Disputed, Created: in.Created,
		Metadata: metadata(in.Metadata),
	}
	for _, r := range s.refundsFor(in.ID) {
		switch r.Status {
		case "succeeded":
			e.Refunded += r.Amount
			e.Refunds++
		case "pending":
			e.Pending += r.Amount
			e.Refunds++
		}
	}
	return e
}
