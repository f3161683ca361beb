package account

import "strings"

// rehearsalDomain is kept for virtual fans. The .invalid domain never resolves, so no mail can leave for it.
const rehearsalDomain = "rehearsal.invalid"

// NormalizeEmail trims surrounding white space, lower-cases and checks an address: at most 254 bytes of UTF-8,
// one @, no space or control character, nothing that would need quoting. Only ASCII letters are lower-cased:
// Unicode's tables differ between toolchains, and replicas must agree.
func NormalizeEmail(s string) (string, error) {
	s = lowerASCII(strings.Trim(s, " \t\r\n"))
	if err := checkEmail(s); err != nil {
		return "", err
	}
	return s, nil
}

func lowerASCII(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if 'A' <= b[j] && b[j] <= 'Z' {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// checkEmail accepts exactly what [NormalizeEmail] returns.
func checkEmail(s string) error {
	if s == "" {
		return bad("email", "is empty")
	}
	if len(s) > MaxEmail {
		return bad("email", "has %d bytes, at most %d are allowed", len(s), MaxEmail)
	}
	local, domain, ok := strings.Cut(s, "@")
	if !ok || strings.Contains(domain, "@") {
		return bad("email", "must have exactly one @")
	}
	if local == "" || len(local) > 64 {
		return bad("email", "the part before the @ has %d bytes, 1 to 64 are allowed", len(local))
	}
	if domain == "" {
		return bad("email", "has nothing after the @")
	}
	if err := checkText("email", s); err != nil {
		return err
	}
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' || strings.IndexByte(" \"(),:;<>[\\]", c) >= 0 {
			return bad("email", "%q is not allowed", string(rune(c)))
		}
	}
	for i := range len(domain) {
		c := domain[i]
		if c < 0x80 && (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '-' && c != '.' {
			return bad("email", "%q is not allowed after the @", string(rune(c)))
		}
	}
	if badDots(local) || badDots(domain) {
		return bad("email", "a dot must stand between two characters")
	}
	return nil
}

func badDots(s string) bool {
	return s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..")
}

// checkText refuses bytes that are not UTF-8 and the characters that cannot be seen: they serve only to deceive
// a reader or to break a header line. Plain spaces are allowed.
func checkText(field, s string) error {
	if strings.ToValidUTF8(s, "") != s {
		return bad(field, "is not valid UTF-8")
	}
	for _, r := range s {
		switch {
		case r < 0x20, r >= 0x7f && r <= 0xa0, r == 0xad, r == 0x61c, r == 0x180e, r >= 0x2000 && r <= 0x200f,
			r >= 0x2028 && r <= 0x202f, r >= 0x205f && r <= 0x206f, r == 0x3000, r == 0xfeff, r >= 0xfff9 && r <= 0xfffd,
			r >= 0xe0000 && r <= 0xe007f:
			return bad(field, "character %U is not allowed", r)
		}
	}
	return nil
}
