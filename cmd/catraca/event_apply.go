package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/config/eventfile"
	"github.com/catraca/catraca/transport/seating"
	"github.com/catraca/catraca/transport/wire"
)

// maxPlan of a seating plan's file in bytes: with the event file it has to fit what the server takes.
const maxPlan = 11 << 20

// applied is the answer to applying an event file.
type applied struct {
	Event  *wire.Event     `json:"event,omitempty"` // not in a dry run
	Import *seating.Report `json:"import"`          // null without a plan
}

func eventApplyCommand(env environment, r *remote) *cobra.Command {
	var out output
	dry := false
	c := &cobra.Command{
		Use:   "apply FILE",
		Short: "Put an event file on sale, or only check it",
		Long: "Reads an event file (YAML or JSON, described in docs/EVENT-FILE.md) and the seating plan beside it, checks\n" +
			"both here, and sends them to the server. Every mistake is told at once. Applying the same file again changes\n" +
			"nothing; a sale that exists is not changed by another file.",
		Example: "  catraca event apply aurora.yaml --dry-run\n  catraca event apply aurora.yaml --config catraca.yaml",
		Args:    exactly("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			asJSON, err := out.json(c)
			if err != nil {
				return err
			}
			bundle, cfg, report, err := readEvent(args[0])
			if err != nil {
				return err
			}
			warn(env, report)
			if dry {
				return showApplied(env, cfg, applied{Import: report}, asJSON, nil)
			}
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			body, err := json.Marshal(bundle)
			if err != nil {
				return fmt.Errorf("encode event file: %w", err)
			}
			var a applied
			raw, err := api.call(c.Context(), "POST", "/api/v1/admin/events", eventfile.BundleType, body, &a)
			if err != nil {
				return err
			}
			return showApplied(env, cfg, a, asJSON, raw)
		},
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "only check the file and its plan; no server is asked")
	out.flag(c)
	return c
}

// readEvent reads an event file and the plan it names, and makes the sale of them as the server will.
func readEvent(path string) (eventfile.Bundle, *sale.Config, *seating.Report, error) {
	var b eventfile.Bundle
	data, err := readBounded(path, maxPlan)
	if err != nil {
		return b, nil, nil, fmt.Errorf("read event file: %w", err)
	}
	b = eventfile.Bundle{Name: filepath.Base(path), File: string(data)}
	f, err := eventfile.Parse(path, data)
	if err != nil {
		return b, nil, nil, err
	}
	if f.Plan != "" {
		plan, err := readBounded(filepath.Join(filepath.Dir(path), f.Plan), maxPlan)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return b, nil, nil, fmt.Errorf("read seating plan: %w", err)
		}
		b.Plan = plan // nil when there is no such file: then it is a built-in one, or the event file is refused
	}
	cfg, report, err := f.Config(time.Now(), b.Plan)
	return b, cfg, report, err
}

func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return data, err
}

// warn tells what the importer found odd and took anyway.
func warn(env environment, report *seating.Report) {
	if report == nil {
		return
	}
	for _, d := range report.Defects {
		env.say("warning: plan: %s", d)
	}
}

func showApplied(env environment, cfg *sale.Config, a applied, asJSON bool, raw []byte) error {
	switch {
	case asJSON && raw != nil:
		return writeRaw(env.stdout, raw)
	case asJSON:
		return writeJSON(env.stdout, a)
	}
	pairs := []string{"event", cfg.Slug}
	if a.Event != nil {
		pairs = append(pairs, "phase", phase(*a.Event), "page", "/e/"+a.Event.Slug, "policy", a.Event.PolicyHash)
	}
	places := uint64(len(cfg.Plan.Seats))
	for _, area := range cfg.Plan.Areas {
		places += uint64(area.Capacity)
	}
	pairs = append(pairs, "places", fmt.Sprintf("%s: %s seats in %s rows, and %s areas",
		thousands(places), thousands(len(cfg.Plan.Seats)), thousands(len(cfg.Plan.Rows)), thousands(len(cfg.Plan.Areas))))
	if a.Import != nil {
		pairs = append(pairs, "plan", a.Import.Format)
		if a.Import.Rekeyed > 0 {
			pairs = append(pairs, "re-keyed", thousands(a.Import.Rekeyed)+" places whose id stood in the plan more than once")
		}
	}
	if a.Event == nil {
		pairs = append(pairs, "valid", "yes; nothing was changed")
	}
	return facts(env.stdout, pairs...)
}
