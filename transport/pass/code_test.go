package pass

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// testKeyring has a fixed key, so that failures repeat.
func testKeyring(tb testing.TB, seed byte) *Keyring {
	tb.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	p := publicKey(private.Public().(ed25519.PublicKey))
	return &Keyring{Verifier: Verifier{keys: []PublicKey{p}}, signer: private, id: p.ID}
}

func drawClaims(t *rapid.T) Claims {
	return Claims{
		Event:   rapid.Uint32().Draw(t, "event"),
		Ticket:  rapid.Uint32().Draw(t, "ticket"),
		Version: rapid.Uint16().Draw(t, "version"),
		Unit:    rapid.Uint32().Draw(t, "unit"),
		Number:  rapid.Uint32().Draw(t, "number"),
	}
}

func TestEveryTicketVerifiesWithThePublicKeyAlone(t *testing.T) {
	k := testKeyring(t, 1)
	published, err := ParseJWKS(k.JWKS())
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		want := drawClaims(t)
		code := k.Sign(want)
		if len(code) != CodeLength {
			t.Fatalf("code has %d characters, want %d", len(code), CodeLength)
		}
		spelled := rapid.SampledFrom([]string{
			code, strings.ToLower(code), " " + code + "\r\n", code[:70] + "\n  " + code[70:],
		}).Draw(t, "spelled")
		got, err := published.Verify(spelled)
		if err != nil || got != want {
			t.Fatalf("Verify(%q) = %+v, %v; want %+v", spelled, got, err, want)
		}
	})
}

func TestRefusedCodesSayWhy(t *testing.T) {
	ours, theirs := testKeyring(t, 1), testKeyring(t, 2)
	claims := Claims{Event: 1, Ticket: 42, Version: 1, Unit: 17, Number: 1}
	code := ours.Sign(claims)
	raw, ok := decode(code)
	if !ok {
		t.Fatal("own code does not decode")
	}
	respell := func(change func(b []byte)) string {
		b := bytes.Clone(raw)
		change(b)
		return codePrefix + encoding().EncodeToString(b)
	}
	// The last base32 character carries spare bits: another spelling of the same bytes.
	spare := code[:len(code)-1] + string(code[len(code)-1]+1)

	for _, c := range []struct {
		name, code string
		want       error
	}{
		{"empty", "", ErrMalformed},
		{"prefix only", codePrefix, ErrMalformed},
		{"other prefix", "CT2." + code[4:], ErrMalformed},
		{"short", code[:len(code)-1], ErrMalformed},
		{"long", code + "A", ErrMalformed},
		{"huge", strings.Repeat(" ", 1<<20) + code, ErrMalformed},
		{"outside the alphabet", code[:40] + "1" + code[41:], ErrMalformed},
		{"not ASCII", code[:40] + "ı" + code[42:], ErrMalformed},
		{"a picture's address", "https://example.com/?q=" + code, ErrMalformed},
		{"spare bits", spare, ErrMalformed},
		{"other format", respell(func(b []byte) { b[0] = 2 }), ErrMalformed},
		{"other key", theirs.Sign(claims), ErrUnknownKey},
		{"another seat", respell(func(b []byte) { b[18]++ }), ErrSignature},
		{"another version", respell(func(b []byte) { b[14]++ }), ErrSignature},
		{"signature of another ticket", respell(func(b []byte) {
			other, _ := decode(ours.Sign(Claims{Event: 1, Ticket: 43, Version: 1, Unit: 18, Number: 1}))
			copy(b[payloadSize:], other[payloadSize:])
		}), ErrSignature},
		{"signature without the domain", respell(func(b []byte) {
			copy(b[payloadSize:], ed25519.Sign(ours.signer, b[:payloadSize]))
		}), ErrSignature},
	} {
		if got, err := ours.Verify(c.code); !errors.Is(err, c.want) || got != (Claims{}) {
			t.Errorf("%s: Verify = %+v, %v; want %v", c.name, got, err, c.want)
		}
	}
	if _, err := (Verifier{}).Verify(code); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("without keys: %v, want %v", err, ErrUnknownKey)
	}
}

// Every single-bit change and many larger ones: the code is spelled in one way only.
func TestNoMutatedCodeVerifies(t *testing.T) {
	k := testKeyring(t, 1)
	code := k.Sign(Claims{Event: 7, Ticket: 123, Version: 2, Unit: 8896, Number: 1})
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	check := func(mutated string) {
		if mutated == code {
			return
		}
		if c, err := k.Verify(mutated); err == nil {
			t.Fatalf("mutated code verifies: %q as %+v", mutated, c)
		}
	}
	for i := range len(code) {
		if at := strings.IndexByte(alphabet, code[i]); at >= 0 && i >= len(codePrefix) {
			for bit := 1; bit < len(alphabet); bit <<= 1 {
				check(code[:i] + alphabet[at^bit:at^bit+1] + code[i+1:])
			}
		} else {
			check(code[:i] + "A" + code[i+1:])
		}
		check(code[:i] + code[i+1:])
		check(code[:i] + code[i:i+1] + code[i:])
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		b := []byte(code)
		for range 1 + rnd.IntN(6) {
			switch i, j := 4+rnd.IntN(len(b)-4), 4+rnd.IntN(len(b)-4); rnd.IntN(3) {
			case 0:
				b[i] = alphabet[rnd.IntN(len(alphabet))]
			case 1:
				b[i], b[j] = b[j], b[i]
			default:
				copy(b[min(i, j):], b[max(i, j):])
			}
		}
		check(string(b))
	}
}

