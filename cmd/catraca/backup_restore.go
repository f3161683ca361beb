package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/actors/sale"
	"github.com/catraca/catraca/cluster"
	"github.com/catraca/catraca/config"
)

// raftDir is where a node keeps the engine's data.
func raftDir(cfg config.Config) string { return filepath.Join(cfg.Node.Data, "raft") }

func backupRestoreCommand(env environment) *cobra.Command {
	var f configFlags
	var again uint32
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Begin anew from a backup, in the empty data directory of a first node",
		Long: "Checks the whole backup as inspect does, and makes the data of a new cluster from it, of which this node is the\n" +
			"first. Then `catraca serve` starts it, and other nodes may join. What happened after the backup is lost here, but\n" +
			"people have tickets and the payment provider has payments of it: numbers of tickets, orders and payments go on\n" +
			"apart from those. If the same backup was restored before, --again says how often, so that they stay apart, too.",
		Example: "  catraca backup restore tonight.backup --config catraca.yaml",
		Args:    exactly("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			l, err := f.load(c, env)
			if err != nil {
				return err
			}
			if again >= sale.MaxEpoch {
				return wrong(c, "--again %d, at most %d", again, sale.MaxEpoch-1)
			}
			return restoreBackup(c.Context(), env, l.Config, args[0], again+1)
		},
	}
	c.Flags().Uint32Var(&again, "again", 0, "how often this very backup was restored and served from before")
	f.flags(c)
	return c
}

// restoreBackup makes a data directory. It writes nothing before the whole backup has been checked; the engine's data
// comes last and appears in one moment, so an interrupted restore is simply done again.
func restoreBackup(ctx context.Context, env environment, cfg config.Config, path string, raise uint32) error {
	for _, taken := range []string{raftDir(cfg), pkiDir(cfg), filepath.Join(cfg.Node.Data, joinedName)} {
		if _, err := os.Lstat(taken); err == nil {
			return fmt.Errorf("%s has data already; a backup is restored into an empty data directory", cfg.Node.Data)
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open backup: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	env.say("checking the backup …")
	seen, err := inspect(ctx, f)
	if err != nil {
		return err
	}
	if !seen.Clean {
		return fmt.Errorf("the backup is not good, so it is not restored; see: catraca backup inspect %s", path)
	}
	if n := len(seen.Shards); n != cfg.Cluster.Shards {
		return fmt.Errorf("the backup has %d shards, so cluster.shards has to be %d in the configuration of this node", n, n)
	}
	first, err := newEpochs(seen, raise)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read backup: %w", err)
	}
	if err := seedFrom(cfg, f, first); err != nil {
		return err
	}
	env.say("%s holds %s sales and %s accounts as of %s.\nStart it: catraca serve --config … ; other nodes join it as they would a new one.",
		cfg.Node.Data, thousands(len(seen.Sales)), thousands(seen.Directory.Accounts), seen.Time.Format("2006-01-02 15:04:05 MST"))
	return nil
}

// seedFrom writes the data directory.
func seedFrom(cfg config.Config, r io.Reader, first func(shard int) [][]byte) error {
	if err := os.MkdirAll(cfg.Node.Data, 0o700); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	b, err := newBackupReader(bufio.NewReaderSize(r, 1<<20))
	if err != nil {
		return err
	}
	if err := beginRestore(cfg); err != nil {
		return err
	}
	if err := writeHouse(cfg, b.head.Secrets); err != nil {
		return err
	}
	// A new cluster, which no node of the old one may take for its own; the house keeps its name.
	if err := os.Remove(filepath.Join(cfg.Node.Data, clusterIDName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restore: %w", err)
	}
	id, err := identity(cfg.Node.Data)
	if err != nil {
		return err
	}
	spool, err := spoolShards(cfg, b)
	if err != nil {
		return err
	}
	defer spool.remove()
	err = cluster.Seed(cluster.Options{
		NodeID: cfg.Node.ID, ClusterID: id, Dir: raftDir(cfg), Shards: cfg.Cluster.Shards, Listen: cfg.Cluster.Listen,
		Logger: slog.New(slog.DiscardHandler), Fatal: func(error) {}, // what fails comes back as an error, too
	}, spool.open, first)
	if err != nil {
		return err
	}
	return endRestore(cfg)
}

// spool holds the shards of a backup one by one: a cluster is seeded in another order than a backup is written in.
type spool struct {
	dir string
}

func spoolShards(cfg config.Config, b *backupReader) (*spool, error) {
	dir, err := os.MkdirTemp(cfg.Node.Data, "restore-*")
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	s := &spool{dir}
	for {
		shard, data, err := b.next()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err == nil {
			err = s.put(shard, data)
		}
		if err != nil {
			s.remove()
			return nil, err
		}
	}
}

func (s *spool) path(shard int) string { return filepath.Join(s.dir, fmt.Sprint(shard)) }

func (s *spool) put(shard int, data io.Reader) error {
	f, err := os.OpenFile(s.path(shard), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	_, err = io.Copy(f, data)
	return errors.Join(err, f.Close())
}

func (s *spool) open(shard int) (io.ReadCloser, error) { return os.Open(s.path(shard)) }

func (s *spool) remove() { _ = os.RemoveAll(s.dir) } // what stays is in nobody's way, and private
