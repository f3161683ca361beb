package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build is what this binary is made of.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // of the sources; empty when they were not under version control
	Modified bool   `json:"modified"` // sources were changed after that
	Time     string `json:"time"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readBuild() build {
	b := build{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		case "vcs.time":
			b.Time = s.Value
		}
	}
	return b
}

func versionCommand(env environment) *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:     "version",
		Short:   "Show what this binary is",
		Example: "  catraca version\n  catraca version --output json",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			b := readBuild()
			asJSON, err := out.json(c)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(env.stdout, b)
			}
			revision := b.Revision
			if len(revision) > 12 {
				revision = revision[:12]
			}
			if b.Modified {
				revision += " with changes"
			}
			if _, err := fmt.Fprintln(env.stdout, "catraca "+b.Version); err != nil {
				return err
			}
			return facts(env.stdout, "revision", revision, "of", b.Time, "go", b.Go, "platform", b.Platform)
		},
	}
	out.flag(c)
	return c
}
