package agent

import (
	"encoding/json"
	"fmt"

	"github.com/catraca/catraca/bench/drive"
)

// Protocol is the version that both sides must speak.
const Protocol = 1

// hello is what an agent says of itself first.
type hello struct {
	Protocol  int    `json:"protocol"`
	Commit    string `json:"commit"`
	Machine   string `json:"machine"`
	Cores     int    `json:"cores"`
	OpenFiles int64  `json:"open_files"`
}

// usage is what an agent's process uses, by the names of [drive.Usage].
type usage struct {
	At     int64              `json:"at"` // by its clock
	Values map[string]float64 `json:"values"`
}

// fate is a [drive.Fate] on its way.
type fate struct {
	Class   string          `json:"class,omitempty"`
	Outcome string          `json:"outcome"`
	Journal json.RawMessage `json:"journal"`
}

// ending is what an agent says last.
type ending struct {
	Fans int     `json:"fans"` // whose fates were told
	CPU  float64 `json:"cpu"`  // seconds of processor time
}

// Parts that lists are sent in.
const (
	fansAtOnce  = 5000
	fatesAtOnce = 512 << 10 // bytes
)

// read decodes a payload.
func read(what string, b []byte, into any) error {
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}

// send encodes a payload and sends it.
func send(c *channel, kind byte, payload any) error {
	b, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("write frame: %w", err)
	}
	return c.send(kind, b)
}

// sendShare sends a share with its fans.
func sendShare(c *channel, s drive.Share) error {
	fans := s.Fans
	s.Fans = nil
	if err := send(c, kindShare, s); err != nil {
		return err
	}
	for len(fans) > 0 {
		n := min(len(fans), fansAtOnce)
		if err := send(c, kindFans, fans[:n]); err != nil {
			return err
		}
		fans = fans[n:]
	}
	return c.send(kindFit, nil)
}
