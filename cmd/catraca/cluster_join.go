package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/cluster/pki"
	"github.com/catraca/catraca/config"
)

func clusterJoinCommand(env environment) *cobra.Command {
	var f configFlags
	c := &cobra.Command{
		Use: "join INVITATION", Short: "Get this node let into a cluster, before its first start",
		Long: "Goes to the node that wrote the invitation and gets this node's certificate, the addresses of the others and the\n" +
			"secrets of the house. The next start of the node then gets all data from the others. - reads the invitation from\n" +
			"standard input, where it shows up in no list of processes.",
		Example: "  catraca cluster join catraca1.eyJ… --config catraca.yaml\n  catraca cluster join - --config catraca.yaml < invitation",
		Args:    exactly("INVITATION"),
		RunE: func(c *cobra.Command, args []string) error {
			text := args[0]
			if text == "-" {
				b, err := io.ReadAll(io.LimitReader(env.stdin, 4096))
				if err != nil {
					return fmt.Errorf("read invitation: %w", err)
				}
				text = string(b)
			}
			v, err := pki.ParseInvitation(strings.TrimSpace(text))
			if err != nil {
				return &usageError{err}
			}
			l, err := f.load(c, env)
			if err != nil {
				return err
			}
			return join(c.Context(), env, l.Config, v)
		},
	}
	f.flags(c)
	return c
}

// join does everything that comes before the first start. What was cut short can be done again.
func join(ctx context.Context, env environment, cfg config.Config, v *pki.Invitation) error {
	if cfg.Cluster.Role != string(v.Role) {
		return fmt.Errorf("the invitation is for a %s, and cluster.role is %s", v.Role, cfg.Cluster.Role)
	}
	if entries, err := os.ReadDir(raftDir(cfg)); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s holds the data of a cluster already: a new node joins with an empty folder. If this node has founded one by mistake, move %s away", raftDir(cfg), cfg.Node.Data)
	}
	if err := os.MkdirAll(cfg.Node.Data, 0o700); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	j, err := pki.Join(ctx, pki.Options{Dir: pkiDir(cfg), Name: cfg.Node.ID}, v)
	if err != nil {
		return err
	}
	var w welcome
	if err := json.Unmarshal(j.Welcome, &w); err != nil || w.Cluster == "" || len(w.Seeds) == 0 {
		return errors.New("join: the welcome is not what was expected; are both nodes of the same version?")
	}
	if w.Shards != cfg.Cluster.Shards {
		return fmt.Errorf("the cluster has %d shards: set cluster.shards to that, and join with a new invitation", w.Shards)
	}
	if err := w.keep(cfg); err != nil {
		return err
	}
	if err := j.Keep(pkiDir(cfg)); err != nil { // last: from here on the node is a member
		return err
	}
	env.say("%s is let into cluster %s as a %s, by %s. Start it, and it gets everything from the others:\n  catraca serve --config catraca.yaml",
		cfg.Node.ID, w.Cluster, v.Role, j.From)
	return nil
}
