package password

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Length of a password in characters.
const (
	MinLength = 8
	MaxLength = 128
)

// What [Check] finds.
var (
	ErrTooShort = fmt.Errorf("password: at least %d characters are needed", MinLength)
	ErrTooLong  = fmt.Errorf("password: at most %d characters are allowed", MaxLength)
	ErrNotText  = errors.New("password: is not valid UTF-8")
	ErrCommon   = errors.New("password: is one of the most common ones and is tried first by everybody who attacks")
)

// common has one password on each line, in lower case.
//
//go:embed common.txt
var common string

// Check says why a password may not be chosen: too short, too long, not text, or on the list of common ones. Any
// characters may be in it and none has to be.
func Check(password string) error {
	if err := checkLength(password); err != nil {
		return err
	}
	low := strings.ToLower(password)
	if first, size := utf8.DecodeRuneInString(low); strings.Trim(low[size:], string(first)) == "" {
		return ErrCommon // one character over and over
	}
	if !strings.Contains(low, "\n") && strings.Contains("\n"+common, "\n"+low+"\n") {
		return ErrCommon
	}
	return nil
}

func checkLength(password string) error {
	if len(password) > MaxLength*utf8.UTFMax {
		return ErrTooLong
	}
	if !utf8.ValidString(password) {
		return ErrNotText
	}
	switch n := utf8.RuneCountInString(password); {
	case n < MinLength:
		return ErrTooShort
	case n > MaxLength:
		return ErrTooLong
	}
	return nil
}
