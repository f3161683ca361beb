package main

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/transport/wire"
)

// clusterPath of the API, on the operator address.
const clusterPath = "/api/v1/admin/cluster"

func clusterCommand(env environment) *cobra.Command {
	return group(env, &cobra.Command{
		Use:   "cluster",
		Short: "See the nodes, let new ones in, drain, move and recover",
		Long: "Looks after the nodes of a cluster. The first node founds it by starting on an empty folder; every other one is\n" +
			"let in by an invitation, which a member writes. All but join and recover ask a running node, any one will do.",
		Example: "  catraca cluster status --config catraca.yaml\n" +
			"  catraca cluster invite n2 --config catraca.yaml           on a member; prints an invitation\n" +
			"  catraca cluster join INVITATION --config catraca.yaml     on the new node, before its first start\n" +
			"  catraca cluster drain n2 --config catraca.yaml            before maintenance; --undo afterwards",
	},
		clusterStatusCommand(env), clusterInviteCommand(env), clusterJoinCommand(env), clusterDrainCommand(env),
		clusterLeaveCommand(env), clusterTransferCommand(env), clusterRebalanceCommand(env), clusterRecoverCommand(env),
	)
}

func clusterInviteCommand(env environment) *cobra.Command {
	var out output
	var role string
	var ttl time.Duration
	var addresses []string
	r := &remote{}
	c := &cobra.Command{
		Use: "invite NODE", Short: "Write an invitation, by which one new node gets in once", Args: exactly("NODE"),
		Long: "Prints one word that lets a node of this name in: it brings the node its certificate, the addresses of the others\n" +
			"and the secrets of the house. It is good once, for a quarter of an hour, and only while the node that wrote it runs.\n" +
			"Carry it as you would carry a password. A node whose disk was lost is invited again under its old name." + remoteHelp,
		Example: "  catraca cluster invite n2 --config catraca.yaml\n" +
			"  catraca cluster invite g1 --role gateway --ttl 1h --config catraca.yaml\n" +
			"  catraca cluster invite n2 --config catraca.yaml | ssh n2 catraca cluster join - --config catraca.yaml",
		RunE: func(c *cobra.Command, args []string) error {
			asJSON, err := out.json(c)
			if err != nil {
				return err
			}
			if role != "voter" && role != "gateway" {
				return wrong(c, "--role %q, allowed are voter and gateway", role)
			}
			if ttl < time.Second || ttl > 24*time.Hour {
				return wrong(c, "--ttl %s, allowed are 1s to 24h", ttl)
			}
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			body := map[string]any{"node": args[0], "role": role, "ttl_seconds": int64(ttl / time.Second)}
			if len(addresses) > 0 {
				body["addresses"] = addresses
			}
			var v wire.Invitation
			raw, err := api.post(c.Context(), clusterPath+"/invitations", body, &v)
			if err != nil {
				return err
			}
			if asJSON {
				return writeRaw(env.stdout, raw)
			}
			env.say("For node %s as a %s, once, until %s. On %s, before its first start:\n  catraca cluster join INVITATION --config catraca.yaml",
				v.Node, v.Role, time.UnixMilli(int64(v.Expires)).UTC().Format("15:04:05 UTC"), v.Node)
			_, err = fmt.Fprintln(env.stdout, v.Invitation)
			return err
		},
	}
	c.Flags().StringVar(&role, "role", "voter", "voter, or gateway: never votes and cannot invite")
	c.Flags().DurationVar(&ttl, "ttl", 15*time.Minute, "how long it is good, 1s to 24h")
	c.Flags().StringSliceVar(&addresses, "address", nil, "where the new node shall come to, host:port, instead of what the node says of itself")
	r.flags(c)
	out.flag(c)
	return c
}

func clusterDrainCommand(env environment) *cobra.Command {
	undo := false
	r := &remote{}
	c := &cobra.Command{
		Use: "drain NODE", Short: "Move leaderships and fans away from a node, which goes on running",
		Long: "The node is no longer ready, hands over every shard it leads, and sends its fans to other nodes in waves. It keeps\n" +
			"its copies and its votes, and stays drained over restarts until --undo." + remoteHelp,
		Example: "  catraca cluster drain n2 --config catraca.yaml\n  catraca cluster drain n2 --undo --config catraca.yaml",
		Args:    exactly("NODE"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			if _, err := api.post(c.Context(), nodePath(args[0], "drain"), map[string]any{"undo": undo}, nil); err != nil {
				return err
			}
			if undo {
				env.say("%s serves again", args[0])
				return nil
			}
			env.say("%s leads nothing any more; its fans go to other nodes now", args[0])
			return nil
		},
	}
	c.Flags().BoolVar(&undo, "undo", false, "let the node serve again")
	r.flags(c)
	return c
}

func nodePath(name, verb string) string {
	return clusterPath + "/nodes/" + url.PathEscape(name) + "/" + verb
}

func clusterLeaveCommand(env environment) *cobra.Command {
	yes := false
	r := &remote{}
	c := &cobra.Command{
		Use: "leave NODE", Short: "Take a node out of the cluster for good",
		Long: "Its votes go to others, its copies count no more, and its name is refused from then on. For maintenance or a lost\n" +
			"disk, drain it or just stop it instead." + remoteHelp,
		Example: "  catraca cluster leave n4 --config catraca.yaml", Args: exactly("NODE"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			if sure, err := env.confirm(yes, fmt.Sprintf("Take %s out of the cluster for good? No node of that name can come back.", args[0])); err != nil || !sure {
				env.say("nothing was changed")
				return err
			}
			if _, err := api.post(c.Context(), nodePath(args[0], "leave"), map[string]any{}, nil); err != nil {
				return err
			}
			env.say("%s has left; stop its process now", args[0])
			return nil
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	r.flags(c)
	return c
}

func clusterTransferCommand(env environment) *cobra.Command {
	r := &remote{}
	c := &cobra.Command{
		Use: "transfer SHARD [NODE]", Short: "Hand one shard to another leader", Long: "Hands one shard to the node, or to any other that votes in it." + remoteHelp,
		Example: "  catraca cluster transfer 3 n2 --config catraca.yaml",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return exactly("SHARD")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			shard, err := strconv.ParseUint(args[0], 10, 8)
			if err != nil {
				return wrong(c, "SHARD %q, allowed are the numbers that `catraca cluster status` shows", args[0])
			}
			body, to := map[string]any{}, "another leader"
			if len(args) == 2 {
				body["to"], to = args[1], args[1]+" as its leader"
			}
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			path := clusterPath + "/shards/" + strconv.FormatUint(shard, 10) + "/transfer"
			if _, err := api.post(c.Context(), path, body, nil); err != nil {
				return err
			}
			env.say("shard %d has %s", shard, to)
			return nil
		},
	}
	r.flags(c)
	return c
}

func clusterRebalanceCommand(env environment) *cobra.Command {
	r := &remote{}
	c := &cobra.Command{
		Use: "rebalance", Short: "Spread the leaderships evenly now", Example: "  catraca cluster rebalance --config catraca.yaml",
		Long: "The nodes do it by themselves, one shard at a time with pauses; this leaves the pauses out." + remoteHelp, Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			if _, err := api.post(c.Context(), clusterPath+"/rebalance", map[string]any{}, nil); err != nil {
				return err
			}
			env.say("the leaderships are being spread; `catraca cluster status` shows how far it is")
			return nil
		},
	}
	r.flags(c)
	return c
}
