package sale

// Book is the money and the counts of one sale, kept as it happens and recounted by Verify. Money is minor units of
// the event's currency. At every moment
//
//	Captured − Refunded − Refunding = SoldFace + SoldFees
type Book struct {
	Captured  int64 // taken from payers, ever
	Refunded  int64 // given back
	Refunding int64 // on its way back, or owed because a refund failed
	SoldFace  int64 // face value of paid orders
	SoldFees  int64 // fees of paid orders

	Orders [OrderRefunded + 1]uint32 // by OrderState

	TicketsIssued  uint32
	TicketsRevoked uint32
	TicketsScanned uint32

	LateSaved uint32 // orders that ran out, were paid late, and got exactly their units again
	LateGone  uint32 // paid late when a unit was gone: voided or refunded
	Repaid    uint32 // second payments of an order, given back
	Attention uint32 // orders a person has to look at
	Foreign   uint32 // captures in another currency, given back and not counted above
	Unmatched uint32 // notices nobody claimed within a day
}
