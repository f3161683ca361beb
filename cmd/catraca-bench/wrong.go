package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// wrongError means that nothing was run because of what was asked for.
type wrongError struct{ error }

func (e *wrongError) Unwrap() error { return e.error }

func wrong(format string, args ...any) error { return &wrongError{fmt.Errorf(format, args...)} }

// errAborted means that the run was ended before there was anything to keep of it.
var errAborted = errors.New("ended before the first fan came")

// needs refuses other arguments than these.
func needs(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return wrong("%d arguments, want %s", len(args), c.Use)
		}
		return nil
	}
}

// detail is an error with everything that helps to mend it: the line of a file with a caret under the place.
func detail(err error) string {
	if d, ok := errors.AsType[interface {
		error
		Detail() string
	}](err); ok {
		return d.Detail()
	}
	return err.Error()
}
