package drive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/catraca/catraca/bench"
	"github.com/catraca/catraca/transport/wire"
)

// bot is a program that asks for places without standing in line. Nothing it does may be granted.
type bot struct {
	r      *runner
	name   string
	token  string // of a fan of its own; empty: of nobody
	every  time.Duration
	random *rand.Rand
	client *http.Client

	got []string // what it was granted: breaches
}

// bots makes the scenario's bots. Half of them have accounts, which never joined.
func (r *runner) bots() []*bot {
	var all []*bot
	client := bench.NewClient(64)
	for i := range r.s.Bots.Count {
		b := &bot{
			r: r, name: fmt.Sprintf("bot %d", i+1), every: r.s.Bots.Every, client: client,
			random: rand.New(rand.NewPCG(r.o.Seed, uint64(1<<32+i))), //nolint:gosec // repeatable
		}
		if i < len(r.extra) {
			b.token = r.extra[i].Token
		}
		all = append(all, b)
	}
	return all
}

// run tries until the context ends.
func (b *bot) run(ctx context.Context) {
	seen := &observer{b.r.record, ""}
	for pause(ctx, b.every/2+time.Duration(b.random.Int64N(int64(b.every)))) {
		started := time.Now()
		what, err := b.try(ctx)
		if ctx.Err() != nil {
			return
		}
		var no *refusedError
		switch {
		case err == nil:
			seen.Done("bot", started, started, time.Now(), "")
			if len(b.got) < 10 {
				b.got = append(b.got, fmt.Sprintf("%s was granted %s without standing in line", b.name, what))
			}
		case errors.As(err, &no):
			seen.Done("bot", started, started, time.Now(), string(no.problem.Code))
		default:
			seen.Done("bot", started, started, time.Now(), "lost")
		}
	}
}

// try asks for something that only a shopper may have.
func (b *bot) try(ctx context.Context) (what string, err error) {
	api := &caller{base: b.r.o.Base, token: b.token, http: b.client}
	at := "/api/v1/events/" + url.PathEscape(b.r.event)
	if b.random.IntN(3) == 0 {
		return "a turn", api.once(ctx, http.MethodPost, at+"/admission", "application/json", b.key(), []byte("{}"), nil)
	}
	in, err := json.Marshal(wire.HoldRequest{Best: &wire.BestRequest{Quantity: 1 + b.random.Uint32N(4), Scatter: true}})
	if err != nil {
		return "", err
	}
	return "places", api.once(ctx, http.MethodPost, at+"/holds", "application/json", b.key(), in, nil)
}

func (b *bot) key() string { return fmt.Sprintf("%016x%016x", b.random.Uint64(), b.random.Uint64()) }
