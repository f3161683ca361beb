package drive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/catraca/catraca/bench/record"
)

// Agent lets a share of the fans come, in this process or another one.
type Agent interface {
	// Facts are what is known of it so far; of what another recorder tells, nothing.
	Facts() record.Agent
	// Prepare hands its share over, and returns when its fans are ready to come.
	Prepare(ctx context.Context, s Share) error
	// Play lets them come, and returns when all have left. When the context ends, they go home. An error means that
	// nobody knows what became of them.
	Play(ctx context.Context, p Playing) ([]Fate, error)
	// Cut cuts the live sockets of its fans, while they play, and says how many.
	Cut(ctx context.Context) (int, error)
}

// Playing is what an agent has to know when its fans are about to come.
type Playing struct {
	// Began is the moment from which fans are due, by the clock of this process.
	Began time.Time
	// Record takes down what the fans do. What comes in pieces from elsewhere is told as that of source Number.
	Record *record.Recorder
	Number int
	// Sample takes what the agent's process uses, now and then; names are those of [Usage].
	Sample func(at time.Time, values map[string]float64)
}

// here is the agent that is this process.
type here struct{ crowd *Crowd }

func (h *here) Facts() record.Agent { return record.Agent{OpenFiles: record.Here().OpenFiles} }

func (h *here) Prepare(ctx context.Context, s Share) (err error) {
	h.crowd, err = NewCrowd(ctx, s)
	return err
}

func (h *here) Play(ctx context.Context, p Playing) ([]Fate, error) {
	h.crowd.Live(ctx, p.Began, p.Record)
	return h.crowd.Fates(), nil
}

func (h *here) Cut(context.Context) (int, error) { return h.crowd.Cut(), nil }

func (h *here) close() {
	if h.crowd != nil {
		h.crowd.Close()
	}
}

// handOut gives every agent its share.
func (r *runner) handOut(ctx context.Context, all []Identity) error {
	shares, err := r.sharesOf(all, len(r.agents))
	if err != nil {
		return err
	}
	errs := make([]error, len(r.agents))
	var each group
	for i, a := range r.agents {
		each.goes(func() {
			if err := a.Prepare(ctx, shares[i]); err != nil {
				errs[i] = fmt.Errorf("prepare %s: %w", nameOf(a), err)
			}
		})
	}
	each.wait()
	return errors.Join(errs...)
}

func nameOf(a Agent) string {
	if n := a.Facts().Name; n != "" {
		return n
	}
	return "the fans"
}

// crowds lets the fans of all agents come and go. An agent that is lost ends the run.
func (r *runner) crowds(ctx context.Context) {
	ctx, home := context.WithCancel(ctx)
	defer home()
	fates, errs := make([][]Fate, len(r.agents)), make([]error, len(r.agents))
	var each group
	for i, a := range r.agents {
		each.goes(func() {
			sample := r.watched.keep(nameOf(a))
			fates[i], errs[i] = a.Play(ctx, Playing{Began: r.began, Record: r.record, Number: i, Sample: sample})
			if errs[i] != nil {
				r.o.Say("%s is lost: %v; the run ends", nameOf(a), errs[i])
				r.record.Mark("failure", fmt.Sprintf("%s is lost: %v", nameOf(a), errs[i]))
				home()
			}
		})
	}
	each.wait()
	for i, a := range r.agents {
		r.fates = append(r.fates, fates[i]...)
		if errs[i] != nil {
			r.lost = append(r.lost, fmt.Sprintf("%s was lost, and with it what its fans were told: %v", nameOf(a), errs[i]))
			r.unknown += int64(sizeOf(r.s.Fans, i, len(r.agents)))
		}
	}
}

// cut cuts the live sockets of everybody.
func (r *runner) cut(ctx context.Context) (int, error) {
	all, errs := make([]int, len(r.agents)), make([]error, len(r.agents))
	var each group
	for i, a := range r.agents {
		each.goes(func() { all[i], errs[i] = a.Cut(ctx) })
	}
	each.wait()
	n := 0
	for _, one := range all {
		n += one
	}
	return n, errors.Join(errs...)
}

// muster writes down who let the fans come, and whose figures are worth nothing.
func (r *runner) muster(run *record.Run) {
	run.Verdict.Invalid = append(run.Verdict.Invalid, r.lost...)
	if r.unknown > 0 {
		run.Outcomes["unknown"] = r.unknown
	}
	if len(r.o.Agents) == 0 {
		return
	}
	run.Environment.Agents = len(r.agents)
	for i, a := range r.agents {
		f := a.Facts()
		f.Fans, f.Starts = int64(sizeOf(r.s.Fans, i, len(r.agents))), r.record.StartsOf(i)
		run.Agents = append(run.Agents, f)
		if f.Saturated() {
			run.Verdict.Invalid = append(run.Verdict.Invalid, fmt.Sprintf("%s was saturated: %d of its %d fans came late, the latest by %v",
				f.Name, f.Starts.Late, f.Fans, time.Duration(f.Starts.Latest*float64(time.Second)).Round(time.Millisecond)))
		}
		if unsure := time.Duration(f.Unsure * float64(time.Second)); unsure > record.LateAfter {
			run.Verdict.Invalid = append(run.Verdict.Invalid, fmt.Sprintf("the clock of %s is known to ±%v only, at most ±%v is allowed",
				f.Name, unsure.Round(10*time.Microsecond), record.LateAfter))
		}
	}
}
