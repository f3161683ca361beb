package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/transport/pay/sandbox"
	"github.com/catraca/catraca/transport/wire"
)

// readings of a ledger before it is called restless: a sale that goes on changes between its pages.
const readings = 5

// maxProviderLedger bounds the provider's books in bytes.
const maxProviderLedger = 1 << 30

func verifyLedgerCommand(env environment) *cobra.Command {
	var out output
	var event, provider, keyFile string
	r := &remote{}
	c := &cobra.Command{
		Use:   "ledger EVENT",
		Short: "Recount the places, money and tickets of a sale, and compare them with the payment provider's books",
		Long: "Reads every order of a sale and recounts from them who owns which place, what was paid, and which tickets are\n" +
			"valid. With the books of the sandbox payment server it also proves that every capture has its tickets or its\n" +
			"refund, to the cent. Exit code 0: clean, 1: not." + remoteHelp,
		Example: "  catraca verify ledger noite-aurora --config catraca.yaml\n" +
			"  catraca verify ledger noite-aurora --config catraca.yaml --provider-ledger http://127.0.0.1:8090/_sandbox/ledger",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			asJSON, err := out.json(c)
			if err != nil {
				return err
			}
			if len(args) == 1 && event == "" {
				event = args[0]
			} else if len(args) == 1 || event == "" {
				return wrong(c, "EVENT is needed, once")
			}
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			b, restless, err := readBooks(c.Context(), api, event)
			if err != nil {
				return about(event, err)
			}
			if provider != "" {
				if keyFile == "" {
					keyFile = api.providerKey
				}
				if b.provider, err = readProvider(c.Context(), provider, keyFile); err != nil {
					return err
				}
			}
			return judgeBooks(env, b, restless, asJSON)
		},
	}
	f := c.Flags()
	f.StringVar(&event, "event", "", "the event, instead of the argument")
	f.StringVar(&provider, "provider-ledger", "", "books of the sandbox payment server: a file or its /_sandbox/ledger")
	f.StringVar(&keyFile, "provider-key-file", "", "file with the secret key that an address of --provider-ledger asks for; --config names it too")
	r.flags(c)
	out.flag(c)
	return c
}

// readBooks reads all pages of one moment. Restless says that the sale went on meanwhile, so they are of several.
func readBooks(ctx context.Context, api *client, slug string) (b *books, restless bool, err error) {
	b = &books{areas: map[uint32]uint32{}}
	var e wire.Event
	if _, err := api.get(ctx, "/api/v1/events/"+url.PathEscape(slug), &e); err != nil {
		return nil, false, err
	}
	var plan struct {
		Seats struct{ X []int32 }
		Areas []struct{ Unit, Capacity uint32 }
	}
	if _, err := api.get(ctx, e.PlanURL, &plan); err != nil {
		return nil, false, err
	}
	b.seats = uint32(len(plan.Seats.X))
	for _, a := range plan.Areas {
		b.areas[a.Unit] = a.Capacity
	}
	for range readings {
		if restless, err = readLedger(ctx, api, slug, b); err != nil || !restless {
			break
		}
		if !pause(ctx, 200*time.Millisecond) {
			return nil, false, ctx.Err()
		}
	}
	return b, restless, err
}

func readLedger(ctx context.Context, api *client, slug string, b *books) (restless bool, err error) {
	path := "/api/v1/admin/events/" + url.PathEscape(slug) + "/ledger"
	b.ledger = wire.Ledger{}
	if _, err := api.get(ctx, path, &b.ledger); err != nil {
		return false, err
	}
	for next := b.ledger.Next; next != nil; {
		var page wire.Ledger
		if _, err := api.get(ctx, path+"?cursor="+url.QueryEscape(*next), &page); err != nil {
			return false, err
		}
		restless = restless || page.Index != b.ledger.Index
		b.ledger.Rows = append(b.ledger.Rows, page.Rows...)
		next = page.Next
	}
	return restless, nil
}

// readProvider reads the sandbox's ledger from a file, or from its address with its key.
func readProvider(ctx context.Context, from, keyFile string) (*sandbox.Ledger, error) {
	var data []byte
	var err error
	if keyFile == "" || !isAddress(from) {
		data, err = fetch(ctx, from, maxProviderLedger)
	} else {
		data, err = fetchWithKey(ctx, from, keyFile)
	}
	if err != nil {
		return nil, fmt.Errorf("read --provider-ledger: %w", err)
	}
	l := &sandbox.Ledger{}
	if err := json.Unmarshal(data, l); err != nil {
		return nil, fmt.Errorf("read --provider-ledger: %w", err)
	}
	if l.Totals == nil {
		return nil, errors.New("read --provider-ledger: it has no totals, so it is no ledger of the sandbox")
	}
	return l, nil
}

func fetchWithKey(ctx context.Context, from, keyFile string) ([]byte, error) {
	key, err := readToken(keyFile)
	if err != nil {
		return nil, err
	}
	return fetchAddress(ctx, from, key, maxProviderLedger)
}

// verdict is the answer about a sale's books.
type verdict struct {
	Event    string               `json:"event"`
	Clean    bool                 `json:"clean"`
	Restless bool                 `json:"restless"` // the sale went on while it was read
	Index    uint64               `json:"index"`
	At       wire.Time            `json:"at"`
	Checks   []check              `json:"checks"`
	Ledger   wire.Ledger          `json:"ledger"` // without its rows
	Provider *sandbox.LedgerTotal `json:"provider,omitempty"`
}

// judgeBooks audits and answers. Books that are not clean end the command with exit code 1.
func judgeBooks(env environment, b *books, restless, asJSON bool) error {
	v := verdict{
		Event: b.ledger.Event, Clean: true, Restless: restless, Index: b.ledger.Index, At: b.ledger.At, Checks: audit(b), Ledger: b.ledger,
	}
	v.Ledger.Rows, v.Ledger.Next = []wire.LedgerRow{}, nil
	for i := range v.Checks {
		c := &v.Checks[i]
		v.Clean = v.Clean && len(c.Defects) == 0
		slices.SortFunc(c.Defects, cmp.Compare[string])
		if c.Defects == nil {
			c.Defects = []string{}
		}
	}
	v.Clean = v.Clean && !restless
	if b.provider != nil {
		t := b.providerTotal()
		v.Provider = &t
	}
	show := showVerdict
	if asJSON {
		show = func(env environment, v *verdict) error { return writeJSON(env.stdout, v) }
	}
	if err := show(env, &v); err != nil {
		return err
	}
	if !v.Clean {
		return errSaid
	}
	return nil
}

// providerTotal sums the provider's payments of this sale.
func (b *books) providerTotal() sandbox.LedgerTotal {
	var t sandbox.LedgerTotal
	for _, l := range b.ours() {
		t.Payments++
		t.Authorized += l.Authorized
		t.Captured += l.Captured
		t.Refunded += l.Refunded
		t.Pending += l.Pending
	}
	t.Net = t.Captured - t.Refunded - t.Pending
	return t
}
