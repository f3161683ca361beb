package pay

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"
)

const (
	secretA = "whsec_the_first_of_two"
	secretB = "whsec_the_second_of_two"
)

var moment = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func eventBody(kind, object string) []byte {
	return fmt.Appendf(nil, `{"id":"evt_1","object":"event","type":%q,"created":1795521600,"livemode":false,"data":{"object":%s}}`, kind, object)
}

const intentObject = `{"id":"pi_1","object":"payment_intent","metadata":{"event":"1","order":"42","attempt":"3","reference":"o1-42"}}`

func signed(body []byte, at time.Time, secrets ...string) string {
	header := fmt.Sprintf("t=%d", at.Unix())
	for _, s := range secrets {
		header += fmt.Sprintf(",v1=%x", webhook.ComputeSignature(at, body, s))
	}
	return header
}

func newTestVerifier(t testing.TB, secrets ...string) *Verifier {
	t.Helper()
	v, err := NewVerifier(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestNotices(t *testing.T) {
	v := newTestVerifier(t, secretA)
	at := time.Unix(1795521600, 0).UTC()
	for _, c := range []struct {
		kind, object string
		want         Notice
	}{
		{"payment_intent.succeeded", intentObject, Notice{Ref: "pi_1", Event: 1, Order: 42, Attempt: 3}},
		{"payment_intent.requires_action", `{"id":"pi_1"}`, Notice{Ref: "pi_1"}},
		{"payment_intent.requires_action", `{"id":"pi_1","payment_method_types":["card"]}`, Notice{Ref: "pi_1"}},
		{"payment_intent.requires_action", `{"id":"pi_1","payment_method_types":["pix"]}`, Notice{Ignored: true}},
		{"payment_intent.succeeded", `{"id":"pi_1","payment_method_types":["pix"]}`, Notice{Ref: "pi_1"}},
		{"payment_intent.created", intentObject, Notice{Ignored: true}},
		{"payment_intent.canceled", `{"id":"pi_1","metadata":{"event":"-1","order":"4294967296","attempt":"256"}}`, Notice{Ref: "pi_1"}},
		{"payment_intent.canceled", `{"id":"pi_1","metadata":{"event":7,"order":"+1"}}`, Notice{Ref: "pi_1"}},
		{"charge.refunded", `{"id":"ch_1","payment_intent":"pi_1","metadata":{"event":"1","order":"42"}}`, Notice{Ref: "pi_1", Event: 1, Order: 42}},
		{"charge.dispute.created", `{"id":"dp_1","payment_intent":{"id":"pi_1"}}`, Notice{Ref: "pi_1"}},
		{"refund.updated", `{"id":"re_1","payment_intent":"pi_1"}`, Notice{Ref: "pi_1", Refund: "re_1"}},
		{"charge.refunded", `{"id":"ch_1","payment_intent":null}`, Notice{Ignored: true}},
		{"customer.created", `{"id":"cus_1"}`, Notice{Ignored: true}},
		{"invoice.paid", `null`, Notice{Ignored: true}},
	} {
		body := eventBody(c.kind, c.object)
		got, err := v.Event(signed(body, moment, secretA), body, moment)
		c.want.EventID, c.want.Type, c.want.Created = "evt_1", c.kind, at
		if err != nil || got != c.want {
			t.Errorf("%s %s: %+v, %v; want %+v", c.kind, c.object, got, err, c.want)
		}
	}
}

func TestSignatures(t *testing.T) {
	body := eventBody("payment_intent.succeeded", intentObject)
	good := signed(body, moment, secretA)
	_, sig, _ := strings.Cut(good, ",v1=")
	for _, c := range []struct {
		name   string
		header string
		body   []byte
		want   error
	}{
		{"good", good, body, nil},
		{"either secret", signed(body, moment, secretB), body, nil},
		{"both secrets", signed(body, moment, "whsec_unknown_to_us", secretB), body, nil},
		{"other schemes are skipped", good + ",v0=abc,v2=def", body, nil},
		{"an unreadable signature beside a good one", strings.Replace(good, ",v1=", ",v1=zz,v1=", 1), body, nil},
		{"300 s old", signed(body, moment.Add(-300*time.Second), secretA), body, nil},
		{"300 s ahead", signed(body, moment.Add(300*time.Second), secretA), body, nil},
		{"301 s old", signed(body, moment.Add(-301*time.Second), secretA), body, ErrTimestamp},
		{"301 s ahead", signed(body, moment.Add(301*time.Second), secretA), body, ErrTimestamp},
		{"two days ahead", signed(body, moment.Add(48*time.Hour), secretA), body, ErrTimestamp},
		{"no header", "", body, ErrSignature},
		{"unknown secret", signed(body, moment, "whsec_unknown_to_us"), body, ErrSignature},
		{"another body", good, append([]byte(" "), body...), ErrSignature},
		{"another time", strings.Replace(good, "t=", "t=1", 1), body, ErrSignature},
		{"two times", good + ",t=1", body, ErrSignature},
		{"no time", "v1=" + sig, body, ErrSignature},
		{"no signature", "t=1795521600", body, ErrSignature},
		{"short signature", "t=1795521600,v1=" + sig[:32], body, ErrSignature},
		{"wrong scheme", strings.Replace(good, "v1", "v0", 1), body, ErrSignature},
		{"no sense", "nonsense", body, ErrSignature},
		{"negative time", "t=-5,v1=" + sig, body, ErrSignature},
		{"huge time", "t=99999999999999999999,v1=" + sig, body, ErrSignature},
		{"long header", good + strings.Repeat(",v0=0", 2000), body, ErrSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newTestVerifier(t, secretA, secretB)
			got, err := v.Event(c.header, c.body, moment)
			if !errors.Is(err, c.want) || (c.want != nil && got != Notice{}) {
				t.Fatalf("%+v, error %v; want %v", got, err, c.want)
			}
		})
	}
}

func TestSignedBodiesThatAreNoEvents(t *testing.T) {
	v := newTestVerifier(t, secretA)
	for name, body := range map[string][]byte{
		"no json":           []byte("payment"),
		"thin event":        []byte(`{"id":"evt_1","object":"v2.core.event","type":"payment_intent.created"}`),
		"no id":             []byte(`{"object":"event","type":"payment_intent.processing","data":{"object":{"id":"pi_1"}}}`),
		"no type":           []byte(`{"id":"evt_1","object":"event"}`),
		"no object":         []byte(`{"id":"evt_1","object":"event","type":"payment_intent.processing"}`),
		"no payment":        eventBody("payment_intent.processing", `{}`),
		"payment is a list": eventBody("payment_intent.processing", `[]`),
		"long reference":    eventBody("payment_intent.processing", `{"id":"`+strings.Repeat("x", 256)+`"}`),
		"too large":         append(eventBody("payment_intent.processing", intentObject), make([]byte, MaxWebhookBody)...),
	} {
		if _, err := v.Event(signed(body, moment, secretA), body, moment); !errors.Is(err, ErrBody) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecretsFromAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	body := eventBody("payment_intent.succeeded", intentObject)
	accepted := func(v *Verifier, secret string) bool {
		_, err := v.Event(signed(body, moment, secret), body, moment)
		return err == nil
	}
	write("# old, until Friday\n" + secretA + "\n\n  " + secretB + "  \n")
	v, err := OpenVerifier(path)
	if err != nil {
		t.Fatal(err)
	}
	if !accepted(v, secretA) || !accepted(v, secretB) {
		t.Fatal("not both secrets are live")
	}
	write(secretB + "\n")
	if err := v.Reload(); err != nil || accepted(v, secretA) || !accepted(v, secretB) {
		t.Fatalf("after the reload: %v", err)
	}
	for _, bad := range []string{"", "# nothing\n", "short\n", strings.Repeat(secretA+"\n", 9), strings.Repeat("x", 5000)} {
		write(bad)
		if err := v.Reload(); err == nil || !accepted(v, secretB) {
			t.Errorf("file of %d bytes: %v", len(bad), err)
		}
	}
	if _, err := OpenVerifier(filepath.Join(t.TempDir(), "nothing")); err == nil {
		t.Error("a missing file was accepted")
	}
	if _, err := NewVerifier(); err == nil {
		t.Error("no secret was accepted")
	}
}

// Nothing unsigned is ever read, and what is read obeys its limits.
func FuzzEvent(f *testing.F) {
	body := eventBody("payment_intent.succeeded", intentObject)
	f.Add(signed(body, moment, secretA), body, false)
	f.Add("t=1,v1=00", []byte("{}"), true)
	f.Add("", eventBody("refund.updated", `{"id":"re_1","payment_intent":{"id":"pi_1"},"metadata":{"order":"1"}}`), true)
	f.Add("t=1795521600,v1="+strings.Repeat("00", 32), []byte(`{"id":"e","object":"event","type":"charge.refunded","data":{"object":{"payment_intent":7}}}`), true)
	v := newTestVerifier(f, secretA)
	f.Fuzz(func(t *testing.T, header string, body []byte, sign bool) {
		if sign {
			header = signed(body, moment, secretA)
		}
		n, err := v.Event(header, body, moment)
		if err != nil {
			if n != (Notice{}) {
				t.Fatalf("a refused event says %+v", n)
			}
			return
		}
		// What we take, the production library takes as well.
		if !sign && webhook.ValidatePayloadIgnoringTolerance(body, header, secretA) != nil {
			t.Fatalf("header %q was accepted", header)
		}
		if n.EventID == "" || n.Type == "" || len(n.Ref) > 255 || (n.Ref == "") != n.Ignored {
			t.Fatalf("notice %+v", n)
		}
	})
}
