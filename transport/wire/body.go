package wire

import (
	"encoding/json"
	"time"
)

// Money is an amount in minor units of its currency.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// Time is an instant, in JSON as RFC 3339 UTC with milliseconds; zero is null.
type Time int64 // unix milliseconds

// MarshalJSON writes the instant.
func (t Time) MarshalJSON() ([]byte, error) {
	return t.AppendJSON(make([]byte, 0, 26)), nil
}

// timeLayout is how instants are written.
const timeLayout = "2006-01-02T15:04:05.000Z"

// UnmarshalJSON reads any RFC 3339 instant.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*t = 0
		return nil
	}
	var at time.Time
	if err := json.Unmarshal(b, &at); err != nil {
		return err
	}
	*t = Time(at.UnixMilli())
	return nil
}

// Account of a person.
type Account struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
	Lang  string `json:"lang"`
	Role  string `json:"role"`
}

// Session answers a sign-in or sign-up. Token is only there for programs that asked for it.
type Session struct {
	Account Account `json:"account"`
	Token   string  `json:"token,omitempty"`
	Expires Time    `json:"expires_at"`
}

// Event on sale.
type Event struct {
	ID             string     `json:"id"`
	Slug           string     `json:"slug"`
	Name           string     `json:"name"`
	Venue          string     `json:"venue"`
	Phase          string     `json:"phase"`
	Rehearsal      bool       `json:"rehearsal"`
	Currency       string     `json:"currency"`
	TimeZone       string     `json:"time_zone"`
	StartsAt       Time       `json:"starts_at"`
	LobbyAt        Time       `json:"lobby_at"`
	OpensAt        Time       `json:"opens_at"`
	ClosesAt       Time       `json:"closes_at"`
	Now            Time       `json:"now"`
	PriceFrom      Money      `json:"price_from"`
	PriceTo        Money      `json:"price_to"`
	Limits         Limits     `json:"limits"`
	Categories     []Category `json:"categories"`
	Sections       []Section  `json:"sections"`
	PlanURL        string     `json:"plan_url"`
	Message        string     `json:"message"`
	PauseReason    string     `json:"pause_reason"`
	PolicyHash     string     `json:"policy_hash"`
	PaymentMethods []string   `json:"payment_methods"`
}

// Limits of one account.
type Limits struct {
	PerHold    uint32 `json:"per_hold"`
	PerAccount uint32 `json:"per_account"`
}

// Category of prices with its stock.
type Category struct {
	ID       int    `json:"id"`
	Key      string `json:"key"`
	Name     string `json:"name"`
	Color    string `json:"color"`
	Price    Money  `json:"price"`
	Fee      Money  `json:"fee"`
	Capacity uint32 `json:"capacity"`
	Free     uint32 `json:"free"`
	Held     uint32 `json:"held"`
	Sold     uint32 `json:"sold"`
	Area     bool   `json:"area"` // has unnumbered places
}

// Section of the plan.
type Section struct {
	ID    int    `json:"id"`
	Label string `json:"label"`
	Zone  string `json:"zone"`
}

// Place of one fan in the queue.
type Place struct {
	Event    string `json:"event"`
	State    string `json:"state"`
	Number   uint32 `json:"number"`
	Ahead    uint32 `json:"ahead"`
	ETA      *ETA   `json:"eta"`
	Chance   string `json:"chance"`
	Deadline Time   `json:"deadline"`
	Cap      Time   `json:"cap"`
	Phase    string `json:"phase"`
	Waiting  uint32 `json:"waiting"`
	Now      Time   `json:"now"`
}

// ETA is the estimated wait as a range.
type ETA struct {
	LoMS     int64  `json:"lo_ms"`
	HiMS     int64  `json:"hi_ms"`
	Why      string `json:"why"` // why it rose, when it did
	OverHour bool   `json:"over_hour"`
}

// Line of a hold or an order: one seat, or some places of an area.
type Line struct {
	Unit         uint32 `json:"unit"`
	Count        uint32 `json:"count"`
	Section      string `json:"section"`
	Row          string `json:"row"`
	Seat         string `json:"seat"`
	Area         bool   `json:"area"`
	Category     int    `json:"category"`
	CategoryName string `json:"category_name"`
	Price        Money  `json:"price"` // of one place
	Fee          Money  `json:"fee"`
}

// Hold keeps units for one fan.
type Hold struct {
	ID       string  `json:"id"`
	Expires  Time    `json:"expires_at"`
	Cap      Time    `json:"cap_at"`
	Renewed  bool    `json:"renewed"`
	Lines    []Line  `json:"lines"`
	Total    Money   `json:"total"`
	Adjacent bool    `json:"adjacent"`
	Order    *string `json:"order"`
}

// Order is a purchase.
type Order struct {
	ID        string   `json:"id"`
	Event     string   `json:"event"`
	EventName string   `json:"event_name"`
	State     string   `json:"state"`
	Expires   Time     `json:"expires_at"`
	Total     Money    `json:"total"`
	Lines     []Line   `json:"lines"`
	Opened    Time     `json:"opened_at"`
	Paid      Time     `json:"paid_at"`
	Payment   *Payment `json:"payment"`
	Tickets   []string `json:"tickets"`
	Mailed    bool     `json:"mailed"`
	Attention bool     `json:"attention"`
	Reason    string   `json:"reason"`
}

// Payment of an order.
type Payment struct {
	Method  string  `json:"method"`
	State   string  `json:"state"`
	Attempt uint8   `json:"attempt"`
	URL     *string `json:"url"`
	Pix     *Pix    `json:"pix"`
	Decline *string `json:"decline"`
}

// Pix payment: the code to copy and paste, and where its QR is.
type Pix struct {
	Code string `json:"code"`
	QR   string `json:"qr_svg_url"`
}

// Ticket opens the gate.
type Ticket struct {
	ID           string `json:"id"`
	Order        string `json:"order"`
	Event        string `json:"event"`
	Unit         uint32 `json:"unit"`
	Section      string `json:"section"`
	Row          string `json:"row"`
	Seat         string `json:"seat"`
	Area         bool   `json:"area"`
	Number       uint32 `json:"number"`
	CategoryName string `json:"category_name"`
	Price        Money  `json:"price"`
	Fee          Money  `json:"fee"`
	Holder       string `json:"holder"`
	Code         string `json:"code"`
	Issued       Time   `json:"issued_at"`
	Revoked      bool   `json:"revoked"`
	Scanned      Time   `json:"scanned_at"`
}

// Scan is the answer of a gate.
type Scan struct {
	Result string  `json:"result"` // accepted, already_scanned, revoked, superseded, unknown, invalid
	Ticket *Ticket `json:"ticket,omitempty"`
	First  *First  `json:"first,omitempty"`
}

// First is where and when a ticket was let in.
type First struct {
	At   Time   `json:"at"`
	Gate uint32 `json:"gate"`
}

// List of things; Next is the cursor of the next page.
type List[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next"`
}
