package eventfile

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"golang.org/x/text/currency"
)

// Amount of money as written, in major units: 120, 120.5 or 120.50.
type Amount string

// UnmarshalYAML keeps the digits as written: a price never passes through a floating point number.
func (a *Amount) UnmarshalYAML(b []byte) error {
	*a = Amount(written(b))
	return nil
}

var (
	_ yaml.BytesUnmarshaler = (*Amount)(nil)
	_ yaml.BytesUnmarshaler = (*Instant)(nil)
)

// written is a scalar without its quotes.
func written(b []byte) string { return strings.Trim(strings.TrimSpace(string(b)), `"'`) }

// minor turns an amount into minor units; digits is the currency's number of decimals.
func (a Amount) minor(digits int) (int64, error) {
	bad := fmt.Errorf("%q, allowed is an amount like 120 or 120.50, with at most %d decimals and no separators", clip(string(a)), digits)
	if digits == 0 {
		bad = fmt.Errorf("%q, allowed is a whole amount like 120, since the currency has no decimals", clip(string(a)))
	}
	whole, fraction, dotted := strings.Cut(string(a), ".")
	if whole == "" || dotted && fraction == "" || len(fraction) > digits || len(whole) > 12 {
		return 0, bad
	}
	if strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, bad
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", digits-len(fraction)), 10, 64)
	if err != nil {
		return 0, bad
	}
	return n, nil
}

// decimals of a currency, or why it cannot be sold in: payment providers count the minor units of some currencies
// otherwise than ISO 4217, and a price must not come out a hundred times too high or too low.
func decimals(code string) (int, error) {
	if len(code) != 3 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return 2, fmt.Errorf("%q, allowed are three capital letters of ISO 4217 like BRL", clip(code))
	}
	if _, err := currency.ParseISO(code); err != nil {
		return 2, fmt.Errorf("%q is no currency of ISO 4217", code)
	}
	switch code {
	case "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0, nil
	case "BHD", "CLF", "IQD", "ISK", "JOD", "KWD", "LYD", "MGA", "MRU", "OMR", "TND", "UGX", "UYI", "UYW",
		"XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "XDR", "XBA", "XBB", "XBC", "XBD", "XSU", "XUA":
		return 2, fmt.Errorf("%s cannot be sold in: payment providers do not agree on its minor unit", code)
	default:
		return 2, nil
	}
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}
