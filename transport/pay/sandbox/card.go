package sandbox

import (
	"strconv"
	"strings"
	"time"
)

// conduct is what a test card does when a payment is confirmed with it.
type conduct uint8

const (
	approves conduct = iota
	declines
	challenges // asks for 3-D Secure; then approves, or declines when the card has a code
	takesTime  // processing for Options.ProcessAfter
	comesLate  // processing for Options.LateAfter: longer than any hold lives
	disputes   // approves; the payer's bank claims the money back later
	losesHold  // approves; the capture fails
	refundsSlowly
	refundsFail
)

// testCard is one number of the closed set this server knows.
type testCard struct {
	name    string // stored with a payment, and the pages' text key
	number  string
	brand   string
	token   string // payment method id for calls without a number, as Stripe names it
	does    conduct
	code    string // error code of the decline
	decline string // the bank's decline code
	shown   bool   // offered on the payment page
}

// testCards in the order of the payment page.
func testCards() []testCard {
	return []testCard{
		{name: "approved", number: "4242424242424242", brand: "visa", token: "pm_card_visa", shown: true},
		{name: "mastercard", number: "5555555555554444", brand: "mastercard", token: "pm_card_mastercard"},
		{name: "amex", number: "378282246310005", brand: "amex", token: "pm_card_amex"},
		{name: "brazil", number: "4000000760000002", brand: "visa", token: "pm_card_br"},
		{name: "challenge", number: "4000002760003184", brand: "visa", token: "pm_card_authenticationRequired", does: challenges, shown: true},
		{name: "challenge_always", number: "4000000000003220", brand: "visa", token: "pm_card_threeDSecure2Required", does: challenges},
		{name: "generic_decline", number: "4000000000000002", brand: "visa", token: "pm_card_chargeDeclined",
			does: declines, code: "card_declined", decline: "generic_decline", shown: true},
		{name: "insufficient_funds", number: "4000000000009995", brand: "visa", token: "pm_card_chargeDeclinedInsufficientFunds",
			does: declines, code: "card_declined", decline: "insufficient_funds", shown: true},
		{name: "expired_card", number: "4000000000000069", brand: "visa", token: "pm_card_chargeDeclinedExpiredCard",
			does: declines, code: "expired_card", decline: "expired_card"},
		{name: "incorrect_cvc", number: "4000000000000127", brand: "visa", token: "pm_card_chargeDeclinedIncorrectCvc",
			does: declines, code: "incorrect_cvc", decline: "incorrect_cvc"},
		{name: "processing_error", number: "4000000000000119", brand: "visa", token: "pm_card_chargeDeclinedProcessingError",
			does: declines, code: "processing_error", decline: "processing_error"},
		{name: "fraudulent", number: "4100000000000019", brand: "visa", token: "pm_card_radarBlock",
			does: declines, code: "card_declined", decline: "fraudulent"},
		{name: "challenge_decline", number: "4000008400001629", brand: "visa", token: "pm_card_threeDSecureRequiredChargeDeclined",
			does: challenges, code: "card_declined", decline: "generic_decline"},
		{name: "challenge_funds", number: "4000008260003178", brand: "visa", token: "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
			does: challenges, code: "card_declined", decline: "insufficient_funds"},
		{name: "slow", number: "4000000000006066", brand: "visa", token: "pm_card_sandboxProcessing", does: takesTime, shown: true},
		{name: "late", number: "4000000000007205", brand: "visa", token: "pm_card_sandboxLate", does: comesLate},
		{name: "capture_fails", number: "4000000000008302", brand: "visa", token: "pm_card_sandboxCaptureFails", does: losesHold},
		{name: "dispute", number: "4000000000000259", brand: "visa", token: "pm_card_createDispute", does: disputes},
		{name: "refund_pending", number: "4000000000007726", brand: "visa", token: "pm_card_pendingRefund", does: refundsSlowly},
		{name: "refund_fails", number: "4000000000005126", brand: "visa", token: "pm_card_refundFail", does: refundsFail},
	}
}

func cardWhere(fits func(*testCard) bool) *testCard {
	for _, c := range testCards() {
		if fits(&c) {
			return &c
		}
	}
	return nil
}

func cardNamed(name string) *testCard {
	return cardWhere(func(c *testCard) bool { return c.name == name })
}

func cardOf(in *intent) *testCard {
	if in.Method == nil {
		return nil
	}
	return cardNamed(in.Method.Card)
}

// cardForm is what a payer typed.
type cardForm struct{ number, month, year, cvc string }

// check finds the test card, or tells the first thing that is wrong with what was typed.
func (f cardForm) check(now time.Time) (*testCard, *failure) {
	number := digits(f.number)
	card := cardWhere(func(c *testCard) bool { return c.number == number })
	if wrong := f.defects(now); len(wrong) > 0 {
		return nil, wrong[0]
	}
	if card == nil {
		return nil, declined("card_declined", "test_mode_live_card")
	}
	return card, nil
}

// defects lists everything that cannot be right, in the order of the form.
func (f cardForm) defects(now time.Time) []*failure {
	var wrong []*failure
	number := digits(f.number)
	if len(number) < 12 || len(number) > 19 || !luhn(number) {
		wrong = append(wrong, declinedField("number", "incorrect_number"))
	}
	month, err := strconv.Atoi(f.month)
	if err != nil || month < 1 || month > 12 {
		wrong = append(wrong, declinedField("exp_month", "invalid_expiry_month"))
	}
	year, err := strconv.Atoi(f.year)
	if year >= 0 && year < 100 {
		year += 2000
	}
	// A card is good until the end of its month, anywhere on earth.
	end := time.Date(year, time.Month(month)+1, 2, 0, 0, 0, 0, time.UTC)
	if err != nil || year > now.Year()+50 || now.After(end) {
		wrong = append(wrong, declinedField("exp_year", "invalid_expiry_year"))
	}
	want := 3
	if strings.HasPrefix(number, "34") || strings.HasPrefix(number, "37") { // American Express
		want = 4
	}
	if cvc := strings.TrimSpace(f.cvc); len(cvc) != want || strings.Trim(cvc, "0123456789") != "" {
		wrong = append(wrong, declinedField("cvc", "invalid_cvc"))
	}
	return wrong
}

func declinedField(param, code string) *failure {
	f := declined(code, "")
	f.Param = param
	return f
}

// digits drops the spaces and dashes people type into a card number. Anything else stays and makes it invalid.
func digits(s string) string { return strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(s) }

// luhn checks the last digit of a card number.
func luhn(number string) bool {
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if d < 0 || d > 9 {
			return false
		}
		if i%2 == 1 {
			d *= 2
			if d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
