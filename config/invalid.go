package config

import (
	"errors"
	"strings"
)

// FieldError is a value that is not allowed, or not together with others.
type FieldError struct{ Path, Message string }

// FieldErrors of one configuration.
type FieldErrors []FieldError

// Error is a line for each.
func (p FieldErrors) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Path + ": " + p[i].Message
	}
	return strings.Join(lines, "\n")
}

// InvalidError is everything that is wrong with a configuration.
type InvalidError struct{ errs []error }

// Error is a line for each.
func (e *InvalidError) Error() string { return errors.Join(e.errs...).Error() }

// Unwrap lists them for errors.As.
func (e *InvalidError) Unwrap() []error { return e.errs }

// Detail shows those that stand in a file with line and caret.
func (e *InvalidError) Detail() string {
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
