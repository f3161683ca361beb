package pass

import (
	"strconv"
	"strings"
)

// Money is an amount in minor units of an ISO 4217 currency.
type Money struct {
	Amount   int64
	Currency string
}

// Format writes the amount as [FormatMoney] does.
func (m Money) Format(lang string) string { return FormatMoney(m.Amount, m.Currency, lang) }

// nbsp keeps a number and its sign on one line.
const nbsp = "\u00a0"

// FormatMoney writes amount minor units of currency for people: "R$ 1.234,50" in pt-BR and es, "R$1,234.50" in
// en, with no-break spaces. A currency it has no sign for is written with its code; an unknown language is
// treated as [Language] does.
func FormatMoney(amount int64, currency, lang string) string {
	sign := ""
	magnitude := uint64(amount)
	if amount < 0 {
		sign, magnitude = "-", -magnitude
	}
	lang = Language(lang)
	group, decimal := ".", ","
	if lang == English {
		group, decimal = ",", "."
	}
	number := decimals(magnitude, minorDigits(currency), group, decimal)
	symbol := currencySign(currency)
	switch {
	case symbol == "":
		return sign + strings.TrimPrefix(strings.ToUpper(currency)+nbsp+number, nbsp)
	case lang == Spanish && currency == "EUR":
		return sign + number + nbsp + symbol
	case lang == English:
		return sign + symbol + number
	}
	return sign + symbol + nbsp + number
}

// decimals writes n with its last digits places behind the decimal sign and groups of three before it.
func decimals(n uint64, digits int, group, decimal string) string {
	s := strconv.FormatUint(n, 10)
	if pad := digits + 1 - len(s); pad > 0 {
		s = strings.Repeat("0", pad) + s
	}
	whole, fraction := s[:len(s)-digits], s[len(s)-digits:]
	var b strings.Builder
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(group)
		}
		b.WriteByte(whole[i])
	}
	if digits > 0 {
		b.WriteString(decimal + fraction)
	}
	return b.String()
}

// minorDigits is the number of decimal places of a currency (ISO 4217).
func minorDigits(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}

// currencySign is the sign by which a currency is known in all three languages, or "" for its code.
func currencySign(currency string) string {
	switch currency {
	case "BRL":
		return "R$"
	case "USD":
		return "US$"
	case "EUR":
		return "€"
	case "GBP":
		return "£"
	case "JPY":
		return "¥"
	}
	return ""
}
