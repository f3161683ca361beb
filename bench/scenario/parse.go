package scenario

import (
	"encoding/json"
	"fmt"

	"github.com/goccy/go-yaml"

	"github.com/catraca/catraca/config/strict"
)

// Parse reads a scenario strictly; name is the file's, for messages. What the file leaves out is as [Default] has it,
// except for lists, which the file says in full. The error is a [*strict.Error] or [strict.Errors]: file, line, column.
func Parse(name string, data []byte) (Scenario, error) {
	s := Default()
	s.Name = ""
	doc, err := strict.Read(name, data, &s)
	if err != nil {
		return Scenario{}, err
	}
	if errs := s.check(doc); len(errs) > 0 {
		return Scenario{}, errs
	}
	return s.complete(), nil
}

// Check says what is wrong with a scenario that no file was read for, or was changed afterwards.
func (s *Scenario) Check() error {
	if errs := s.check(nil); len(errs) > 0 {
		return errs
	}
	return nil
}

// YAML is the scenario as a file.
func (s *Scenario) YAML() ([]byte, error) {
	b, err := yaml.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("write scenario: %w", err)
	}
	return b, nil
}

// MarshalJSON writes the same keys and values as the file has.
func (s *Scenario) MarshalJSON() ([]byte, error) {
	b, err := s.YAML()
	if err != nil {
		return nil, err
	}
	b, err = yaml.YAMLToJSON(b)
	if err != nil {
		return nil, fmt.Errorf("write scenario: %w", err)
	}
	return b, nil
}

// UnmarshalJSON reads what MarshalJSON wrote, and as strictly as a file.
func (s *Scenario) UnmarshalJSON(b []byte) (err error) {
	*s, err = Parse("plan", b)
	return err
}

var _ json.Unmarshaler = (*Scenario)(nil)
