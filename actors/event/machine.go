package event

import (
	"fmt"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sequencer"
)

// machine lets a sequencer drive a sale. Its decoder reuses one command, so nothing is allocated per command.
type machine struct {
	*sale.State

	decoder sale.Decoder
	command sale.Command
}

// Command decodes and does one command. The sequencer's goroutine.
func (m *machine) Command(b []byte) (sale.Result, error) {
	if err := m.decoder.Decode(b, &m.command); err != nil {
		return sale.Result{}, fmt.Errorf("decode command: %w", err)
	}
	return m.Do(&m.command), nil
}

var _ sequencer.Streamed = (*sale.Frozen)(nil)

// Freeze fixes the sale as it is. The sequencer's goroutine.
func (m *machine) Freeze() sequencer.Frozen { return m.State.Freeze() }

func create(id uint32, blob []byte) (*machine, error) {
	cfg, err := sale.DecodeConfig(blob)
	if err != nil {
		return nil, fmt.Errorf("decode config of event %d: %w", id, err)
	}
	s, err := sale.New(*cfg)
	if err != nil {
		return nil, fmt.Errorf("create event %d: %w", id, err)
	}
	return &machine{State: s}, nil
}

func restore(id uint32, blob []byte) (*machine, error) {
	s, err := sale.Restore(blob)
	if err != nil {
		return nil, fmt.Errorf("restore event %d: %w", id, err)
	}
	return &machine{State: s}, nil
}
