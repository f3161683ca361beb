package drive

import (
	"context"
	"slices"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/bench/record"
)

// audit holds the fans' journals against the servers' books, when what is on its way has come to its end.
func (r *runner) audit(ctx context.Context, run *record.Run, bots []*bot) {
	if r.pay != nil {
		if err := r.pay.mend(ctx); err != nil {
			r.o.Say("the sandbox is left as it is: %v", err)
		}
	}
	r.o.Say("waiting until money and tickets have settled")
	found, err := r.settled(ctx)
	if err != nil {
		r.o.Say("the audit could not be made: %v", err)
		run.Verdict.Invalid = append(run.Verdict.Invalid, "the audit could not be made: "+err.Error())
		run.Audit.Findings = []string{}
		return
	}
	run.Audit = found
	if len(bots) > 0 {
		list := granted(bots)
		run.Audit.Checks = append(run.Audit.Checks, record.Check{Name: "nothing without standing in line", Held: len(list) == 0})
		run.Audit.Findings = append(run.Audit.Findings, list...)
	}
}

// How long findings that nothing can heal any more have to stay as they are before they are believed: an answer may still
// be on its way, and of several nodes the one that is asked may lag behind.
const (
	quiet       = 10 * time.Second
	quietOfMany = 30 * time.Second
)

// settled asks for the books until they agree with the provider's and the fans', as long as that may take, and returns
// what the last audit found. What is broken for good is not waited for. The error says that none could be made.
func (r *runner) settled(ctx context.Context) (a record.Audit, err error) {
	e := &bench.Evidence{Event: r.event, Journals: journals(r.fates)[""]}
	still := quiet
	if len(r.o.Operators) > 1 {
		still = quietOfMany
	}
	if r.o.Keep != nil {
		defer func() {
			if err == nil {
				r.o.Keep(e)
			}
		}()
	}
	var before []string
	since, until := time.Now(), time.Now().Add(r.o.Settle)
	for {
		if err = r.fetch(ctx, e); err == nil {
			var final int
			if a, final = e.Checks(); len(a.Findings) == 0 {
				return a, nil
			}
			if final == 0 || !slices.Equal(before, a.Findings) {
				before, since = a.Findings, time.Now()
			}
			if time.Since(since) >= still {
				return a, nil
			}
		}
		if time.Now().After(until) || !pause(ctx, 500*time.Millisecond) {
			return a, err
		}
	}
}

// fetch reads what the servers and the provider have in their books.
func (r *runner) fetch(ctx context.Context, e *bench.Evidence) (err error) {
	e.Taken = time.Now()
	if e.Books, err = bench.FetchLedger(ctx, r.api.http, r.o.Base, r.event, r.o.Token); err != nil || r.pay == nil {
		return err
	}
	p, err := bench.FetchProvider(ctx, r.pay.api.http, r.pay.api.base, r.pay.api.token)
	e.Provider = &p
	return err
}

// granted is what bots were granted, at most twenty times.
func granted(bots []*bot) []string {
	var found []string
	for _, b := range bots {
		found = append(found, b.got...)
	}
	return found[:min(len(found), 20)]
}
