package eventfile

import (
	"encoding/json"
	"mime"
	"time"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/config/strict"
)

// BundleType is the content type of a [Bundle].
const BundleType = "application/vnd.catraca.event+json"

// Bundle carries an event file and the plan it names over the API as one JSON body.
type Bundle struct {
	Name string          `json:"name"` // of the file, for messages
	File string          `json:"file"` // its text
	Plan json.RawMessage `json:"plan,omitempty"`
}

// Import reads what POST admin/events takes: a bundle, or the event file itself when its plan is built in. The report
// is the plan's, nil without one. The error is a [*RefusedError].
func Import(now time.Time, body []byte, contentType string) (*sale.Config, any, error) {
	b := Bundle{Name: "event.yaml", File: string(body)}
	if kind, _, err := mime.ParseMediaType(contentType); err == nil && kind == BundleType {
		b = Bundle{Name: "event.yaml"}
		if err := json.Unmarshal(body, &b); err != nil {
			return nil, nil, refuse(&strict.Error{Message: "the bundle is not JSON with name, file and plan"})
		}
	}
	f, err := Parse(b.Name, []byte(b.File))
	if err != nil {
		return nil, nil, err
	}
	cfg, report, err := f.Config(now, b.Plan)
	if err != nil {
		return nil, nil, err
	}
	if report == nil {
		return cfg, nil, nil // a nil of its own type would be encoded otherwise
	}
	return cfg, report, nil
}
