package report

import (
	"fmt"
	"time"
)

// socketsResult is how catraca-bench sockets keeps what it found; Catraca is the first of the table. Memory is bytes,
// processor time microseconds.
type socketsResult struct {
	At      time.Time `json:"at"`
	Commit  string    `json:"commit"`
	CPU     string    `json:"cpu"`
	Cores   int       `json:"cores"`
	Sockets int       `json:"sockets"`
	Table   []struct {
		Who    string `json:"who"`
		Median struct {
			Memory    float64 `json:"resident_collected"`
			Handshake float64 `json:"handshake_us"`
			Push      float64 `json:"push_us"`
			Last      float64 `json:"last_ms"`
		} `json:"median"`
	} `json:"table"`
}

// keptOfSockets tells what a live socket costs, and how many times that the best setting of the other costs.
func keptOfSockets(s socketsResult) []Kept {
	k := Kept{Group: Peers, Kind: "live sockets beside centrifuge", At: s.At, Commit: s.Commit, Machine: machine(s.Cores, s.CPU), Verdict: "told"}
	if len(s.Table) == 0 {
		return []Kept{k}
	}
	mine := s.Table[0].Median
	memory, handshake, push := 0.0, 0.0, 0.0
	for i, row := range s.Table[1:] {
		if m := row.Median; i == 0 {
			memory, handshake, push = m.Memory, m.Handshake, m.Push
		} else {
			memory, handshake, push = min(memory, m.Memory), min(handshake, m.Handshake), min(push, m.Push)
		}
	}
	for _, f := range []struct {
		what       string
		mine, best float64
		got        string
	}{
		{"memory of a socket", mine.Memory, memory, fmt.Sprintf("%.1f KB", mine.Memory/1024)},
		{"processor time of a handshake", mine.Handshake, handshake, span(mine.Handshake / 1e6)},
		{"processor time of a pushed message", mine.Push, push, span(mine.Push / 1e6)},
	} {
		if f.mine > 0 && f.best > 0 {
			times := finite(f.best / f.mine)
			k.Figures = append(k.Figures, Figure{What: f.what + ", times less than centrifuge at its best", Value: times, Unit: "×",
				Got: fmt.Sprintf("%.2f× (%s)", times, f.got)})
		}
	}
	k.Figures = append(k.Figures,
		Figure{What: "memory of a socket", Value: finite(mine.Memory), Unit: "bytes", Got: fmt.Sprintf("%.1f KB", mine.Memory/1024)},
		Figure{What: fmt.Sprintf("until the last of %d has a message", s.Sockets), Value: finite(mine.Last / 1e3), Unit: "seconds", Got: span(mine.Last / 1e3)})
	return []Kept{k}
}
