package sandbox

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// One payment from its creation to its capture, with the state file.
func BenchmarkPayment(b *testing.B) {
	s, err := New(Options{SecretKey: testKey, StateFile: filepath.Join(b.TempDir(), "state"), MaxPayments: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	call := func(path, key, body string) string {
		req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+testKey)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Idempotency-Key", key)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, req)
		if w.Code != 200 {
			b.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	n := 0
	for b.Loop() {
		n++
		k := strconv.Itoa(n)
		id := between(call("/v1/payment_intents", "n"+k, createBody), `"id":"`, `"`)
		call("/v1/payment_intents/"+id+"/confirm", "y"+k, "payment_method=pm_card_visa")
		call("/v1/payment_intents/"+id+"/capture", "c"+k, "")
	}
}
