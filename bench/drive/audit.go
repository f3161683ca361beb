package drive

import (
	"context"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/bench/record"
	"github.com/catraca/catraca/transport/wire"
)

// books is everything that the fans' journals are held against.
type books struct {
	ledger   wire.Ledger
	provider *bench.Provider // nil: not known
}

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

// settled asks for the books until they agree with the provider's and the fans', as long as that may take, and returns
// what the last audit found. The error says that none could be made.
func (r *runner) settled(ctx context.Context) (a record.Audit, err error) {
	journals := journals(r.fates)[""]
	until := time.Now().Add(r.o.Settle)
	for {
		var b books
		if b, err = r.fetch(ctx); err == nil {
			a = bench.Checks(journals, b.ledger, b.provider)
			if len(a.Findings) == 0 {
				return a, nil
			}
		}
		if time.Now().After(until) || !pause(ctx, 500*time.Millisecond) {
			return a, err
		}
	}
}

func (r *runner) fetch(ctx context.Context) (b books, err error) {
	if b.ledger, err = bench.FetchLedger(ctx, r.api.http, r.o.Base, r.event, r.o.Token); err != nil || r.pay == nil {
		return b, err
	}
	p, err := bench.FetchProvider(ctx, r.pay.api.http, r.pay.api.base, r.pay.api.token)
	b.provider = &p
	return b, err
}

// granted is what bots were granted, at most twenty times.
func granted(bots []*bot) []string {
	var found []string
	for _, b := range bots {
		found = append(found, b.got...)
	}
	return found[:min(len(found), 20)]
}
