package sale

import (
	"fmt"
	"strings"
)

var storyRefusals = map[Refusal]string{
	RefusedClosed: "the sale is over", RefusedNotOpen: "not open", RefusedNoPlace: "no place in the queue",
	RefusedNotYourTurn: "not your turn", RefusedNoLease: "shopping time is over", RefusedConflict: "taken:",
	RefusedSoldOut: "nothing found", RefusedLimit: "over the limit, allowed:", RefusedOrphan: "would leave a seat alone, try:",
	RefusedUnknownUnit: "no such unit", RefusedUnknown: "unknown", RefusedExpired: "run out", RefusedRenewed: "renewed already",
	RefusedPaying: "payment in progress", RefusedState: "not in this state", RefusedAttempts: "too many attempts",
	RefusedMismatch: "key used for something else", RefusedInvalid: "malformed", RefusedScanned: "already in,",
	RefusedRevoked: "ticket cancelled", RefusedVersion: "ticket re-issued", RefusedRemoved: "removed", RefusedFull: "full",
	RefusedHoldExists: "has a hold already", RefusedAmount: "amount or currency differs",
}

func (st *story) refusal(r Result) string {
	out := "refused: " + storyRefusals[r.Refusal]
	switch r.Refusal {
	case RefusedLimit:
		out += fmt.Sprintf(" %d", r.Number)
	case RefusedScanned:
		out += fmt.Sprintf(" gate %d at %s", r.Number, clockText(r.At))
	}
	for _, u := range r.Units {
		out += " " + st.unit(u)
	}
	if r.Repeated {
		out += " (same answer as before)"
	}
	return out + "\n"
}

// answer tells what the command's author hears.
func (st *story) answer(c *Command, r Result) string {
	if r.Refusal != Done {
		return st.refusal(r)
	}
	out := ""
	switch c.Op {
	case OpJoin:
		out = fmt.Sprintf("place %d", r.Place)
	case OpHold, OpHoldChange, OpHoldRenew:
		out = fmt.Sprintf("hold %d until %s for %s:", r.Hold, clockText(r.At), money(r.Amount))
		for _, l := range r.Lines {
			out += " " + st.unit(l.Unit)
			if l.Count > 1 {
				out += fmt.Sprintf("*%d", l.Count)
			}
		}
	case OpOrderOpen:
		out = fmt.Sprintf("order %d of %s, to be paid by %s", r.Order, money(r.Amount), clockText(r.At))
	case OpPayBegin:
		out = fmt.Sprintf("attempt %d, to be paid by %s", r.Number, clockText(r.At))
	case OpScan:
		out = "let in"
	}
	if r.Repeated {
		out = strings.TrimSpace(out + " (same answer as before)")
	}
	if out == "" {
		return ""
	}
	return out + "\n"
}

var storyOrderStates = [...]string{
	"", "awaiting payment", "committed", "paid", "fulfilled", "expired", "canceled", "refunding", "refunded",
}

var storyKinds = [...]string{
	"", "start payment", "query payment", "capture", "void", "refund", "mail tickets", "mail about money",
}

// changes tells units, orders and intents that changed in the last batch, each with its last word.
func (st *story) changes() string {
	var lines []string
	say := func(key, text string) {
		for i, l := range lines {
			if strings.HasPrefix(l, key) {
				lines[i] = key + text
				return
			}
		}
		lines = append(lines, key+text)
	}
	for _, c := range st.s.Changes() {
		switch c.Kind {
		case ChangeUnit:
			if st.s.Config().Plan.IsArea(c.Unit) {
				say(st.unit(c.Unit)+" ", fmt.Sprintf("has %d free", c.Number))
			} else {
				say(st.unit(c.Unit)+" ", [...]string{"free", "held", "sold", "blocked"}[c.Status])
			}
		case ChangeOrder:
			say(fmt.Sprintf("order %d ", c.Order), st.orderText(c.Order))
		case ChangeIntent:
			x, ok := st.s.Intent(c.Intent)
			if !ok {
				say(fmt.Sprintf("intent %d ", c.Intent), "closed")
				continue
			}
			text := storyKinds[x.Kind] + fmt.Sprintf(" of order %d", x.Order)
			if x.Ref != "" {
				text += " " + x.Ref
			}
			if x.Kind == IntentRefund || x.Kind == IntentCapture || x.Kind == IntentMailRefund {
				text += " " + money(x.Amount)
			}
			if x.Due > st.s.Clock() {
				text += " at " + clockText(x.Due)
			}
			say(fmt.Sprintf("intent %d ", c.Intent), text)
		case ChangePhase:
			say("phase ", [...]string{"scheduled", "lobby", "open", "paused", "closed"}[st.s.Phase()])
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return "· " + strings.Join(lines, "\n· ") + "\n"
}

func (st *story) orderText(id OrderID) string {
	o, _ := st.s.Order(id)
	out := storyOrderStates[o.State]
	if o.Settling {
		out += ", settling"
	}
	if o.Payment.State != PayNone {
		out += ", payment " + storyPays[o.Payment.State]
		if o.Payment.Decline != "" {
			out += " (" + o.Payment.Decline + ")"
		}
	}
	if o.Payment.Refund != RefundNone {
		out += ", refund " + [...]string{"", "pending", "succeeded", "failed"}[o.Payment.Refund]
	}
	if o.Attention {
		out += ", a person has to look: " + o.Reason
	}
	if n := len(o.Tickets); n > 0 {
		out += fmt.Sprintf(", tickets %d to %d", o.Tickets[0], o.Tickets[n-1])
	}
	return out
}

// show tells the whole sale: who has what, every order, open intents, and the book.
func (st *story) show() string {
	var out strings.Builder
	t := st.s.Totals()
	fmt.Fprintf(&out, "%s: %d free, %d held, %d sold\n", clockText(st.now), t.Free, t.Held, t.Sold)
	for id := range OrderID(st.s.Orders()) {
		fmt.Fprintf(&out, "order %d %s\n", id+1, st.orderText(id+1))
	}
	for _, x := range st.s.Intents(nil) {
		fmt.Fprintf(&out, "intent %d %s of order %d", x.ID, storyKinds[x.Kind], x.Order)
		if x.Due > st.s.Clock() {
			fmt.Fprintf(&out, " at %s", clockText(x.Due))
		}
		out.WriteString("\n")
	}
	b := st.s.Book()
	fmt.Fprintf(&out, "captured %s, refunded %s, on its way back %s, sold %s + fees %s\n", money(b.Captured),
		money(b.Refunded), money(b.Refunding), money(b.SoldFace), money(b.SoldFees))
	return out.String()
}
