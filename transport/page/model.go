package page

import (
	"regexp"
	"time"
)

// These mirror the JSON of the API, as far as the pages show it.

type account struct {
	ID, Email, Name, Lang, Role string
}

type event struct {
	ID        string     `json:"id"`
	Slug      string     `json:"slug"`
	Name      string     `json:"name"`
	Venue     string     `json:"venue"`
	Phase     string     `json:"phase"`
	Rehearsal bool       `json:"rehearsal"`
	Currency  string     `json:"currency"`
	TimeZone  string     `json:"time_zone"`
	StartsAt  instant    `json:"starts_at"`
	LobbyAt   instant    `json:"lobby_at"`
	OpensAt   instant    `json:"opens_at"`
	ClosesAt  instant    `json:"closes_at"`
	Now       instant    `json:"now"`
	PriceFrom money      `json:"price_from"`
	PriceTo   money      `json:"price_to"`
	Limits    limits     `json:"limits"`
	Category  []category `json:"categories"`
	Sections  []section  `json:"sections"`
	PlanURL   string     `json:"plan_url"`
	Message   string     `json:"message"`
	Pause     string     `json:"pause_reason"`
	Policy    string     `json:"policy_hash"`
	Methods   []string   `json:"payment_methods"`
}

type limits struct {
	PerHold    int `json:"per_hold"`
	PerAccount int `json:"per_account"`
}

type category struct {
	ID       int    `json:"id"`
	Name     string `json:"name"`
	Color    string `json:"color"`
	Price    money  `json:"price"`
	Fee      money  `json:"fee"`
	Capacity int64  `json:"capacity"`
	Free     int64  `json:"free"`
	Area     bool   `json:"area"`
}

// Total is what one place costs, fee included.
func (c category) Total() money { return money{c.Price.Amount + c.Fee.Amount, c.Price.Currency} }

var hexColor = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// Paint is the colour when it is a proper one.
func (c category) Paint() string { return paint(c.Color) }

func paint(s string) string {
	if hexColor.MatchString(s) {
		return s
	}
	return "#7c8a83"
}

// Glyph is the shape that goes with the colour, so that colour is never the only sign.
func (c category) Glyph() string { return glyphs()[max(c.ID, 0)%len(glyphs())] }

// glyphs are drawn in a 20×20 box; files/js/map.js draws the same ones, from the page's data.
func glyphs() []string {
	return []string{
		"M10 1.5a8.5 8.5 0 1 1 0 17a8.5 8.5 0 1 1 0-17z",
		"M2.5 2.5h15v15h-15z",
		"M10 .5l9.5 9.5l-9.5 9.5l-9.5-9.5z",
		"M10 1.5l9 16.5h-18z",
		"M5.5 2h9l4.5 8l-4.5 8h-9l-4.5-8z",
		"M7 1.5h6v5.5h5.5v6h-5.5v5.5h-6v-5.5h-5.5v-6h5.5z",
		"M1 2h18l-9 16.5z",
		"M10 .5l2.8 6.400 7 .6-5.300 4.600 1.600 6.800-6.100-3.600-6.100 3.600 1.600-6.800-5.300-4.600 7-.6z",
	}
}

type section struct {
	ID    int    `json:"id"`
	Label string `json:"label"`
	Zone  string `json:"zone"`
}

type place struct {
	State    string  `json:"state"`
	Number   int64   `json:"number"`
	Ahead    int64   `json:"ahead"`
	ETA      *eta    `json:"eta"`
	Chance   string  `json:"chance"`
	Deadline instant `json:"deadline"`
	Cap      instant `json:"cap"`
	Phase    string  `json:"phase"`
	Waiting  int64   `json:"waiting"`
	Now      instant `json:"now"`
}

type eta struct {
	LoMs     int64  `json:"lo_ms"`
	HiMs     int64  `json:"hi_ms"`
	Why      string `json:"why"`
	OverHour bool   `json:"over_hour"`
}

type line struct {
	Unit     int    `json:"unit"`
	Count    int64  `json:"count"`
	Section  string `json:"section"`
	Row      string `json:"row"`
	Seat     string `json:"seat"`
	Area     bool   `json:"area"`
	Category string `json:"category_name"`
	Price    money  `json:"price"`
	Fee      money  `json:"fee"`
}

// Sum is price and fee of all the places of the line.
func (l line) Sum() money {
	return money{(l.Price.Amount + l.Fee.Amount) * max(l.Count, 1), l.Price.Currency}
}

type hold struct {
	ID       string  `json:"id"`
	Expires  instant `json:"expires_at"`
	Cap      instant `json:"cap_at"`
	Renewed  bool    `json:"renewed"`
	Lines    []line  `json:"lines"`
	Total    money   `json:"total"`
	Adjacent bool    `json:"adjacent"`
	Order    string  `json:"order"`
}

// Apart says whether the places are known to lie in different rows or sections; places of one row are not told to be
// apart, whatever way they were chosen.
func (h hold) Apart() bool {
	if h.Adjacent {
		return false
	}
	for _, l := range h.Lines {
		if l.Section != h.Lines[0].Section || l.Row != h.Lines[0].Row {
			return true
		}
	}
	return false
}

type order struct {
	ID        string   `json:"id"`
	Event     string   `json:"event"`
	EventName string   `json:"event_name"`
	State     string   `json:"state"`
	Expires   instant  `json:"expires_at"`
	Total     money    `json:"total"`
	Lines     []line   `json:"lines"`
	Opened    instant  `json:"opened_at"`
	Paid      instant  `json:"paid_at"`
	Payment   *payment `json:"payment"`
	Tickets   []string `json:"tickets"`
	Mailed    bool     `json:"mailed"`
	Attention bool     `json:"attention"`
	Reason    string   `json:"reason"`
}

type payment struct {
	Method  string `json:"method"`
	State   string `json:"state"`
	Attempt int    `json:"attempt"`
	URL     string `json:"url"`
	Pix     *struct {
		Code string `json:"code"`
		QR   string `json:"qr_svg_url"`
	} `json:"pix"`
	Decline string `json:"decline"`
}

type ticket struct {
	ID       string  `json:"id"`
	Section  string  `json:"section"`
	Row      string  `json:"row"`
	Seat     string  `json:"seat"`
	Area     bool    `json:"area"`
	Number   int     `json:"number"`
	Category string  `json:"category_name"`
	Price    money   `json:"price"`
	Fee      money   `json:"fee"`
	Holder   string  `json:"holder"`
	Code     string  `json:"code"`
	Revoked  bool    `json:"revoked"`
	Scanned  instant `json:"scanned_at"`
}

// left is how long from now until t, never negative.
func left(t, now instant) time.Duration { return max(t.Sub(now.Time), 0) }

// Faces, Fees and Count sum up the lines of a hold or order.
func faces(ls []line) (m money) {
	for _, l := range ls {
		m.Amount += l.Price.Amount * max(l.Count, 1)
		m.Currency = l.Price.Currency
	}
	return m
}

func fees(ls []line) (m money) {
	for _, l := range ls {
		m.Amount += l.Fee.Amount * max(l.Count, 1)
		m.Currency = l.Price.Currency
	}
	return m
}
