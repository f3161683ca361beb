package sale

import (
	"fmt"

	"github.com/catraca/catraca/actors/sale/seatmap"
)

// A stored command: version, op, mask of the fields that are not zero, then those fields in the order of the mask.
// Best.Salt and Best.Orphans are not stored: the machine sets them.
const commandVersion = 1

// MaxCommand bounds a stored command in bytes.
const MaxCommand = 16 << 10

// Bits of the mask; numbers are never reused.
const (
	hasKey uint32 = 1 << iota
	hasAccount
	hasActor
	hasHold
	hasOrder
	hasTicket
	hasIntent
	hasAttempt
	hasVersion
	hasMethod
	hasPay
	hasRefund
	hasGate
	hasAmount
	hasLimit
	hasAt
	hasCurrency
	hasRef
	hasURL
	hasText
	hasLines
	hasDrop
	hasBest
	hasAll = 1<<iota - 1

	hasNumbers = hasCurrency - hasAccount
	hasTexts   = hasLines - hasCurrency
)

// Bits of the flags of a stored query.
const (
	bestAnyCategory = 1 << iota
	bestAnySection
	bestScatter
	bestAll = 1<<iota - 1
)

// AppendCommand appends the stored form of a command.
func AppendCommand(dst []byte, c *Command) []byte {
	mask := maskOf(c)
	dst = append(dst, commandVersion, byte(c.Op))
	dst = appendUint(dst, mask)
	if mask&hasKey != 0 {
		dst = append(dst, c.Key[:]...)
	}
	return appendFields(dst, c, mask)
}

// appendBody is the form without the key, for telling commands apart.
func appendBody(dst []byte, c *Command) []byte {
	mask := maskOf(c) &^ hasKey
	dst = append(dst, byte(c.Op))
	return appendFields(appendUint(dst, mask), c, mask)
}

func maskOf(c *Command) (mask uint32) {
	if c.Key != (Key{}) {
		mask |= hasKey
	}
	mask |= bit(c.Account, hasAccount) | bit(c.Actor, hasActor) | bit(c.Hold, hasHold) | bit(c.Order, hasOrder) |
		bit(c.Ticket, hasTicket) | bit(c.Intent, hasIntent) | bit(c.Attempt, hasAttempt) | bit(c.Version, hasVersion) |
		bit(c.Method, hasMethod) | bit(c.Pay, hasPay) | bit(c.Refund, hasRefund) | bit(c.Gate, hasGate) |
		bit(c.Amount, hasAmount) | bit(c.Limit, hasLimit) | bit(c.At, hasAt) |
		bit(len(c.Currency), hasCurrency) | bit(len(c.Ref), hasRef) | bit(len(c.URL), hasURL) | bit(len(c.Text), hasText) |
		bit(len(c.Lines), hasLines) | bit(len(c.Drop), hasDrop)
	q := &c.Best
	if q.Quantity|q.Accessible != 0 || q.Category|q.Section != 0 || q.MaxPrice != 0 || q.AnyCategory || q.AnySection || q.Scatter {
		mask |= hasBest
	}
	return mask
}

// bit is b if the field is there.
func bit[T comparable](field T, b uint32) uint32 {
	var zero T
	if field != zero {
		return b
	}
	return 0
}

func appendFields(dst []byte, c *Command, mask uint32) []byte {
	if mask&hasNumbers != 0 {
		dst = appendNumbers(dst, c, mask)
	}
	if mask&hasTexts != 0 {
		for _, f := range [...]struct {
			bit   uint32
			value string
		}{{hasCurrency, c.Currency}, {hasRef, c.Ref}, {hasURL, c.URL}, {hasText, c.Text}} {
			if mask&f.bit != 0 {
				dst = appendText(dst, f.value)
			}
		}
	}
	if mask&hasLines != 0 {
		dst = appendLines(dst, c.Lines)
	}
	if mask&hasDrop != 0 {
		dst = appendLines(dst, c.Drop)
	}
	if mask&hasBest != 0 {
		dst = appendBest(dst, &c.Best)
	}
	return dst
}

func appendNumbers(dst []byte, c *Command, mask uint32) []byte {
	if mask&hasAccount != 0 {
		dst = appendUint(dst, uint64(c.Account))
	}
	if mask&(hasNumbers&^hasAccount) == 0 { // as for most commands
		return dst
	}
	for _, f := range [...]struct {
		bit   uint32
		value uint64
	}{
		{hasActor, uint64(c.Actor)}, {hasHold, uint64(c.Hold)}, {hasOrder, uint64(c.Order)}, {hasTicket, uint64(c.Ticket)},
		{hasIntent, c.Intent}, {hasAttempt, uint64(c.Attempt)}, {hasVersion, uint64(c.Version)}, {hasMethod, uint64(c.Method)},
		{hasPay, uint64(c.Pay)}, {hasRefund, uint64(c.Refund)}, {hasGate, uint64(c.Gate)},
	} {
		if mask&f.bit != 0 {
			dst = appendUint(dst, f.value)
		}
	}
	for _, f := range [...]struct {
		bit   uint32
		value int64
	}{{hasAmount, c.Amount}, {hasLimit, c.Limit}, {hasAt, c.At}} {
		if mask&f.bit != 0 {
			dst = appendInt(dst, f.value)
		}
	}
	return dst
}

