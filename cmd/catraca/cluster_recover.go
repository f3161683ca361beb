package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/cluster"
	"github.com/catraca/catraca/config"
	"github.com/catraca/catraca/storage"
)

func clusterRecoverCommand(env environment) *cobra.Command {
	var f configFlags
	yes := false
	c := &cobra.Command{
		Use: "recover", Short: "Go on with this node alone, after the majority was lost for good",
		Long: "For when so many nodes are lost for good that shards have no majority any more. It works on the stopped node's own\n" +
			"folder, which is copied first, and makes it the only voter everywhere. Choose the survivor that has the most\n" +
			"(`catraca cluster status` on each shows ENTRIES). What only the lost nodes had is lost: then compare with the\n" +
			"payment provider by `catraca verify ledger`. The other nodes must not be started with their old data again; they are\n" +
			"invited anew.",
		Example: "  catraca cluster recover --config catraca.yaml", Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := f.load(c, env)
			if err != nil {
				return err
			}
			if !yes && !env.asking {
				return wrong(c, "--yes is needed where nobody can be asked")
			}
			if !yes {
				sure, err := env.confirmTyped(l.Config.Node.ID, "This node goes on alone, and what only the others have is lost.")
				if err != nil || !sure {
					env.say("nothing was changed")
					return err
				}
			}
			return recoverAlone(env, l.Config)
		},
	}
	f.flags(c)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// confirmTyped asks for a word before something that needs thought.
func (env environment) confirmTyped(word, warning string) (bool, error) {
	_, _ = fmt.Fprintf(env.stderr, "%s\nType %s to go on: ", warning, word) // without it nobody answers
	line, err := bufio.NewReader(io.LimitReader(env.stdin, 1024)).ReadString('\n')
	if err != nil && line == "" {
		return false, fmt.Errorf("read the answer: %w", err)
	}
	return strings.TrimSpace(line) == word, nil
}

func recoverAlone(env environment, cfg config.Config) error {
	dir := raftDir(cfg)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) == 0 {
		return fmt.Errorf("%s holds no data to recover", dir)
	}
	id, err := identity(cfg.Node.Data)
	if err != nil {
		return err
	}
	if reason, marked := storage.Marked(dir); marked {
		return fmt.Errorf("the data of this node is damaged (%s); recover another one", reason)
	}
	o := cluster.Options{
		NodeID: cfg.Node.ID, ClusterID: id, Dir: dir, Shards: cfg.Cluster.Shards,
		Logger: slog.New(slog.DiscardHandler), Fatal: func(error) {}, // what fails comes back as an error, too
	}
	copied := filepath.Join(cfg.Node.Data, "raft.before-recover-"+time.Now().UTC().Format("20060102T150405Z"))
	env.say("copying %s to %s", dir, copied)
	if err := copyFolder(dir, copied); err != nil {
		return err
	}
	if err := cluster.Recover(o, nil); errors.Is(err, storage.ErrInUse) {
		return errors.Join(fmt.Errorf("%s runs; stop it first", cfg.Node.ID), os.RemoveAll(copied))
	} else if err != nil {
		return errors.Join(err, fmt.Errorf("the copy is in %s", copied))
	}
	if err := markClean(cfg); err != nil {
		return err
	}
	env.say("%s is the only voter now. Start it, look at `catraca cluster status` and `catraca verify ledger`, and invite the\nothers anew, with empty folders. The data as it was is in %s.", cfg.Node.ID, copied)
	return nil
}

// copyFolder copies files and folders, and flushes them.
func copyFolder(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("copy %s: %w", from, err)
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return fmt.Errorf("copy %s: %w", from, err)
		}
		target := filepath.Join(to, rel)
		if d.IsDir() {
			if err := os.MkdirAll(target, 0o700); err != nil {
				return fmt.Errorf("copy %s: %w", from, err)
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		return copyFile(path, target)
	})
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	defer func() { _ = in.Close() }() // only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return nil
}
