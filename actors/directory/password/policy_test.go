package password

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name, password string
		want           error
	}{
		{"eight", "xk7 qv2z", nil},
		{"letters only is fine", "correct horse battery", nil},
		{"seven", "abcdefg", ErrTooShort},
		{"empty", "", ErrTooShort},
		{"characters are counted, not bytes", strings.Repeat("ção", 42) + "é1", nil},
		{"129", strings.Repeat("ab", 64) + "c", ErrTooLong},
		{"very long", strings.Repeat("a", 1<<20), ErrTooLong},
		{"not text", "abc\xffdefghij", ErrNotText},
		{"common", "password123", ErrCommon},
		{"common in Portuguese", "flamengo10", ErrCommon},
		{"common in Spanish", "contraseña1", ErrCommon},
		{"case does not help", "PassWord123", ErrCommon},
		{"one character", "zzzzzzzzzzzz", ErrCommon},
		{"one wide character", "ãããããããã", ErrCommon},
		{"part of a line is no hit", "assword12", nil},
		{"two lines are no hit", "password1\npassword12", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := Check(tt.password); !errors.Is(err, tt.want) {
				t.Fatalf("Check(%.40q) = %v, want %v", tt.password, err, tt.want)
			}
		})
	}
}

func TestCommonListIsWellFormed(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(common, "\n"), "\n")
	if len(lines) < 300 {
		t.Fatalf("%d common passwords, want some hundreds", len(lines))
	}
	if !slices.IsSorted(lines) || len(slices.Compact(slices.Clone(lines))) != len(lines) {
		t.Error("the list is not sorted or has a line twice")
	}
	for _, l := range lines {
		if l != strings.ToLower(l) || checkLength(l) != nil {
			t.Errorf("%q can never match: it has capitals or is shorter than any password may be", l)
		}
	}
}
