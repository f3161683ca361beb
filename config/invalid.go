package config

import (
	"errors"
	"strings"
)

// Problem is a value that is not allowed, or not together with others.
type Problem struct{ Path, Message string }

// Problems of one configuration.
type Problems []Problem

// Error is a line for each.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Path + ": " + p[i].Message
	}
	return strings.Join(lines, "\n")
}

// Invalid is everything that is wrong with a configuration.
type Invalid struct{ errs []error }

// Error is a line for each.
func (e *Invalid) Error() string { return errors.Join(e.errs...).Error() }

// Unwrap lists them for errors.As.
func (e *Invalid) Unwrap() []error { return e.errs }

// Detail shows those that stand in a file with line and caret.
func (e *Invalid) Detail() string {
	lines := make([]string, len(e.errs))
	for i, err := range e.errs {
		var detailed interface{ Detail() string }
		if errors.As(err, &detailed) {
			lines[i] = detailed.Detail()
		} else {
			lines[i] = err.Error()
		}
	}
	return strings.Join(lines, "\n")
}
