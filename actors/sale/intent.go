package sale

// IntentKind is a side effect the leader's outbox has to run.
type IntentKind uint8

const (
	IntentPayStart   IntentKind = iota + 1 // create the payment at the provider; answered by OpPayStarted
	IntentPayQuery                         // ask the provider for the payment's state; answered by OpPayState
	IntentCapture                          // answered by OpPayState
	IntentVoid                             // answered by OpPayState (PayCanceled)
	IntentRefund                           // answered by OpRefundState
	IntentMail                             // the tickets; answered by OpIntentDone
	IntentMailRefund                       // "your money is on its way back": Amount of it, 0 when none was taken; answered by OpIntentDone
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
