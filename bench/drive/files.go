package drive

import (
	"fmt"
	"time"

	"github.com/catraca/catraca/bench/scenario"
)

// Files that a process opens beside those of its fans' own connections: those that fans share, to the server and to
// the payment pages, and what a program has anyway.
const spareFiles = 200

// longestStay is how long a fan stays for certain: a fan that comes later may have the socket of an earlier one.
const longestStay = 10 * time.Minute

// files says how many a process must be allowed to open for a share of a plan.
func files(s *scenario.Scenario, seed uint64, of int) int64 {
	fans := int64(sizeOf(atOnce(due(s, seed)), 0, of))
	need := fans + min(bankConns, fans) + spareFiles
	if len(s.Classes) > 0 {
		return need + fans // whoever has a line of its own has its own connections
	}
	return need + min(sharedConns, fans)
}

// atOnce is how many fans are there at the same time at most.
func atOnce(due []time.Duration) int {
	most, from := 0, 0
	for i, at := range due {
		for at-due[from] > longestStay {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// FilesError means that a run needs more open files than there may be.
type FilesError struct {
	Fans   int
	Limit  int64  // of one process
	Who    string // empty: this process
	Agents int    // that would do; 0: not even the most there can be
}

func (e *FilesError) Error() string {
	who := e.Who
	if who == "" {
		who = "this process"
	}
	say := fmt.Sprintf("%s may open %d files, and that is too few for its part of %d fans, who have a socket each", who, e.Limit, e.Fans)
	if e.Agents == 0 {
		return say + fmt.Sprintf("; it would be too few among %d agents, so raise the limit (ulimit -n)", MaxShares)
	}
	return say + fmt.Sprintf("; use %d agents (--agents %d), or raise the limit (ulimit -n)", e.Agents, e.Agents)
}

// enoughFiles refuses a run that some process could not hold the sockets of.
func (r *runner) enoughFiles() error {
	of := len(r.agents)
	need := files(&r.s, r.o.Seed, of)
	for _, a := range r.agents {
		f := a.Facts()
		if f.OpenFiles <= 0 || need <= f.OpenFiles {
			continue
		}
		e := &FilesError{Fans: r.s.Fans, Limit: f.OpenFiles, Who: f.Name}
		for n := of + 1; n <= MaxShares && e.Agents == 0; n++ {
			if files(&r.s, r.o.Seed, n) <= f.OpenFiles {
				e.Agents = n
			}
		}
		return e
	}
	return nil
}
