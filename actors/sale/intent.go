package sale

// IntentKind is a side effect the leader's outbox has to run.
type IntentKind uint8

const (
	// IntentPayStart creates the payment at the provider. Answered by OpPayStarted; by OpPayState (PayFailed, no Ref)
	// when the provider refuses to make one.
	IntentPayStart IntentKind = iota + 1
	// IntentPayQuery asks the provider for the payment's state, whatever it is. Answered by OpPayState.
	IntentPayQuery
	// IntentCapture takes the reserved money. Answered by OpPayState.
	IntentCapture
	// IntentVoid makes sure that no money is taken. Answered by OpPayState: PayCanceled, or PayCaptured when it was too late.
	IntentVoid
	// IntentRefund gives all of a captured payment back. Answered by OpRefundState; while that is RefundPending the
	// intent stays open and is asked again.
	IntentRefund
	// IntentMail sends the tickets. Answered by OpIntentDone.
	IntentMail
	// IntentMailRefund says that money is on its way back: Amount of it, 0 when the purchase failed and none was taken.
	// Answered by OpIntentDone.
	IntentMailRefund
)

// Intent is a side effect that must happen at least once. ID is unique within the event and is the
// provider's idempotency key together with the event: kind, order and attempt never change for an ID.
// Due, Tries and Reason do change: a query is re-armed under its ID until the payment is final.
// Attempt numbers the payments of an order (1, 2, …), one per order and method unless the first was lost.
type Intent struct {
	ID      uint64
	Kind    IntentKind
	Order   OrderID
	Attempt uint8
	Amount  int64
	Due     int64 // do not run before
	Tries   uint16
	Reason  string

	Method Method
	Ref    string // the provider's id of the payment, once known; the payment to query, capture, void or refund
}
