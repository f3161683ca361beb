package queue

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestStories runs the transcripts in testdata/story. Accounts are letters, times and durations are seconds. Each
// answer is what the calls returned and then every change of a place.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/story", func(t *testing.T, path string) {
		s := &story{t: t}
		datadriven.RunTest(t, path, s.run)
	})
}

type story struct {
	t     *testing.T
	q     *Queue
	at    int64
	open  bool
	stock uint32
}

func (s *story) run(t *testing.T, d *datadriven.TestData) string {
	var out strings.Builder
	if d.Cmd == "queue" {
		s.create(d)
	}
	if d.HasArg("at") {
		var seconds int64
		d.ScanArgs(t, "at", &seconds)
		s.at = seconds * 1_000
	}
	var who []string
	for _, a := range d.CmdArgs {
		if len(a.Vals) == 0 && len(a.Key) == 1 {
			who = append(who, a.Key)
		}
	}
	switch d.Cmd {
	case "queue", "advance":
	case "open", "pause":
		s.open = d.Cmd == "open"
	case "stock":
		d.ScanArgs(t, "left", &s.stock)
	case "rate":
		var rate, limit uint32
		d.ScanArgs(t, "rate", &rate)
		d.ScanArgs(t, "cap", &limit)
		s.q.SetRate(rate, limit, s.at)
	case "due":
		if due := s.q.Due(s.at, s.open, s.stock); due == Never {
			out.WriteString("never\n")
		} else {
			fmt.Fprintf(&out, "at %s\n", seconds(due))
		}
	case "counts":
		out.WriteString(strings.Trim(fmt.Sprintf("%+v", s.q.Counts()), "{}") + "\n")
	default:
		for _, name := range who {
			out.WriteString(s.call(d, name, uint64(name[0])))
		}
	}
	if d.Cmd == "advance" || d.HasArg("then") {
		s.q.Advance(s.at, s.open, s.stock)
	}
	for _, tr := range s.q.Transitions() {
		fmt.Fprintf(&out, "  #%d %c: ", tr.Place, rune(tr.Account))
		if tr.From != 0 {
			fmt.Fprintf(&out, "%s, ", tr.From)
		}
		out.WriteString("now " + tr.To.String())
		if tr.Deadline != 0 {
			out.WriteString(" until " + seconds(tr.Deadline))
		}
		out.WriteString("\n")
	}
	s.q.ClearTransitions()
	if err := s.q.Verify(); err != nil {
		s.t.Fatalf("%s: %v", d.Pos, err)
	}
	return out.String()
}

func (s *story) create(d *datadriven.TestData) {
	p := Policy{ClaimMs: 120_000, LeaseMs: 600_000, LeaseCapMs: 1_800_000, ParkGraceMs: 900_000}
	for key, v := range map[string]*uint32{
		"rate": &p.RatePerMinute, "burst": &p.Burst, "cap": &p.ActiveCap, "places": &p.MaxPlaces,
	} {
		d.MaybeScanArgs(s.t, key, v)
	}
	s.q, s.at, s.open, s.stock = New(p), 0, true, 1_000
}

func (s *story) call(d *datadriven.TestData, name string, account uint64) string {
	yes := map[bool]string{true: "yes", false: "no"}
	refusals := [...]string{"", "no place", "not offered", "barred", "full", "ended"}
	switch d.Cmd {
	case "join":
		if p, r := s.q.Join(account, s.at); r != None {
			return name + ": " + refusals[r] + "\n"
		} else {
			return fmt.Sprintf("%s: place %d\n", name, p)
		}
	case "away":
		return name + ": " + yes[s.q.Away(account, s.at)] + "\n"
	case "back":
		return name + ": " + yes[s.q.Back(account, s.at)] + "\n"
	case "leave":
		return name + ": " + yes[s.q.Leave(account, s.at)] + "\n"
	case "finish":
		return name + ": " + yes[s.q.Finish(account, s.at)] + "\n"
	case "remove":
		return name + ": " + yes[s.q.Remove(account, s.at)] + "\n"
	case "claim":
		if deadline, r := s.q.Claim(account, s.at); r != None {
			return name + ": " + refusals[r] + "\n"
		} else {
			return name + ": until " + seconds(deadline) + "\n"
		}
	case "touch":
		var until int64
		d.ScanArgs(s.t, "until", &until)
		return name + ": until " + seconds(s.q.Touch(account, s.at, until*1_000)) + "\n"
	case "show":
		i, ok := s.q.Lookup(account)
		if !ok {
			return name + ": never joined\n"
		}
		return fmt.Sprintf("%s: place %d %s, %d ahead\n", name, i.Place, i.State, i.Ahead)
	}
	s.t.Fatalf("%s: no command %q", d.Pos, d.Cmd)
	return ""
}

func seconds(ms int64) string {
	if ms%1_000 == 0 {
		return fmt.Sprintf("%d s", ms/1_000)
	}
	return fmt.Sprintf("%d ms", ms)
}
