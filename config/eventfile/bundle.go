package eventfile

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/transport/seating"
	"github.com/catraca/catraca/transport/wire"
)

// Bundle carries an event file and the plan it names over the API as one JSON body.
type Bundle struct {
	Name string          `json:"name"` // of the file, for messages
	File string          `json:"file"` // its text
	Plan json.RawMessage `json:"plan,omitempty"`
}

// Import reads what POST admin/events takes: a bundle, or the event file itself when its plan is built in.
func Import(now time.Time, body []byte, contentType string) (*sale.Config, any, error) {
	b := Bundle{Name: "event.yaml", File: string(body)}
	if contentType == "application/vnd.catraca.event+json" {
		if err := json.Unmarshal(body, &b); err != nil {
			return nil, nil, errors.New("the bundle is not JSON with name, file and plan")
		}
	}
	f, err := Parse(b.Name, []byte(b.File))
	if err != nil {
		return nil, nil, err
	}
	cfg, report, err := f.Config(now, b.Plan)
	var defects *seating.DefectError
	if errors.As(err, &defects) {
		return nil, nil, &planError{err: err, report: defects.Report}
	}
	return cfg, report, err
}

// planError names every defect of a plan as a field of the answer.
type planError struct {
	err    error
	report *seating.Report
}

func (e *planError) Error() string { return e.err.Error() }

func (e *planError) Unwrap() error { return e.err }

// Fields lists the defects.
func (e *planError) Fields() []wire.FieldError {
	var out []wire.FieldError
	for _, d := range e.report.Defects {
		if d.Fatal {
			out = append(out, wire.FieldError{Pointer: d.Path, Code: d.Code, Detail: d.Message})
		}
	}
	return out
}
