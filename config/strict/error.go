package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error says where a file is wrong.
type Error struct {
	File         string
	Line, Column int    // from 1; 0 when the whole file is meant
	Path         string // of the value, like queue.rate or areas[1].name; may be empty
	Message      string
	Suggestion   string // what was probably meant, or empty
	Source       string // the line
}

// Error is one line; Detail adds the source.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Suggestion != "" {
		fmt.Fprintf(&b, ", did you mean %q?", e.Suggestion)
	}
	return b.String()
}

// Detail is the error with the line and a caret under the place.
func (e *Error) Detail() string {
	if e.Line == 0 || e.Source == "" {
		return e.Error()
	}
	before := []rune(e.Source)
	before = before[:min(max(e.Column-1, 0), len(before))]
	caret := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string(before))
	return fmt.Sprintf("%s\n  %s\n  %s^", e.Error(), e.Source, caret)
}

// Errors of one file, in the order of the file.
type Errors []*Error

// Error is a line for each.
func (e Errors) Error() string { return e.join((*Error).Error) }

// Detail is every error with its line and caret.
func (e Errors) Detail() string { return e.join((*Error).Detail) }

// Unwrap lists them for errors.As.
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i := range e {
		out[i] = e[i]
	}
	return out
}

func (e Errors) join(show func(*Error) string) string {
	lines := make([]string, len(e))
	for i := range e {
		lines[i] = show(e[i])
	}
	return strings.Join(lines, "\n")
}

// Sort brings the errors into the order of the file; those that mean all of it come first.
func (e Errors) Sort() {
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// or returns one error bare, several as a list.
func (e Errors) or() error {
	if len(e) == 1 {
		return e[0]
	}
	return e
}
