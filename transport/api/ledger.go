package api

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sale/queue"
	"github.com/catraca/catraca/actors/sale/seatmap"
	"github.com/catraca/catraca/transport/wire"
)

// ledgerPage bounds the orders of one answer.
const ledgerPage = 1000

// ledger shows the books of a sale from the replicated state. All of one answer is of one moment.
func (s *Server) ledger(ctx context.Context, r *request) (answer, error) {
	v, err := s.event(r)
	if err != nil {
		return answer{}, err
	}
	after := uint64(0)
	cursor := r.URL.Query().Get("cursor")
	if cursor != "" {
		if after, err = strconv.ParseUint(cursor, 10, 32); err != nil {
			return answer{}, invalid(r.lang, "/cursor", "type", "the next of an earlier page")
		}
	}
	b := &books{event: v.Event, cfg: v.Config}
	err = s.o.Sales.Read(ctx, v.Event, func(st *sale.State) { b.copy(st, sale.OrderID(after), cursor == "") })
	if err != nil {
		return answer{}, err
	}
	return answer{body: b.render()}, nil
}

// books are copied on the machine's goroutine and written up on the caller's.
type books struct {
	event sale.EventID
	cfg   *sale.Config

	index     uint64
	clock     int64
	phase     sale.Phase
	stock     []seatmap.Count
	totals    seatmap.Count
	book      sale.Book
	queue     *queue.View
	orders    []sale.Order
	payments  [][]sale.Payment
	next      sale.OrderID // of the next page, 0: none
	recounted bool
	verified  error
	places    []byte // for the digest
}

// copy takes what an answer needs. With recount the machine counts itself anew, which takes time in proportion to
// the sale: a page of a crawl does not ask for it.
func (b *books) copy(st *sale.State, after sale.OrderID, recount bool) {
	b.index, b.clock, b.phase = st.Index(), st.Clock(), st.Phase()
	b.stock, b.totals, b.book, b.queue = st.Stock(), st.Totals(), st.Book(), st.QueueView()
	for i := st.OrdersUpTo(after); i < st.Orders(); i++ {
		if len(b.orders) == ledgerPage {
			b.next = st.OrderAt(i - 1)
			break
		}
		id := st.OrderAt(i)
		o, _ := st.Order(id) // every one of them exists
		b.orders, b.payments = append(b.orders, o), append(b.payments, st.Payments(id))
	}
	if !recount {
		return
	}
	b.recounted, b.verified = true, st.Verify()
	issued := queue.Place(b.queue.Counts.Issued)
	b.places = make([]byte, 0, 20*int(issued))
	for p := queue.Place(1); p <= issued; p++ {
		info, _ := st.PlaceAt(p)
		b.places = binary.BigEndian.AppendUint32(b.places, uint32(p))
		b.places = binary.BigEndian.AppendUint64(b.places, info.Account)
		b.places = binary.BigEndian.AppendUint64(b.places, uint64(info.JoinedAt))
	}
}

func (b *books) render() wire.Ledger {
	defects := b.defects()
	out := wire.Ledger{
		Event: b.cfg.Slug, Index: b.index, At: wire.Time(b.clock), Phase: b.phase.String(),
		Clean: len(defects) == 0, Recounted: b.recounted, Defects: defects,
		Categories: []wire.LedgerCategory{}, Places: ledgerPlaces(b.totals), Money: b.money(),
		Orders: make(map[string]uint32), Queue: b.line(), Rows: []wire.LedgerRow{},
		Tickets: wire.LedgerTickets{Issued: b.book.TicketsIssued, Revoked: b.book.TicketsRevoked, Scanned: b.book.TicketsScanned},
		Odd: wire.LedgerOdd{
			LateSaved: b.book.LateSaved, LateGone: b.book.LateGone, Repaid: b.book.Repaid, Attention: b.book.Attention,
			Foreign: b.book.Foreign, Unmatched: b.book.Unmatched,
		},
	}
	for i, c := range b.stock {
		out.Categories = append(out.Categories, wire.LedgerCategory{ID: i, Key: b.cfg.Plan.Categories[i].Key, LedgerPlaces: ledgerPlaces(c)})
	}
	for state := sale.OrderAwaiting; state <= sale.OrderRefunded; state++ {
		out.Orders[state.String()] = b.book.Orders[state]
	}
	for i, o := range b.orders {
		out.Rows = append(out.Rows, b.row(o, b.payments[i]))
	}
	if b.next != 0 {
		next := strconv.FormatUint(uint64(b.next), 10)
		out.Next = &next
	}
	return out
}