func FuzzVerify(f *testing.F) {
	k := testKeyring(f, 1)
	code := k.Sign(Claims{Event: 1, Ticket: 2, Version: 3, Unit: 4, Number: 5})
	for _, s := range []string{"", code, strings.ToLower(code), code[:20], " CT1.\n", codePrefix + strings.Repeat("A", 140)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		claims, err := k.Verify(s)
		if err == nil && k.Sign(claims) != strings.Map(canonical, s) {
			t.Fatalf("%q verifies but is not the code of %+v", s, claims)
		}
	})
}

func TestKeyFileIsMadeOnceAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "ticket.pem")
	var wg sync.WaitGroup
	rings := make([]*Keyring, 8)
	for i := range rings {
		wg.Go(func() {
			k, err := Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			rings[i] = k
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	for _, k := range rings {
		if k.Signer() != rings[0].Signer() {
			t.Fatal("two processes made two keys")
		}
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("key file: %v, %v; want mode 0600", st, err)
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Fatalf("key folder holds %v, %v; want the key alone", files, err)
	}
}

func TestRotatedKeysStillVerify(t *testing.T) {
	dir := t.TempDir()
	oldRing, err := Open(filepath.Join(dir, "old.pem"))
	if err != nil {
		t.Fatal(err)
	}
	newRing, err := Open(filepath.Join(dir, "new.pem"))
	if err != nil {
		t.Fatal(err)
	}
	var both []byte
	for _, name := range []string{"new.pem", "old.pem"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, data...)
	}
	path := filepath.Join(dir, "both.pem")
	if err := os.WriteFile(path, both, 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if k.Signer() != newRing.Signer() || len(k.Public()) != 2 {
		t.Fatalf("signs with %s of %d keys; want the first, %s, of 2", k.Signer(), len(k.Public()), newRing.Signer())
	}
	claims := Claims{Event: 1, Ticket: 1, Version: 1}
	if _, err := k.Verify(oldRing.Sign(claims)); err != nil {
		t.Errorf("code of the old key: %v", err)
	}
	verifier, err := ParsePEM(both)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Verify(k.Sign(claims)); err != nil {
		t.Errorf("code of the new key: %v", err)
	}
}

func TestBadKeyFiles(t *testing.T) {
	good, err := os.ReadFile(func() string {
		path := filepath.Join(t.TempDir(), "k.pem")
		if _, err := Open(path); err != nil {
			t.Fatal(err)
		}
		return path
	}())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		data []byte
		mode os.FileMode
		want string
	}{
		{"readable by all", good, 0o644, "chmod 600"},
		{"writable by the group", good, 0o660, "chmod 600"},
		{"empty", nil, 0o600, "no PEM block"},
		{"no PEM", []byte("hello"), 0o600, "no PEM block"},
		{"other block", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE"}), 0o600, "want PRIVATE KEY or PUBLIC KEY"},
		{"broken key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")}), 0o600, "not PKCS #8"},
		{"huge", bytes.Repeat([]byte("a"), maxKeyFile+1), 0o600, "at most"},
	} {
		path := filepath.Join(t.TempDir(), "k.pem")
		if err := os.WriteFile(path, c.data, c.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want an error with %q", c.name, err, c.want)
		}
	}
}

func TestParseJWKS(t *testing.T) {
	good := string(testKeyring(t, 1).JWKS())
	for _, c := range []struct{ name, in, want string }{
		{"published", good, ""},
		{"with a stranger", `{"keys":[{"kty":"RSA","n":"AQAB"},` + strings.TrimPrefix(good, `{"keys":[`), ""},
		{"not JSON", "{", "parse key set"},
		{"none", `{"keys":[]}`, "no Ed25519 key"},
		{"only strangers", `{"keys":[{"kty":"EC","crv":"P-256"}]}`, "no Ed25519 key"},
		{"short key", `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]}`, "/keys/0/x: 3 bytes, want 32"},
		{"not base64", `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"~"}]}`, "/keys/0/x"},
		{"huge", strings.Repeat(" ", maxKeyFile+1), "at most"},
	} {
		_, err := ParseJWKS([]byte(c.in))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add(testKeyring(f, 1).JWKS())
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, parse := range []func([]byte) (Verifier, error){ParseJWKS, ParsePEM} {
			if v, err := parse(data); err == nil && len(v.Public()) == 0 {
				t.Fatal("accepted without a key")
			}
		}
	})
}
