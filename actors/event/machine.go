package event

import (
	"fmt"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/actors/sequencer"
)

// machine lets a sequencer drive a sale. It decodes into memory that it keeps, so nothing is allocated per command.
type machine struct {
	*sale.State

	decoder sale.Decoder
	command sale.Command
	result  sale.Result

	ahead []sale.Command // decoded by Foresee
	bytes [][]byte       // what they were decoded from
	next  int            // of them is the next one done
}

// Foresee decodes what comes next and lets the sale fetch what it touches. The sequencer's goroutine.
func (m *machine) Foresee(cmds [][]byte) {
	if len(m.ahead) < len(cmds) {
		m.ahead = append(m.ahead, make([]sale.Command, len(cmds)-len(m.ahead))...)
	}
	n := 0
	for n < len(cmds) && m.decoder.Decode(cmds[n], &m.ahead[n]) == nil {
		n++ // one that is malformed is told of when its turn comes
	}
	m.State.Foresee(m.ahead[:n])
	m.bytes = append(m.bytes[:0], cmds[:n]...)
	m.next = 0
}

// Command decodes and does one command. The sequencer's goroutine.
func (m *machine) Command(b []byte) (sale.Result, error) {
	c := &m.command
	if m.next < len(m.bytes) && len(b) > 0 && len(b) == len(m.bytes[m.next]) && &b[0] == &m.bytes[m.next][0] {
		c = &m.ahead[m.next]
		m.next++
	} else if err := m.decoder.Decode(b, c); err != nil {
		return sale.Result{}, fmt.Errorf("decode command: %w", err)
	}
	m.DoInto(c, &m.result)
	return m.result, nil
}

var (
	_ sequencer.Streamed = (*sale.Frozen)(nil)
	_ sequencer.Foreseer = (*machine)(nil)
)

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
