package sandbox

import (
	"fmt"
	"strconv"
	"strings"
)

// pixAddress is where the code of a Pix payment leads, before the letters of the payment's id.
const (
	pixAddress  = "pix.catraca.invalid/qr/v2/"
	pixIDLength = 24
)

// brCode is the "copia e cola" text of a Pix payment: an EMV merchant-presented code as the Brazilian central bank
// profiles it, dynamic, with a CRC. Its address ends in .invalid, so no bank can mistake it for a real charge.
func brCode(id string, amount int64) string {
	account := field(0, "br.gov.bcb.pix") + field(25, pixAddress+strings.TrimPrefix(id, "pi_"))
	code := field(0, "01") + // payload format
		field(1, "12") + // may be paid once
		field(26, account) +
		field(52, "0000") + // merchant category
		field(53, "986") + // Brazilian real
		field(54, fmt.Sprintf("%d.%02d", amount/100, amount%100)) +
		field(58, "BR") +
		field(59, "CATRACA TESTE") +
		field(60, "SAO PAULO") +
		field(62, field(5, "***")) + // the transaction id is behind the address
		"6304"
	return code + fmt.Sprintf("%04X", crc16(code))
}

// field is one tag, length, value triple.
func field(tag int, value string) string {
	return fmt.Sprintf("%02d%02d%s", tag, len(value), value)
}

// crc16 is CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF.
func crc16(s string) uint16 {
	crc := uint16(0xFFFF)
	for i := range len(s) {
		crc ^= uint16(s[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

// decimals of a currency's minor unit.
func decimals(currency string) int {
	switch strings.ToLower(currency) {
	case "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf":
		return 0
	case "bhd", "jod", "kwd", "omr", "tnd":
		return 3
	default:
		return 2
	}
}

// money writes an amount of minor units as people of the language do.
func money(lang, currency string, amount int64) string {
	d := decimals(currency)
	text := strconv.FormatInt(amount, 10)
	for len(text) <= d {
		text = "0" + text
	}
	whole, part := text[:len(text)-d], text[len(text)-d:]
	group, point := ".", ","
	if lang == "en" {
		group, point = ",", "."
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + group + whole[i:]
	}
	if d > 0 {
		whole += point + part
	}
	switch strings.ToLower(currency) {
	case "brl":
		return "R$\u00a0" + whole
	case "usd":
		return "US$\u00a0" + whole
	case "eur":
		return "€\u00a0" + whole
	default:
		return strings.ToUpper(currency) + "\u00a0" + whole
	}
}
