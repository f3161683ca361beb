package record

import (
	"encoding/json"
	"time"
)

// Format is the version of a run's file.
const Format = 1

// Run is one run of a scenario, as it is kept in a file. All times within it are seconds from Began.
type Run struct {
	Format      int             `json:"format"`
	ID          string          `json:"id"` // 20261124-191500-spike-1f2e
	Scenario    string          `json:"scenario"`
	Seed        uint64          `json:"seed"`
	Plan        json.RawMessage `json:"plan"` // the scenario with every default filled in, for a rerun
	Target      string          `json:"target"`
	Began       time.Time       `json:"began"`
	Ended       time.Time       `json:"ended"`
	WarmUp      float64         `json:"warm_up"` // seconds at the front that count for no figure
	Environment Environment     `json:"environment"`
	// Span is how long what counts below went on: from the end of the warm-up to the last answer, in seconds.
	Span   float64 `json:"span"`
	Starts Starts  `json:"starts"`

	Verdict    Verdict          `json:"verdict"`
	Outcomes   map[string]int64 `json:"outcomes"` // fans by how their story ended: bought, sold_out, left, closed, unpaid, failed
	Operations []Operation      `json:"operations"`
	Seconds    []Second         `json:"seconds"`
	Server     []Series         `json:"server"`
	Marks      []Mark           `json:"marks"`
	Fairness   []Fairness       `json:"fairness"`
	Audit      Audit            `json:"audit"`
	Agents     []Agent          `json:"agents,omitempty"` // that let the fans come; none: one process did everything
	// WarmUpOperations are those planned within the warm-up; they count for nothing in Operations.
	WarmUpOperations []Operation `json:"warm_up_operations,omitempty"`
}

// Starts is how well the generator kept its own plan.
type Starts struct {
	Planned int64 `json:"planned"` // fans, and operations that have a time of their own
	Started int64 `json:"started"`
	Counted int64 `json:"counted"` // of those started: due after the warm-up
	Late    int64 `json:"late"`    // of those counted: more than [LateAfter] after they were due
	// Latest is by how many seconds the latest of those counted was late.
	Latest float64 `json:"latest"`
}

// Environment is where a run was made.
type Environment struct {
	Commit    string `json:"commit"`
	Go        string `json:"go"`
	CPU       string `json:"cpu"`
	Cores     int    `json:"cores"`
	Memory    int64  `json:"memory_bytes"`
	Kernel    string `json:"kernel"`
	OpenFiles int64  `json:"open_files"` // the process's limit
	Command   string `json:"command"`
	Server    string `json:"server"` // its version, as it says itself
	Nodes     int    `json:"nodes"`
	Agents    int    `json:"agents"`
}

// Verdict is what a run comes to. It passed when it is valid and nothing in it broke.
type Verdict struct {
	Invalid    []string    `json:"invalid"` // why the figures are worth nothing
	Broken     []string    `json:"broken"`  // promises of safety that did not hold, with the evidence
	Thresholds []Threshold `json:"thresholds"`
	Aborted    bool        `json:"aborted"`
}

// Threshold is a bound that was asked for.
type Threshold struct {
	Expression string `json:"expression"` // hold.p99<50ms
	Got        string `json:"got"`
	Held       bool   `json:"held"`
}

// Operation is everything about one operation of the fans of one network class; class "" is all of them together.
// Latency runs from the planned moment to the answer, Service from the moment it was really begun.
type Operation struct {
	Name    string           `json:"name"` // connect, join, claim, seats, hold, order, pay, ticket, push
	Class   string           `json:"class"`
	Count   int64            `json:"count"`
	Failed  int64            `json:"failed"`
	Codes   map[string]int64 `json:"codes"` // refusals and failures by code
	Latency Summary          `json:"latency"`
	Service Summary          `json:"service"`
	// Histogram is that of Latency in nanoseconds, HdrHistogram V2 compressed and in base64.
	Histogram string `json:"histogram"`
}

