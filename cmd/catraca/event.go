package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/transport/pass"
	"github.com/catraca/catraca/transport/wire"
)

func eventCommand(env environment) *cobra.Command {
	r := &remote{}
	c := group(env, &cobra.Command{
		Use:   "event",
		Short: "Put events on sale and steer their sales",
		Long:  "Puts events on sale and steers their sales." + remoteHelp,
		Example: "  catraca event apply aurora.yaml --dry-run\n" +
			"  catraca event apply aurora.yaml --config /etc/catraca/catraca.yaml\n" +
			"  catraca event pause noite-aurora --reason 'The bank is slow; your place is kept.'",
	},
		eventApplyCommand(env, r), eventListCommand(env, r), eventShowCommand(env, r),
		steerCommand(env, r, steering{
			name: "open", short: "Open a sale now, before its time",
			example: "  catraca event open noite-aurora",
		}),
		pauseCommand(env, r),
		steerCommand(env, r, steering{
			name: "resume", short: "Let a paused sale go on",
			example: "  catraca event resume noite-aurora",
		}),
		rateCommand(env, r), messageCommand(env, r),
		steerCommand(env, r, steering{
			name: "close", short: "Close a sale for good; places and payments that are under way go on",
			example:  "  catraca event close noite-aurora\n  catraca event close noite-aurora --yes",
			question: "Close the sale of %s for good? It cannot be opened again.",
		}),
	)
	r.flags(c)
	return c
}

func eventListCommand(env environment, r *remote) *cobra.Command {
	var out output
	c := &cobra.Command{
		Use: "list", Short: "Show all events", Args: exactly(),
		Example: "  catraca event list --config catraca.yaml\n  catraca event list --server https://shop.example.com --token-file token --output json",
		RunE: func(c *cobra.Command, _ []string) error {
			asJSON, err := out.json(c)
			if err != nil {
				return err
			}
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			var list wire.List[wire.Event]
			raw, err := api.get(c.Context(), "/api/v1/admin/events", &list)
			if err != nil {
				return err
			}
			if asJSON {
				return writeRaw(env.stdout, raw)
			}
			rows := [][]string{{"EVENT", "PHASE", "OPENS", "FREE", "HELD", "SOLD", "NAME"}}
			for _, e := range list.Items {
				free, held, sold := stock(e)
				rows = append(rows, []string{e.Slug, phase(e), local(e.OpensAt, e.TimeZone), thousands(free), thousands(held), thousands(sold), e.Name})
			}
			return table(env.stdout, rows)
		},
	}
	out.flag(c)
	return c
}

func eventShowCommand(env environment, r *remote) *cobra.Command {
	var out output
	c := &cobra.Command{
		Use: "show EVENT", Short: "Show one event and how its sale goes", Args: exactly("EVENT"),
		Example: "  catraca event show noite-aurora --config catraca.yaml",
		RunE: func(c *cobra.Command, args []string) error {
			asJSON, err := out.json(c)
			if err != nil {
				return err
			}
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			var e wire.Event
			raw, err := api.get(c.Context(), "/api/v1/events/"+url.PathEscape(args[0]), &e)
			if err != nil {
				return about(args[0], err)
			}
			if asJSON {
				return writeRaw(env.stdout, raw)
			}
			return showEvent(env, e)
		},
	}
	out.flag(c)
	return c
}

func showEvent(env environment, e wire.Event) error {
	err := facts(env.stdout,
		"event", e.Slug, "name", e.Name, "venue", e.Venue, "phase", phase(e), "pause", e.PauseReason, "message", e.Message,
		"lobby opens", local(e.LobbyAt, e.TimeZone), "opens", local(e.OpensAt, e.TimeZone),
		"closes", local(e.ClosesAt, e.TimeZone), "starts", local(e.StartsAt, e.TimeZone),
		"limits", fmt.Sprintf("%d places in one purchase, %d of one person", e.Limits.PerHold, e.Limits.PerAccount),
		"policy", e.PolicyHash,
	)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(env.stdout); err != nil {
		return err
	}
	rows := [][]string{{"CATEGORY", "PRICE", "FEE", "CAPACITY", "FREE", "HELD", "SOLD"}}
	for _, k := range e.Categories {
		rows = append(rows, []string{
			k.Name, amount(k.Price), amount(k.Fee), thousands(k.Capacity), thousands(k.Free), thousands(k.Held), thousands(k.Sold),
		})
	}
	return table(env.stdout, rows)
}

func phase(e wire.Event) string {
	if e.Rehearsal {
		return e.Phase + " (rehearsal)"
	}
	return e.Phase
}

func stock(e wire.Event) (free, held, sold uint32) {
	for _, k := range e.Categories {
		free, held, sold = free+k.Free, held+k.Held, sold+k.Sold
	}
	return free, held, sold
}

func amount(m wire.Money) string { return pass.FormatMoney(m.Amount, m.Currency, pass.English) }

// local writes an instant as the clock at the venue shows it.
func local(t wire.Time, zone string) string {
	if t == 0 {
		return ""
	}
	at := time.UnixMilli(int64(t)).UTC()
	if l, err := time.LoadLocation(zone); err == nil {
		at = at.In(l)
	}
	return at.Format("2006-01-02 15:04:05 -07:00")
}

// about names the event that was not found.
func about(slug string, err error) error {
	if isRefused(err, wire.NotFound) {
		return fmt.Errorf("there is no event %s; `catraca event list` shows all", strconv.Quote(slug))
	}
	return err
}

// steer posts to one event and shows how it is afterwards.
func steer(ctx context.Context, env environment, api *client, slug, verb string, body any, asJSON bool) error {
	var e wire.Event
	raw, err := api.post(ctx, "/api/v1/admin/events/"+url.PathEscape(slug)+"/"+verb, body, &e)
	if err != nil {
		return about(slug, err)
	}
	if asJSON {
		return writeRaw(env.stdout, raw)
	}
	_, err = fmt.Fprintf(env.stdout, "%s: %s\n", e.Slug, phase(e))
	return err
}
