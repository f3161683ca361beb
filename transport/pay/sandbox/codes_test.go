package sandbox

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// readCode takes a code apart as a bank's app does: tag, length, value, and the checksum over everything before it.
func readCode(code string) (map[string]string, error) {
	out := map[string]string{}
	rest := code
	for len(rest) > 0 {
		if len(rest) < 4 {
			return nil, fmt.Errorf("%q is cut", rest)
		}
		n, err := strconv.Atoi(rest[2:4])
		if err != nil || len(rest) < 4+n {
			return nil, fmt.Errorf("%q has a bad length", rest)
		}
		out[rest[:2]] = rest[4 : 4+n]
		rest = rest[4+n:]
	}
	if want := fmt.Sprintf("%04X", crc16(code[:len(code)-4])); out["63"] != want {
		return nil, fmt.Errorf("checksum %s, want %s", out["63"], want)
	}
	return out, nil
}

func TestChecksum(t *testing.T) {
	if got := crc16("123456789"); got != 0x29B1 { // the published check value of this CRC
		t.Fatalf("crc16 %04X, want 29B1", got)
	}
}

func TestBRCode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(1, maxAmount).Draw(t, "amount")
		id := "pi_" + rapid.StringMatching(`[0-9A-Za-z]{24}`).Draw(t, "id")
		code := brCode(id, amount)
		fields, err := readCode(code)
		if err != nil {
			t.Fatal(err)
		}
		account, err := readTags(fields["26"])
		if err != nil || account["00"] != "br.gov.bcb.pix" || !strings.HasSuffix(account["25"], id[3:]) || len(account["25"]) > 77 {
			t.Fatalf("account %v, %v", account, err)
		}
		if fields["00"] != "01" || fields["53"] != "986" || fields["58"] != "BR" || fields["62"] != "0503***" {
			t.Fatalf("fields %v", fields)
		}
		if want := fmt.Sprintf("%d.%02d", amount/100, amount%100); fields["54"] != want {
			t.Fatalf("amount %s, want %s", fields["54"], want)
		}
		if len(code) > 512 {
			t.Fatalf("%d characters", len(code))
		}
	})
}

func readTags(s string) (map[string]string, error) {
	out := map[string]string{}
	for len(s) >= 4 {
		n, err := strconv.Atoi(s[2:4])
		if err != nil || len(s) < 4+n {
			return nil, fmt.Errorf("%q has a bad length", s)
		}
		out[s[:2]], s = s[4:4+n], s[4+n:]
	}
	return out, nil
}

func TestMoney(t *testing.T) {
	for _, c := range []struct {
		lang, currency string
		amount         int64
		want           string
	}{
		{"pt-BR", "brl", 5, "R$\u00a00,05"}, {"pt-BR", "brl", 12000, "R$\u00a0120,00"}, {"en", "brl", 123456789, "R$\u00a01,234,567.89"},
		{"es", "eur", 100000, "€\u00a01.000,00"}, {"en", "usd", 99, "US$\u00a00.99"}, {"en", "jpy", 1500, "JPY\u00a01,500"}, {"pt-BR", "kwd", 1, "KWD\u00a00,001"},
	} {
		if got := money(c.lang, c.currency, c.amount); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]Options{
		"secret key":      {SecretKey: "sk_live_very_much_alive"},
		"public url":      {SecretKey: testKey, PublicURL: "pay.example"},
		"webhook url":     {SecretKey: testKey, WebhookURL: "ftp://x/"},
		"webhook secret":  {SecretKey: testKey, WebhookURL: "http://x/"},
		"return prefixes": {SecretKey: testKey, ReturnPrefixes: []string{"/orders"}},
		"state file":      {SecretKey: testKey, StateFile: "/nowhere/at/all"},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name the %s", err, want)
		}
	}
}