// defects compares the totals, and tells what a recount found.
func (b *books) defects() []string {
	defects := []string{}
	if b.verified != nil {
		defects = append(defects, b.verified.Error())
	}
	var sum seatmap.Count
	for i, c := range b.stock {
		if c.Free+c.Held+c.Sold+c.Blocked != c.Capacity {
			defects = append(defects, fmt.Sprintf("category %s: places by state are %+v", b.cfg.Plan.Categories[i].Key, c))
		}
		sum.Capacity, sum.Free, sum.Held = sum.Capacity+c.Capacity, sum.Free+c.Free, sum.Held+c.Held
		sum.Sold, sum.Blocked = sum.Sold+c.Sold, sum.Blocked+c.Blocked
	}
	if sum != b.totals {
		defects = append(defects, fmt.Sprintf("categories have %+v, the sale has %+v", sum, b.totals))
	}
	if k := &b.book; k.Captured-k.Refunded-k.Refunding != k.SoldFace+k.SoldFees {
		defects = append(defects, fmt.Sprintf("captured %d − refunded %d − refunding %d is not sold %d + fees %d",
			k.Captured, k.Refunded, k.Refunding, k.SoldFace, k.SoldFees))
	}
	return defects
}

func ledgerPlaces(c seatmap.Count) wire.LedgerPlaces {
	return wire.LedgerPlaces{Capacity: c.Capacity, Free: c.Free, Held: c.Held, Sold: c.Sold, Blocked: c.Blocked}
}

func (b *books) money() wire.LedgerMoney {
	k := &b.book
	return wire.LedgerMoney{
		Captured: money(k.Captured, b.cfg), Refunded: money(k.Refunded, b.cfg), Refunding: money(k.Refunding, b.cfg),
		SoldFace: money(k.SoldFace, b.cfg), SoldFees: money(k.SoldFees, b.cfg),
	}
}

func (b *books) line() wire.LedgerQueue {
	c := b.queue.Counts
	out := wire.LedgerQueue{
		Issued: c.Issued, Front: uint32(b.queue.Front), Waiting: c.Waiting, Away: c.Away, Offered: c.Offered,
		Shopping: c.Shopping, Parked: c.Parked, Done: c.Done, Left: c.Left, Removed: c.Removed,
	}
	if b.recounted {
		sum := sha256.Sum256(b.places)
		out.Digest = hex.EncodeToString(sum[:])
	}
	return out
}

func (b *books) row(o sale.Order, payments []sale.Payment) wire.LedgerRow {
	out := wire.LedgerRow{
		Order: wire.OrderRef(b.event, o.ID), Account: strconv.FormatUint(uint64(o.Account), 10),
		State: o.State.String(), Total: money(o.Total, b.cfg), Opened: wire.Time(o.OpenedAt), Paid: wire.Time(o.PaidAt),
		Units: []wire.LedgerUnit{}, Payments: []wire.LedgerPayment{}, Tickets: []string{},
		Mailed: o.Mailed, Attention: o.Attention, Reason: o.Reason,
	}
	for _, l := range o.Lines {
		out.Units = append(out.Units, wire.LedgerUnit{Unit: uint32(l.Unit), Count: l.Count})
	}
	for _, t := range o.Tickets {
		out.Tickets = append(out.Tickets, wire.TicketRef(b.event, t))
	}
	var captured, refunded, refunding int64
	for _, p := range payments {
		out.Payments = append(out.Payments, wire.LedgerPayment{
			Ref: p.Ref, Method: wire.MethodName(p.Method), State: wire.PayStateName(p.State), Attempt: p.Attempt,
			Captured: p.Captured, Refund: p.Refund.String(), Foreign: p.Foreign,
		})
		if p.Foreign {
			continue
		}
		captured += p.Captured
		switch p.Refund {
		case sale.RefundSucceeded:
			refunded += p.Captured
		case sale.RefundPending, sale.RefundFailed:
			refunding += p.Captured
		case sale.RefundNone:
		}
	}
	out.Captured, out.Refunded, out.Refunding = money(captured, b.cfg), money(refunded, b.cfg), money(refunding, b.cfg)
	return out
}
