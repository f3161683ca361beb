package sale

import "strconv"

// The names of states are part of the public interface: bodies, frames, metrics and reports use them.

// String is the phase's public name.
func (p Phase) String() string {
	return name(int(p), "scheduled", "lobby", "open", "paused", "closed")
}

// String is the state's public name.
func (s OrderState) String() string {
	return name(int(s), "none", "awaiting", "committed", "paid", "fulfilled", "expired", "canceled", "refunding", "refunded")
}

// String is the state's public name.
func (s PayState) String() string {
	return name(int(s), "none", "created", "action", "processing", "failed", "authorized", "captured", "canceled")
}

// String is the state's public name.
func (s RefundState) String() string {
	return name(int(s), "none", "pending", "succeeded", "failed")
}

// String is the method's public name.
func (m Method) String() string {
	return name(int(m), "none", "card", "pix")
}

func name(i int, names ...string) string {
	if i < len(names) {
		return names[i]
	}
	return "state_" + strconv.Itoa(i)
}