func appendBest(dst []byte, q *seatmap.BestQuery) []byte {
	flags := byte(0)
	if q.AnyCategory {
		flags |= bestAnyCategory
	}
	if q.AnySection {
		flags |= bestAnySection
	}
	if q.Scatter {
		flags |= bestScatter
	}
	dst = append(dst, flags)
	dst = appendUint(appendUint(appendUint(dst, q.Quantity), q.Category), q.Section)
	return appendUint(appendInt(dst, q.MaxPrice), q.Accessible)
}

// Decoder reads stored commands. It keeps the texts of the last command, so that texts which repeat from one to
// the next (a currency, a language) take no memory. It belongs to one goroutine.
type Decoder struct {
	currency, ref, url, text string
}

// Decode reads one stored command, all of b, into c. It reuses the memory of c.Lines and c.Drop. An error names the field; c
// is then of no use.
func (d *Decoder) Decode(b []byte, c *Command) error {
	lines, drop := c.Lines[:0], c.Drop[:0]
	*c = Command{Lines: lines, Drop: drop}
	if len(b) > MaxCommand {
		return fmt.Errorf("decode command: has %d bytes, allowed are %d", len(b), MaxCommand)
	}
	r := reader{b: b}
	r.version(commandVersion)
	c.Op = Op(r.u8("op"))
	mask := uint32(r.number("fields", hasAll))
	if mask&hasKey != 0 {
		c.Key = r.key("key")
	}
	decodeNumbers(&r, c, mask)
	if mask&hasTexts != 0 {
		d.decodeTexts(&r, c, mask)
	}
	if mask&hasLines != 0 {
		c.Lines = decodeLines(&r, "lines", c.Lines)
	}
	if mask&hasDrop != 0 {
		c.Drop = decodeLines(&r, "drop", c.Drop)
	}
	if mask&hasBest != 0 {
		decodeBest(&r, &c.Best)
	}
	if err := r.done(); err != nil {
		return fmt.Errorf("decode command %d: %w", c.Op, err)
	}
	if maskOf(c) != mask {
		return fmt.Errorf("decode command %d: fields: a field that is there is zero", c.Op)
	}
	return nil
}

func decodeNumbers(r *reader, c *Command, mask uint32) {
	if mask&hasAccount != 0 {
		c.Account = AccountID(r.u64("account"))
	}
	if mask&hasActor != 0 {
		c.Actor = AccountID(r.u64("actor"))
	}
	if mask&hasHold != 0 {
		c.Hold = HoldID(r.u32("hold"))
	}
	if mask&hasOrder != 0 {
		c.Order = OrderID(r.u32("order"))
	}
	if mask&hasTicket != 0 {
		c.Ticket = TicketID(r.u32("ticket"))
	}
	if mask&hasIntent != 0 {
		c.Intent = r.u64("intent")
	}
	if mask&hasAttempt != 0 {
		c.Attempt = uint8(r.number("attempt", 1<<8-1))
	}
	if mask&hasVersion != 0 {
		c.Version = r.u16("version")
	}
	if mask&hasMethod != 0 {
		c.Method = Method(r.number("method", 1<<8-1))
	}
	if mask&hasPay != 0 {
		c.Pay = PayState(r.number("pay", 1<<8-1))
	}
	if mask&hasRefund != 0 {
		c.Refund = RefundState(r.number("refund", 1<<8-1))
	}
	if mask&hasGate != 0 {
		c.Gate = r.u16("gate")
	}
	if mask&hasAmount != 0 {
		c.Amount = r.int("amount")
	}
	if mask&hasLimit != 0 {
		c.Limit = r.int("limit")
	}
	if mask&hasAt != 0 {
		c.At = r.int("at")
	}
}

func (d *Decoder) decodeTexts(r *reader, c *Command, mask uint32) {
	for _, f := range [...]struct {
		bit   uint32
		field string
		limit int
		last  *string
		to    *string
	}{
		{hasCurrency, "currency", maxCurrency, &d.currency, &c.Currency},
		{hasRef, "ref", maxText, &d.ref, &c.Ref},
		{hasURL, "url", maxURL, &d.url, &c.URL},
		{hasText, "text", maxURL, &d.text, &c.Text},
	} {
		if mask&f.bit == 0 {
			continue
		}
		if b := r.bytes(f.field, f.limit); string(b) != *f.last {
			*f.last = string(b)
		}
		*f.to = *f.last
	}
}

func decodeLines(r *reader, field string, dst []Line) []Line {
	for range r.count(field, MaxPerHold, 2) {
		dst = append(dst, Line{Unit: UnitID(r.u32(field)), Count: r.u32(field)})
	}
	return dst
}

func decodeBest(r *reader, q *seatmap.BestQuery) {
	flags := r.number("best.flags", bestAll)
	q.AnyCategory = flags&bestAnyCategory != 0
	q.AnySection = flags&bestAnySection != 0
	q.Scatter = flags&bestScatter != 0
	q.Quantity = r.u32("best.quantity")
	q.Category = r.u16("best.category")
	q.Section = r.u16("best.section")
	q.MaxPrice = r.int("best.max_price")
	q.Accessible = r.u32("best.accessible")
}
