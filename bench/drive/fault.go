package drive

import (
	"context"
	"fmt"
	"time"

	"github.com/catraca/catraca/bench/scenario"
)

// trouble breaks what the scenario wants broken, each when it is due, and heals it. What is not healed when the context
// ends is healed then.
func (r *runner) trouble(ctx context.Context) {
	var all group
	for _, f := range r.s.Faults {
		all.goes(func() {
			if !pause(ctx, time.Until(r.began.Add(f.At))) {
				return
			}
			what, heal, err := r.strike(ctx, f)
			if err != nil {
				r.o.Say("fault %s: %v", f.Kind, err)
				r.record.Mark("failure", fmt.Sprintf("fault %s: %v", f.Kind, err))
			} else {
				r.record.Mark("fault", what)
				r.o.Say("fault: %s", what)
			}
			if heal == nil {
				return
			}
			if f.For > 0 {
				pause(ctx, f.For)
			} else {
				<-ctx.Done()
			}
			after, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			if err := heal(after); err != nil {
				r.o.Say("heal %s: %v", f.Kind, err)
				r.record.Mark("failure", fmt.Sprintf("heal %s: %v", f.Kind, err))
				return
			}
			r.record.Mark("heal", f.Kind+" is over")
		})
	}
	all.wait()
}

// strike does one fault. It says what it did, and returns what ends it; nil: nothing has to.
func (r *runner) strike(ctx context.Context, f scenario.Fault) (what string, heal func(context.Context) error, err error) {
	node := f.Node
	switch f.Kind {
	case "kill", "freeze", "drain":
		if node == "" {
			if node, err = r.o.Servers.Leader(ctx); err != nil {
				return "", nil, err
			}
		}
	case "cut-sockets":
		n, err := r.cut(ctx)
		return fmt.Sprintf("%d live sockets were cut", n), nil, err
	}
	switch f.Kind {
	case "kill":
		heal = func(ctx context.Context) error { return r.o.Servers.Start(ctx, node) }
		return node + " was killed", heal, r.o.Servers.Kill(ctx, node)
	case "freeze":
		heal = func(ctx context.Context) error { return r.o.Servers.Freeze(ctx, node, false) }
		return node + " was frozen", heal, r.o.Servers.Freeze(ctx, node, true)
	case "drain":
		heal = func(ctx context.Context) error { return r.o.Servers.Drain(ctx, node, false) }
		return node + " drains", heal, r.o.Servers.Drain(ctx, node, true)
	default:
		heal, err = r.pay.fail(ctx, f)
		return f.Kind, heal, err
	}
}
