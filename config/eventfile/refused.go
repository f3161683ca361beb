package eventfile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/catraca/catraca/config/strict"
	"github.com/catraca/catraca/transport/seating"
	"github.com/catraca/catraca/transport/wire"
)

// RefusedError is everything that is wrong with an event file and the plan that came with it.
type RefusedError struct {
	File strict.Errors   // mistakes in the event file, in its order
	Plan *seating.Report // with the plan's defects, or nil
}

// refuse wraps what package strict found.
func refuse(err error) *RefusedError {
	var many strict.Errors
	var one *strict.Error
	switch {
	case errors.As(err, &many):
		return &RefusedError{File: many}
	case errors.As(err, &one):
		return &RefusedError{File: strict.Errors{one}}
	default:
		return &RefusedError{File: strict.Errors{{Message: err.Error()}}}
	}
}

// Error is one line: the first mistake, and how many there are.
func (r *RefusedError) Error() string {
	n, first := len(r.File), ""
	if n > 0 {
		first = r.File[0].Error()
	}
	if r.Plan != nil {
		if first == "" {
			return (&seating.DefectError{Report: r.Plan}).Error()
		}
		n += r.Plan.Fatal()
	}
	if n > 1 {
		return fmt.Sprintf("%d mistakes, the first: %s", n, first)
	}
	return first
}

// Detail shows every mistake of the file with line and caret, and names every defect of the plan.
func (r *RefusedError) Detail() string {
	var lines []string
	if len(r.File) > 0 {
		lines = append(lines, r.File.Detail())
	}
	if r.Plan != nil {
		lines = append(lines, fmt.Sprintf("the seating plan has %d defects:", r.Plan.Fatal()))
		for _, d := range r.Plan.Defects {
			if d.Fatal {
				lines = append(lines, "  "+d.String())
			}
		}
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the parts to errors.As.
func (r *RefusedError) Unwrap() []error {
	var out []error
	if len(r.File) > 0 {
		out = append(out, r.File)
	}
	if r.Plan != nil {
		out = append(out, &seating.DefectError{Report: r.Plan})
	}
	return out
}

// Fields lists the mistakes by JSON pointer into the event file, in which the plan's content stands at /plan.
func (r *RefusedError) Fields() []wire.FieldError {
	out := []wire.FieldError{}
	for _, e := range r.File {
		out = append(out, wire.FieldError{Pointer: pointer(e.Path), Code: "invalid", Detail: e.Error()})
	}
	if r.Plan == nil {
		return out
	}
	for _, d := range r.Plan.Defects {
		if d.Fatal {
			out = append(out, wire.FieldError{Pointer: "/plan" + pointer(d.Path), Code: d.Code, Detail: d.String()})
		}
	}
	return out
}

// pointer writes a path like areas[1].name as RFC 6901 does: /areas/1/name.
func pointer(path string) string {
	if path == "" {
		return ""
	}
	return "/" + strings.NewReplacer("~", "~0", "/", "~1", ".", "/", "[", "/", "]", "").Replace(path)
}
