package account

import "encoding/binary"

// Layout of a command, little endian: version u8 | op u8 | fields u32, one bit for each field that is not zero,
// then those fields in the order of the bits. A flag is its bit. Bits are never reused.
const commandVersion = 1

const (
	hasKey = 1 << iota
	hasBody
	hasAccount
	hasActor
	hasEvent
	hasRole
	hasState
	hasRehearsal
	hasPinned
	hasShard
	hasCount
	hasExpires
	hasTokenHash
	hasSeed
	hasBefore
	hasAfter
	hasEmail
	hasName
	hasLang
	hasHash
	hasSlug
	hasAction
	hasTarget
	hasReason
	hasDetail
	hasSummary
	hasPublic
	hasBeyond // first bit not in use
)

// maxLoose bounds a text field of a command in the decoder. It is more than one command may have in all, so a
// field over its own bound is decoded, refused with [RefusedInvalid] and answered.
const maxLoose = 1 << 24

func bit(on bool, b uint32) uint32 {
	if on {
		return b
	}
	return 0
}

func (c *Command) fields() uint32 {
	zero := [32]byte{}
	return bit(c.Key != Key{}, hasKey) | bit(c.Body != [16]byte{}, hasBody) | bit(c.Account != 0, hasAccount) |
		bit(c.Actor != 0, hasActor) | bit(c.Event != 0, hasEvent) | bit(c.Role != 0, hasRole) |
		bit(c.State != 0, hasState) | bit(c.Rehearsal, hasRehearsal) | bit(c.Pinned, hasPinned) |
		bit(c.Shard != 0, hasShard) | bit(c.Count != 0, hasCount) | bit(c.Expires != 0, hasExpires) |
		bit(c.TokenHash != zero, hasTokenHash) | bit(c.Seed != zero, hasSeed) | bit(c.Before != zero, hasBefore) |
		bit(c.After != zero, hasAfter) | bit(c.Email != "", hasEmail) | bit(c.Name != "", hasName) |
		bit(c.Lang != "", hasLang) | bit(c.Hash != "", hasHash) | bit(c.Slug != "", hasSlug) |
		bit(c.Action != "", hasAction) | bit(c.Target != "", hasTarget) | bit(c.Reason != "", hasReason) |
		bit(c.Detail != "", hasDetail) | bit(len(c.Summary) != 0, hasSummary) | bit(len(c.Public) != 0, hasPublic)
}

// AppendCommand appends the command's encoding.
func AppendCommand(b []byte, c *Command) []byte {
	f := c.fields()
	b = append(b, commandVersion, byte(c.Op))
	b = binary.LittleEndian.AppendUint32(b, f)
	if f&hasKey != 0 {
		b = append(b, c.Key[:]...)
	}
	if f&hasBody != 0 {
		b = append(b, c.Body[:]...)
	}
	for _, n := range [...]struct {
		bit uint32
		v   uint64
	}{
		{hasAccount, uint64(c.Account)},
		{hasActor, uint64(c.Actor)},
		{hasEvent, uint64(c.Event)},
		{hasRole, uint64(c.Role)},
		{hasState, uint64(c.State)},
		{hasShard, uint64(c.Shard)},
		{hasCount, uint64(c.Count)},
		{hasExpires, uint64(c.Expires)},
	} {
		if f&n.bit != 0 {
			b = binary.AppendUvarint(b, n.v)
		}
	}
	for _, h := range [...]struct {
		bit uint32
		v   *[32]byte
	}{{hasTokenHash, &c.TokenHash}, {hasSeed, &c.Seed}, {hasBefore, &c.Before}, {hasAfter, &c.After}} {
		if f&h.bit != 0 {
			b = append(b, h.v[:]...)
		}
	}
	for _, s := range c.texts() {
		if f&s.bit != 0 {
			b = appendText(b, *s.v)
		}
	}
	if f&hasSummary != 0 {
		b = appendText(b, c.Summary)
	}
	if f&hasPublic != 0 {
		b = appendText(b, c.Public)
	}
	return b
}

type textField struct {
	name string
	bit  uint32
	v    *string
}

func (c *Command) texts() [9]textField {
	return [...]textField{
		{"email", hasEmail, &c.Email},
		{"name", hasName, &c.Name},
		{"lang", hasLang, &c.Lang},
		{"hash", hasHash, &c.Hash},
		{"slug", hasSlug, &c.Slug},
		{"action", hasAction, &c.Action},
		{"target", hasTarget, &c.Target},
		{"reason", hasReason, &c.Reason},
		{"detail", hasDetail, &c.Detail},
	}
}

// Decoder decodes commands into one Command of its own. The zero Decoder is ready.
type Decoder struct{ c Command }

// Decode decodes one command. It is valid until the next Decode; Summary and Public point into b. An error
// wraps [ErrEncoding] and says which field is wrong.
func (d *Decoder) Decode(b []byte) (*Command, error) {
	d.c = Command{}
	c, r := &d.c, reader{b: b}
	if v := r.u8("version"); r.err == nil && v != commandVersion {
		r.fail("version", "%d is not known to this binary", v)
	}
	c.Op = Op(r.u8("op"))
	if r.err == nil && (c.Op < OpTick || c.Op > OpEpoch) {
		r.fail("op", "%d is not known to this binary", c.Op)
	}
	f := r.u32("fields")
	if f >= hasBeyond {
		r.fail("fields", "%#x is not known to this binary", f)
	}
	if f&hasKey != 0 {
		copy(c.Key[:], r.take("key", len(c.Key)))
	}
	if f&hasBody != 0 {
		copy(c.Body[:], r.take("body", len(c.Body)))
	}
	d.decodeNumbers(&r, f)
	if f&hasTokenHash != 0 {
		c.TokenHash = r.hash("token_hash")
	}
	if f&hasSeed != 0 {
		c.Seed = r.hash("seed")
	}
	if f&hasBefore != 0 {
		c.Before = r.hash("before")
	}
	if f&hasAfter != 0 {
		c.After = r.hash("after")
	}
	for _, s := range c.texts() {
		if f&s.bit != 0 {
			*s.v = string(r.text(s.name, maxLoose))
		}
	}
	if f&hasSummary != 0 {
		c.Summary = r.text("summary", maxLoose)
	}
	if f&hasPublic != 0 {
		c.Public = r.text("public", maxLoose)
	}
	r.end()
	if r.err == nil && c.fields() != f {
		r.fail("fields", "%#x has the bit of a zero field", f)
	}
	return c, r.err
}

func (d *Decoder) decodeNumbers(r *reader, f uint32) {
	c := &d.c
	const any64 = 1<<64 - 1
	if f&hasAccount != 0 {
		c.Account = ID(r.uvarint("account", any64))
	}
	if f&hasActor != 0 {
		c.Actor = ID(r.uvarint("actor", any64))
	}
	if f&hasEvent != 0 {
		c.Event = EventID(r.uvarint("event", 1<<32-1))
	}
	if f&hasRole != 0 {
		c.Role = Role(r.uvarint("role", 1<<8-1))
	}
	if f&hasState != 0 {
		c.State = EventState(r.uvarint("state", 1<<8-1))
	}
	c.Rehearsal = f&hasRehearsal != 0
	c.Pinned = f&hasPinned != 0
	if f&hasShard != 0 {
		c.Shard = uint16(r.uvarint("shard", 1<<16-1))
	}
	if f&hasCount != 0 {
		c.Count = uint32(r.uvarint("count", 1<<32-1))
	}
	if f&hasExpires != 0 {
		c.Expires = int64(r.uvarint("expires", any64))
	}
}
