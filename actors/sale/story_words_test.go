package sale

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// who finds or makes the account of a person.
func (st *story) who(name string) AccountID {
	if i := slices.Index(st.people, name); i >= 0 {
		return AccountID(i + 1)
	}
	st.people = append(st.people, name)
	return AccountID(len(st.people))
}

var storyPays = []string{"none", "created", "action", "processing", "failed", "authorized", "captured", "canceled"}

// parse reads a line such as "ana holds A1 A2 key=k1". Words with = are fields, the rest is verb and objects.
func (st *story) parse(words []string) *Command {
	c := &Command{}
	var plainWords []string
	for _, w := range words {
		name, value, ok := strings.Cut(w, "=")
		if !ok {
			plainWords = append(plainWords, w)
			continue
		}
		switch name {
		case "key":
			copy(c.Key[:], value)
		case "ref":
			c.Ref = value
		case "amount":
			c.Amount = int64(st.num(value))
		case "currency":
			c.Currency = value
		case "intent":
			c.Intent = uint64(st.num(value))
		case "attempt":
			c.Attempt = uint8(st.num(value))
		case "version":
			c.Version = uint16(st.num(value))
		case "why":
			c.Text = value
		default:
			st.t.Fatalf("unknown field %q", w)
		}
	}
	switch plainWords[0] {
	case "provider":
		st.provider(c, plainWords[1:])
	case "intent":
		st.intent(c, plainWords[1:])
	case "gate":
		c.Op, c.Gate, c.Ticket = OpScan, uint16(st.num(plainWords[1])), TicketID(st.num(plainWords[4]))
		if c.Version == 0 {
			c.Version = 1
		}
	case "organiser":
		st.organiser(c, plainWords[1:])
	default:
		st.fan(c, plainWords)
	}
	return c
}

func (st *story) fan(c *Command, words []string) {
	c.Account = st.who(words[0])
	verb, rest := words[1], words[2:]
	if h, ok := st.s.HoldOf(c.Account); ok {
		c.Hold, c.Order = h.ID, h.Order
	}
	if orders := st.s.OrdersOf(c.Account); c.Order == 0 && len(orders) > 0 {
		c.Order = orders[len(orders)-1]
	}
	if len(rest) > 0 && rest[0] == "hold" {
		c.Hold = HoldID(st.num(rest[1]))
	}
	if len(rest) > 0 && rest[0] == "order" {
		c.Order, rest = OrderID(st.num(rest[1])), rest[2:]
	}
	switch verb {
	case "joins":
		c.Op = OpJoin
	case "claims":
		c.Op = OpClaim
	case "leaves":
		c.Op = OpLeave
	case "finishes":
		c.Op = OpFinish
	case "holds":
		c.Op, c.Hold, c.Order = OpHold, 0, 0
		if len(rest) == 2 && rest[1] == "best" {
			c.Best.Quantity, c.Best.AnyCategory, c.Best.AnySection = uint32(st.num(rest[0])), true, true
		} else {
			c.Lines = st.lines(rest)
		}
	case "changes":
		c.Op = OpHoldChange
		for _, w := range rest {
			l := st.lines([]string{w[1:]})
			if w[0] == '+' {
				c.Lines = append(c.Lines, l...)
			} else {
				c.Drop = append(c.Drop, l...)
			}
		}
	case "renews":
		c.Op = OpHoldRenew
	case "releases":
		c.Op = OpHoldRelease
	case "orders":
		c.Op, c.Order = OpOrderOpen, 0
	case "cancels":
		c.Op = OpOrderCancel
	case "pays":
		c.Op, c.Method = OpPayBegin, map[string]Method{"card": MethodCard, "pix": MethodPix}[rest[len(rest)-1]]
	default:
		st.t.Fatalf("unknown verb %q", verb)
	}
}

// provider reads "started order 1 ref=…", "says order 1 authorized ref=…", "refund of order 1 succeeded", "notice ref=…".
func (st *story) provider(c *Command, words []string) {
	switch words[0] {
	case "started":
		c.Op, c.Order = OpPayStarted, OrderID(st.num(words[2]))
		c.URL = "https://pay.example/" + c.Ref
		c.Attempt = max(c.Attempt, 1)
	case "says":
		c.Op, c.Order, c.Pay = OpPayState, OrderID(st.num(words[2])), PayState(slices.Index(storyPays, words[3]))
		if o, ok := st.s.Order(c.Order); ok && c.Pay.money() && c.Amount == 0 {
			c.Amount = o.Total
		}
		if c.Currency == "" && c.Pay.money() {
			c.Currency = "BRL"
		}
	case "refund":
		c.Op, c.Order = OpRefundState, OrderID(st.num(words[3]))
		c.Refund = map[string]RefundState{"pending": RefundPending, "succeeded": RefundSucceeded, "failed": RefundFailed}[words[4]]
		for _, x := range st.s.Intents(nil) {
			if x.Kind == IntentRefund && x.Order == c.Order {
				c.Intent = x.ID
			}
		}
	case "notice":
		c.Op = OpPayNotice
		if len(words) > 2 {
			c.Order = OrderID(st.num(words[2]))
		}
	default:
		st.t.Fatalf("unknown word of the provider %q", words)
	}
}

func (st *story) intent(c *Command, words []string) {
	c.Intent = uint64(st.num(words[0]))
	switch words[1] {
	case "done":
		c.Op = OpIntentDone
	case "fails":
		c.Op, c.At = OpIntentFailed, st.now+minute
	case "given":
		c.Op = OpIntentFailed
	}
}

func (st *story) organiser(c *Command, words []string) {
	c.Actor = 1 << 40
	switch words[0] {
	case "refunds":
		c.Op, c.Order = OpRefund, OrderID(st.num(words[2]))
		if len(words) > 3 && words[3] == "force" {
			c.Limit = 1
		}
	case "cancels":
		c.Op, c.Order = OpOrderCancel, OrderID(st.num(words[2]))
	case "removes":
		c.Op, c.Account = OpRemove, st.who(words[1])
	case "opens":
		c.Op = OpOpen
	case "pauses":
		c.Op = OpPause
	case "resumes":
		c.Op = OpResume
	case "closes":
		c.Op = OpClose
	default:
		st.t.Fatalf("unknown word of the organiser %q", words)
	}
}

// lines reads units: A3, lawn, lawn*2; anything else is a unit that does not exist.
func (st *story) lines(words []string) (lines []Line) {
	for _, w := range words {
		name, count, many := strings.Cut(w, "*")
		l := Line{Unit: 9999, Count: 1}
		if many {
			l.Count = uint32(st.num(count))
		}
		plan := st.s.Config().Plan
		for u := range plan.Units() {
			if st.unit(UnitID(u)) == name {
				l.Unit = UnitID(u)
			}
		}
		lines = append(lines, l)
	}
	return lines
}

func (st *story) unit(u UnitID) string {
	plan := st.s.Config().Plan
	if a := plan.Area(u); a != nil {
		return a.Key
	}
	return plan.Seats[u].Key
}

func (st *story) num(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		st.t.Fatal(err)
	}
	return n
}

func money(v int64) string { return fmt.Sprintf("%d.%02d", v/100, v%100) }

func clockText(at int64) string {
	return time.UnixMilli(at).UTC().Format(time.TimeOnly)
}