// Summary of a histogram, in seconds.
type Summary struct {
	Min  float64 `json:"min"`
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// Second is what happened in one second of the run.
type Second struct {
	At         int             `json:"at"`      // seconds from Began
	Planned    int64           `json:"planned"` // fans due
	Started    int64           `json:"started"`
	Late       int64           `json:"late"` // of them, more than [LateAfter] after they were due
	Active     int64           `json:"active"`
	Sockets    int64           `json:"sockets"`
	Operations []SecondOfAKind `json:"operations"`
}

// SecondOfAKind is one operation in one second, of all classes. P50, P99 and Max are seconds.
type SecondOfAKind struct {
	Name   string  `json:"name"`
	Done   int64   `json:"done"`
	Failed int64   `json:"failed"`
	P50    float64 `json:"p50"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

// Series is a metric of a server over the run.
type Series struct {
	Name   string  `json:"name"` // as a person reads it: queue waiting, CPU, heap
	Node   string  `json:"node"`
	Unit   string  `json:"unit"` // "", bytes, seconds, cores, per_second
	Points []Point `json:"points"`
}

// Point of a series.
type Point struct {
	At    float64 `json:"at"`
	Value float64 `json:"value"`
}

// Mark is something that was done to the servers, or happened to the sale.
type Mark struct {
	At   float64 `json:"at"`
	Kind string  `json:"kind"` // fault, heal, phase
	Text string  `json:"text"`
}

// Fairness is how the queue treated the fans of one network class; class "" is all of them together.
type Fairness struct {
	Class string `json:"class"`
	Fans  int64  `json:"fans"`
	// Admitted of them came to shop.
	Admitted int64 `json:"admitted"`
	// Rank is Kendall's tau between the order of joining, as the server acknowledged it, and the order of admission.
	Rank float64 `json:"rank"`
	// Overtaken counts fans with a smaller number that were offered their turn after one with a larger number.
	Overtaken int64 `json:"overtaken"`
	// Wait from the acknowledged place to the offer, in seconds; Lag from the server's offer to the fan's knowing it.
	Wait Summary `json:"wait"`
	Lag  Summary `json:"lag"`
	// Lost turns: offers that lapsed before the fan claimed them.
	Lapsed int64 `json:"lapsed"`
	// EtaError is the median of |estimate − truth| / truth of the estimates that fans were shown.
	EtaError float64 `json:"eta_error"`
}

// Audit is what holding the fans' journals against the server's books came to.
type Audit struct {
	Ran      bool             `json:"ran"`
	Checks   []Check          `json:"checks"`
	Counted  map[string]int64 `json:"counted"` // places, holds, orders, tickets, captured, refunded …
	Findings []string         `json:"findings"`
	// Evidence is the SHA-256 of the file beside the run's with all that the audit was made of; empty: it was not kept.
	Evidence string `json:"evidence,omitempty"`
}

// Check is one of the promises that were looked at.
type Check struct {
	Name string `json:"name"` // no seat twice, nothing acknowledged lost, no overtaking, captures = tickets + refunds, views monotonic
	Held bool   `json:"held"`
}

// LateAfter is how late a fan or an operation may start before it counts as late, and MostLate the share of late starts
// above which a run is invalid: the generator was saturated.
const (
	LateAfter = 10 * time.Millisecond
	MostLate  = 0.001
	// FewestLate starts are needed all the same: one hiccup among three hundred fans is no saturation.
	FewestLate = 4
)

// Agent is a process that let a share of a run's fans come.
type Agent struct {
	Name      string `json:"name"`    // agent 2
	Address   string `json:"address"` // host:port
	Machine   string `json:"machine"` // its name
	Cores     int    `json:"cores"`
	OpenFiles int64  `json:"open_files"` // the process's limit
	Fans      int64  `json:"fans"`
	Starts    Starts `json:"starts"`
	// Offset is by how many seconds its clock was ahead of the coordinator's, and Unsure by how many it may have been
	// more or less at any time of the run: half the shortest round trip, and what the clocks drifted apart meanwhile.
	Offset float64 `json:"offset"`
	Unsure float64 `json:"unsure"`
	Drift  float64 `json:"drift"` // of the offset from the beginning of the run to its end
	CPU    float64 `json:"cpu"`   // seconds of processor time it used
}

// Saturated says whether the agent could not keep its part of the plan.
func (a *Agent) Saturated() bool {
	return a.Starts.LateShare() > MostLate && a.Starts.Late >= FewestLate
}
